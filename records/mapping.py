"""How one supplier's file is read: the small YAML file that translates its names and values into ours.

    table: crossings                    # optional; a mapping for another table is refused
    columns: {crossing_id: "رقم العبور", direction: sens}       # ours: theirs; unnamed columns keep our name
    constants: {kind: actual}           # a column of ours that the file does not have
    values: {direction: {"دخول": entry, "خروج": exit}}          # ours: {theirs: ours}
    known_at: {lag: PT2H}               # happened_at plus a lag, or the name of a column of theirs
    zone: Africa/Tunis                  # where times without an offset were written
    ignore: [remarks]                   # columns of theirs that are not wanted
    encoding: windows-1256              # else found out: UTF-8, or Windows-1256 where that alone can be meant
    delimiter: ";"                      # of CSV; else a comma
    nulls: ["NULL", "-"]                # texts that mean "nothing", as the empty text always does

A supply that uses our names, writes offsets with its times and has a column `known_at` needs no mapping.
"""

from __future__ import annotations

import codecs
import difflib
import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from records.errors import BadInput
from records.schema import Table
from records.times import lag


@dataclass(frozen=True)
class SupplyMapping:
    """A mapping that fits its table. `known_at` is a column of theirs, a lag behind happened_at, or None: no rule."""

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    known_at: str | timedelta | None = None
    zone: str | None = None
    ignore: tuple[str, ...] = ()
    encoding: str | None = None
    delimiter: str = ","
    nulls: tuple[str, ...] = ()

    def digest(self) -> str:
        """Hex digest of what the mapping says, whatever the order and layout it was written in."""
        said = {f.name: getattr(self, f.name) for f in fields(self)}
        text = json.dumps(said, sort_keys=True, default=str, ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def theirs(self, ours: str) -> str:
        """The column of theirs that our column is read from."""
        if ours == "known_at" and isinstance(self.known_at, str):
            return self.known_at
        return self.columns.get(ours, ours)


def read_mapping(source: Path | Mapping[str, Any] | None, table: Table) -> SupplyMapping:
    """The mapping written in a YAML file (or given as its content) for `table`; None is the empty mapping.

    BadInput names what does not fit: an unknown key, a column that `table` does not have or does not take, a value
    outside a closed list, an unknown zone or encoding, a lag that is no duration.
    """
    where = f"Mapping {source}" if isinstance(source, Path) else "The mapping"
    content = _content(source, where)
    known_keys = ["table", *(f.name for f in fields(SupplyMapping))]
    for key in content:
        if key not in known_keys:
            raise BadInput(f"{where} has the key '{key}', which means nothing here. {nearest(str(key), known_keys)}")
    if content.get("table", table.name) != table.name:
        raise BadInput(f"{where} is for table '{content['table']}', not for '{table.name}'. Use the one that belongs.")
    columns = _texts(content, "columns", where)
    constants = _texts(content, "constants", where)
    values = {
        column: _texts({"values": said}, "values", where) for column, said in _mapping(content, "values", where).items()
    }
    takes = [c.name for c in table.supplied_columns]
    for name in (*columns, *constants, *values):
        if name not in takes:
            raise BadInput(
                f"{where} names column '{name}', which table '{table.name}' does not take. {nearest(name, takes)}"
            )
    for name in columns.keys() & constants.keys():
        raise BadInput(f"{where} gives '{name}' both a column and a constant. Keep one of them.")
    for column, translation in values.items():
        closed = table.column(column).values
        for ours in translation.values():
            if closed is not None and ours not in closed:
                raise BadInput(f"{where} translates '{column}' to '{ours}', but it may only be: {', '.join(closed)}.")
    return SupplyMapping(
        columns=columns,
        constants=constants,
        values=values,
        known_at=_known_at(content.get("known_at"), where),
        zone=_zone(content.get("zone"), where),
        ignore=_list(content, "ignore", where),
        encoding=_encoding(content.get("encoding"), where),
        delimiter=_delimiter(content.get("delimiter", ","), where),
        nulls=_list(content, "nulls", where),
    )


def nearest(name: str, there: Collection[str]) -> str:
    """A sentence that points to the names nearest to one that does not exist, else to all there are."""
    near = difflib.get_close_matches(name, list(there), n=3, cutoff=0.6)
    return f"Nearest: {', '.join(near)}." if near else f"There are: {', '.join(sorted(there))}."


def _content(source: Path | Mapping[str, Any] | None, where: str) -> Mapping[str, Any]:
    if source is None or isinstance(source, Mapping):
        return source or {}
    try:
        content = yaml.safe_load(source.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"{where} is not there. Check the path.") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BadInput(f"{where} is not valid YAML in UTF-8: {error}. Correct it.") from error
    if content is not None and not isinstance(content, Mapping):
        raise BadInput(f"{where} must be keys and values, such as `zone: Africa/Tunis`.")
    return content or {}


def _mapping(content: Mapping[str, Any], key: str, where: str) -> Mapping[str, Any]:
    said = content.get(key) or {}
    if not isinstance(said, Mapping):
        raise BadInput(f"{where}: '{key}' must hold names and values, such as `{key}: {{ours: theirs}}`.")
    return said


def _texts(content: Mapping[str, Any], key: str, where: str) -> dict[str, str]:
    return {_text(name): _text(value) for name, value in _mapping(content, key, where).items()}


def _text(value: Any) -> str:
    """YAML reads 1 and true as number and boolean; in a mapping they are what the file says, as text."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _list(content: Mapping[str, Any], key: str, where: str) -> tuple[str, ...]:
    said = content.get(key) or []
    if not isinstance(said, list | tuple):
        raise BadInput(f"{where}: '{key}' must be a list, such as `{key}: [a, b]`.")
    return tuple(_text(item) for item in said)


def _known_at(said: Any, where: str) -> str | timedelta | None:
    if said is None or isinstance(said, str):
        return said
    if isinstance(said, Mapping) and set(said) == {"lag"}:
        return lag(str(said["lag"]))
    raise BadInput(f"{where}: 'known_at' must be a column of the file, or a lag such as `{{lag: PT2H}}`.")


def _zone(name: Any, where: str) -> str | None:
    try:
        return None if name is None else ZoneInfo(str(name)).key
    except (ZoneInfoNotFoundError, ValueError):
        raise BadInput(f"{where}: zone '{name}' does not exist. Use an IANA name, such as Africa/Tunis.") from None


def _encoding(name: Any, where: str) -> str | None:
    try:
        found = None if name is None else codecs.lookup(str(name)).name
    except LookupError:
        found = "?"
    if found not in (None, "utf-8", "utf-8-sig", "cp1256"):
        raise BadInput(f"{where}: encoding '{name}' is not read here. Use utf-8 or windows-1256.")
    return "utf-8" if found == "utf-8-sig" else found


def _delimiter(said: Any, where: str) -> str:
    if not isinstance(said, str) or len(said) != 1 or said in '"\r\n':
        raise BadInput(f"{where}: delimiter {said!r} must be one character, such as ';'.")
    return said
