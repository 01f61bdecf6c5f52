"""The supplies of a world: which rows go into which file, in which form, with which mapping, in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import yaml

from records.sample import deliveries, findings, spoiling
from records.sample.blocks import Made
from records.sample.crossings import crossing_rows, reports
from records.sample.parameters import RESIDENT
from records.sample.persons import alert_rows, link_rows, seen, traveller_rows
from records.sample.setting import Setting
from records.sample.writing import ParquetParts, TextParts, by_partition

TRAVELLER_MAPPING: Mapping[str, object] = {
    "table": "travellers",
    "columns": {
        "full_name": "nom_complet",
        "birth_date": "date_naissance",
        "sex": "sexe",
        "nationality": "nationalite",
        "office": "bureau",
    },
    "known_at": {"lag": "PT30M"},
}


@dataclass(frozen=True)
class Supply:
    """One file to ingest: its table, its path and that of its mapping (None: our own names), within the world."""

    table: str
    path: str
    mapping: str | None

    def told(self) -> dict[str, str | None]:
        """As world.json says it."""
        return asdict(self)

    @staticmethod
    def of(said: Mapping[str, Any]) -> Supply:
        """From what world.json says."""
        return Supply(said["table"], said["path"], said["mapping"])


class Supplies:
    """Collects the rows of all tables, block by block, and knows how many of each sort it wrote."""

    def __init__(self, folder: Path, setting: Setting) -> None:
        self._folder, self._setting = folder, setting
        self._newest_year = setting.parameters.last_day.year
        at = folder / "supplies"
        self._reference = {name: ParquetParts(at / name) for name in ("posts", "offices", "calendar", "closures")}
        self._services = ParquetParts(at / "services")
        self._travellers = ParquetParts(at / "travellers")
        self._permits = ParquetParts(at / "permits")
        self._south = TextParts(at / "permits-south", ".csv", "cp1256", deliveries.HEADER, deliveries.csv_lines)
        self._centre = TextParts(at / "permits-centre", ".csv", "utf-8", deliveries.HEADER, deliveries.indic_lines)
        self._alerts = ParquetParts(at / "alerts")
        self._links = ParquetParts(at / "links")
        self._crossings = ParquetParts(at / "crossings")
        self._checks = TextParts(at / "checks", ".jsonl", "utf-8", "", findings.json_lines)
        self._spoilt: set[str] = set()
        self.rows: Counter[str] = Counter()
        self.bad_rows: dict[str, dict[str, int]] = {}
        self.duplicates = 0
        self.corrections = 0
        self.refused: list[dict[str, str]] = []

    def add_reference(self, table: str, rows: pa.Table) -> None:
        """All rows of a reference table."""
        self._reference[table].add(table, rows)
        self.rows[table] += rows.num_rows

    def add_services(self, rows: pa.Table) -> None:
        """All rows of `services`."""
        self._add_by_period(self._services, rows, "happened_at")
        self.rows["services"] += rows.num_rows

    def add_block(self, made: Made, rng: np.random.Generator) -> int:
        """All rows of a block; how many rows of `crossings` that were."""
        setting, block = self._setting, made.block
        known = seen(block.group, block.journeys)
        self._add_travellers(traveller_rows(block, setting, known))
        links = link_rows(block, setting, known, rng)
        self._links.add("links", links)
        self.rows["links"] += links.num_rows
        alerts = alert_rows(block, setting, made.alert_day, known, rng)
        self._alerts.add("alerts", self._with_bad("alerts", alerts, spoiling.ALERTS, "alert_id"))
        self.rows["alerts"] += alerts.num_rows
        self._add_checks(findings.check_rows(block, setting, made.entry, made.checks, made.truth.kind))
        if block.group.kind == RESIDENT:
            self._add_permits(made, rng)
            self._add_checks(findings.review_rows(block, setting, setting.sponsors, rng))
        told = reports(block, setting, rng)
        rows = crossing_rows(block, setting, told)
        parts = by_partition(rows, told.part)
        for number, (half, part) in enumerate(parts):
            last = number == len(parts) - 1
            whole = self._with_bad("crossings", part, spoiling.CROSSINGS, "crossing_id") if last else part
            self._crossings.add(setting.part_name(half), whole)
        self.rows["crossings"] += rows.num_rows
        self.corrections += int(told.corrected.sum())
        self.duplicates += int(told.repeated.sum())
        return int(rows.num_rows)

    def close(self) -> tuple[Supply, ...]:
        """Write what is left, the mappings and a damaged file that must be refused whole; the supplies in order."""
        mappings = {
            "travellers": TRAVELLER_MAPPING,
            "permits-south": deliveries.WINDOWS_MAPPING,
            "permits-centre": deliveries.INDIC_MAPPING,
            "checks": findings.MAPPING,
        }
        folder = self._folder / "mappings"
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in mappings.items():
            text = yaml.safe_dump(dict(content), allow_unicode=True, sort_keys=False)
            (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
        order: list[tuple[str, str | None, ParquetParts | TextParts]] = [
            *((table, None, parts) for table, parts in self._reference.items()),
            ("services", None, self._services),
            ("travellers", "travellers", self._travellers),
            ("permits", None, self._permits),
            ("permits", "permits-south", self._south),
            ("permits", "permits-centre", self._centre),
            ("alerts", None, self._alerts),
            ("links", None, self._links),
            ("crossings", None, self._crossings),
            ("checks", "checks", self._checks),
        ]
        listed = [
            Supply(table, str(path.relative_to(self._folder)), mapping and f"mappings/{mapping}.yaml")
            for table, mapping, parts in order
            for path in parts.close()
        ]
        self._write_damaged(next(s for s in listed if s.path.startswith("supplies/permits-centre")))
        return tuple(listed)

    def _add_travellers(self, rows: pa.Table) -> None:
        if not rows.num_rows:
            return
        named = self._with_bad("travellers", rows, spoiling.TRAVELLERS, "document_number").drop_columns(["known_at"])
        theirs = dict(TRAVELLER_MAPPING["columns"])  # type: ignore[call-overload]  # declared a few lines above
        named = named.rename_columns([theirs.get(name, name) for name in named.column_names])
        self._add_by_period(self._travellers, named, "happened_at")
        self.rows["travellers"] += rows.num_rows

    def _add_permits(self, made: Made, rng: np.random.Generator) -> None:
        rows, delivery = deliveries.permit_rows(made.block, self._setting, rng)
        self.rows["permits"] += rows.num_rows
        self._add_by_period(self._permits, rows.filter(pa.array(delivery == deliveries.PARQUET)), "known_at")
        south = rows.filter(pa.array(delivery == deliveries.WINDOWS))
        self._south.add("south", south)
        self._centre.add("centre", rows.filter(pa.array(delivery == deliveries.INDIC)))
        each = self._setting.parameters.bad_rows_per_kind
        text = spoiling.permit_lines(south, each)
        if "permits" not in self._spoilt and text is not None:
            self._spoilt.add("permits")
            self._south.lines("south", text)
            self._count_bad("permits", (*spoiling.PERMIT_FIELDS, "wrong_number_of_fields"), each)

    def _add_checks(self, rows: pa.Table) -> None:
        if not rows.num_rows:
            return
        self._add_by_period(self._checks, rows, "known_at")
        self.rows["checks"] += rows.num_rows
        each = self._setting.parameters.bad_rows_per_kind
        text = spoiling.check_lines(rows, each)
        if "checks" not in self._spoilt and text is not None:
            self._spoilt.add("checks")
            self._checks.lines(str(self._newest_year), text)
            self._count_bad("checks", (*spoiling.CHECK_TEXTS, "not_json"), each)

    def _with_bad(
        self, table: str, rows: pa.Table, kinds: Mapping[str, tuple[spoiling.Change, ...]], key: str
    ) -> pa.Table:
        """`rows` and, the first time a table has enough of them, spoilt copies behind."""
        each = self._setting.parameters.bad_rows_per_kind
        if table in self._spoilt or rows.num_rows < each * len(kinds):
            return rows
        self._spoilt.add(table)
        self._count_bad(table, tuple(kinds), each)
        return pa.concat_tables([rows, spoiling.spoiled(rows, kinds, each, key)])

    def _add_by_period(self, parts: ParquetParts | TextParts, rows: pa.Table, time: str) -> None:
        """Rows up to the calendar year before the newest day's into one file, those of that year into another."""
        newest = _years(rows[time]) >= self._newest_year
        parts.add(f"{self._newest_year - 1}-and-before", rows.filter(pa.array(~newest)))
        parts.add(str(self._newest_year), rows.filter(pa.array(newest)))

    def _count_bad(self, table: str, kinds: tuple[str, ...], each: int) -> None:
        self.bad_rows[table] = dict.fromkeys(kinds, each)
        self.rows[table] += each * len(kinds)

    def _write_damaged(self, like: Supply) -> None:
        """A file with a byte that is no UTF-8 in the middle of Arabic text: nothing of it can be trusted."""
        path = self._folder / "damaged" / "permits-centre.csv"
        path.parent.mkdir(exist_ok=True)
        sound = (self._folder / like.path).read_bytes()[:20_000]
        path.write_bytes(sound[:10_000] + b"\xff\xfe" + sound[10_000:])
        self.refused.append({"table": "permits", "path": "damaged/permits-centre.csv", "mapping": str(like.mapping)})


def _years(instants: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """The calendar year of each instant, in UTC."""
    micros = np.asarray(instants.cast(pa.int64()))
    return micros.astype("datetime64[us]").astype("datetime64[Y]").astype(np.int64) + 1970
