"""What a feature reads, down to the columns, and who may therefore use it.

A chain begins with the feature asked about and ends with a column: ("share_of_x", "count_of_x", "crossings.x"). A
feature inherits the highest tier of what it reads. What the engine itself put out is never read; a confirmed finding of
the same kind may be, for 24 months.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal, TypeAlias

from features.declaration import (
    Derived,
    Expression,
    Feature,
    InForce,
    Lookup,
    Operand,
    Own,
    Rows,
    SubjectKind,
    ValueType,
    Window,
)
from features.entities import entity
from records.errors import BadInput
from records.schema import Column, Place, Tier, Type
from records.tables import tables

Purpose: TypeAlias = Literal["model", "rule", "gate", "protection"]
Catalogue: TypeAlias = Mapping[str, Feature]

HOME: Final[Mapping[SubjectKind, str]] = {"crossing": "crossings", "permit": "permits"}
MOMENTS: Final = {"as_of": "known_at", "expected_at": "happened_at"}
"""Columns of a spine that every table knows under another name."""
AFTERWARDS: Final = frozenset({"happened_at", "known_at", "booth_wait_minutes", "shift", "kind", "linked_crossing"})
"""Columns of the event's own row that are only known, or only mean anything, after as_of."""

_ENGINE_MADE: Final = frozenset(name for name, table in tables().items() if table.engine_made)
ENGINE_OUTPUT: Final = _ENGINE_MADE | {"checks"}
FINDINGS_KEPT: Final = timedelta(days=730)
_FINDING_COLUMNS: Final = frozenset(
    {"subject", "event", "event_kind", "finding", "finding_kind", "happened_at", "known_at"}
)


class ProhibitedInput(BadInput):
    """A model or rule names something it may not read; the message has the chain of columns."""


@dataclass(frozen=True)
class Read:
    """One column read; `chain` are the names on the way, without the column."""

    chain: tuple[str, ...]
    table: str
    column: Column

    @property
    def source(self) -> str:
        return f"{self.table}.{self.column.name}"

    def __str__(self) -> str:
        return " → ".join((*self.chain, self.source))


def reads(name: str, kind: SubjectKind, catalogue: Catalogue) -> tuple[Read, ...]:
    """Every column that feature `name` reads, through whatever it is built on.

    BadInput for an unknown column or feature, a cycle, or the engine's own output; the message has the chain.
    """
    return tuple(_reads(catalogue[name].expression, kind, catalogue, (name,)))


def _reads(of: Operand, kind: SubjectKind, catalogue: Catalogue, chain: tuple[str, ...]) -> Iterator[Read]:
    if isinstance(of, str):
        if of in chain:
            raise BadInput(
                f"Features go round in a circle: {' → '.join((*chain, of))}. None of them could be computed first. "
                "Declare one of them without the others."
            )
        if of not in catalogue:
            raise BadInput(
                f"Feature '{chain[0]}' is built on '{of}' ({' → '.join((*chain, of))}), which no file declares. "
                f"Declare it in features/{HOME[kind]}, or correct the name."
            )
        yield from _reads(catalogue[of].expression, kind, catalogue, (*chain, of))
    elif isinstance(of, Derived):
        for operand in of.of:
            yield from _reads(operand, kind, catalogue, chain)
    elif isinstance(of, Own):
        yield _own(of.column, kind, chain)
    else:
        _refuse_own_output(of, kind, chain)
        for column in row_columns(of):
            yield _of_rows(of.of, column, chain)
        for per in of.per:
            asked = entity(per).asked.get(kind)
            if asked is None:
                raise BadInput(
                    f"Feature '{chain[0]}' is per {per}, but a {kind} has none. "
                    "Choose an entity that the event names, such as traveller."
                )
            yield from _reads(asked, kind, catalogue, chain)


def row_columns(of: Window | Lookup | InForce) -> tuple[str, ...]:
    """Columns of its rows that a history is computed from."""
    names = [c for c, _ in of.of.conditions] + [entity(p).column for p in of.per]
    names += [of.of.beside[1]] if of.of.beside else []
    if isinstance(of, Window):
        names += [c for c, _ in of.aggregate.conditions]
        names += [of.aggregate.column] if of.aggregate.column else []
    elif isinstance(of, Lookup):
        names += [of.column]
    else:
        names += [of.since, of.until]
    return tuple(dict.fromkeys([*names, "happened_at", "known_at"]))


def _own(column: str, kind: SubjectKind, chain: tuple[str, ...]) -> Read:
    table = tables()[HOME[kind]]
    known = [c.name for c in table.columns]
    name = MOMENTS.get(column, column)
    if name not in known:
        raise BadInput(
            f"Feature '{chain[0]}' reads '{column}' of the event ({' → '.join((*chain, column))}), but table "
            f"'{table.name}' declares no such column. Columns: {', '.join(known)}. Correct the name."
        )
    if column in AFTERWARDS:
        raise BadInput(
            f"Feature '{chain[0]}' reads '{column}' of the event ({' → '.join((*chain, column))}), which is not known "
            "at as_of. Read `as_of` or `expected_at`, or a window over earlier rows."
        )
    return Read(chain, table.name, table.column(name))


def _of_rows(rows: Rows, column: str, chain: tuple[str, ...]) -> Read:
    held = [t for t in (rows.table, rows.beside[0] if rows.beside else None) if t]
    for name in held:
        if name not in tables():
            raise BadInput(
                f"Feature '{chain[0]}' reads table '{name}', which is not declared. Tables: {', '.join(tables())}."
            )
        if column in COMPUTED:
            return Read(chain, name, tables()[name].column("happened_at"))
        if any(c.name == column for c in tables()[name].columns):
            return Read(chain, name, tables()[name].column(column))
    known = sorted({c.name for t in held for c in tables()[t].columns} | set(COMPUTED))
    raise BadInput(
        f"Feature '{chain[0]}' reads '{column}' ({' → '.join((*chain, f'{rows.table}.{column}'))}), but "
        f"{' and '.join(held)} declare no such column. Columns: {', '.join(known)}. Correct the name."
    )


COMPUTED: Final = frozenset({"local_day", "local_hour"})
"""Columns every history has besides the declared ones: the local day and hour of happened_at."""


def column_type(rows: Rows, column: str) -> Type:
    """Type of a column of declared rows; BadInput if they have none of that name."""
    return Type.INTEGER if column in COMPUTED else _of_rows(rows, column, (rows.table,)).column.type


def _refuse_own_output(of: Window | Lookup | InForce, kind: SubjectKind, chain: tuple[str, ...]) -> None:
    way = " → ".join((*chain, of.of.table))
    if of.of.table in _ENGINE_MADE or (of.of.beside and of.of.beside[0] in ENGINE_OUTPUT):
        raise ProhibitedInput(
            f"Feature '{chain[0]}' reads the engine's own output ({way}). A score that feeds on earlier scores "
            "confirms itself. Remove it."
        )
    if of.of.table != "checks":
        return
    named = {c for c, _ in of.of.conditions} | {entity(p).column for p in of.per}
    if isinstance(of, Window):
        named |= {c for c, _ in of.aggregate.conditions} | ({of.aggregate.column} if of.aggregate.column else set())
    given = dict(of.of.conditions)
    if (
        not isinstance(of, Window)
        or given.get("finding") != ("confirmed",)
        or given.get("event_kind") != (kind,)
        or not named <= _FINDING_COLUMNS
        or of.last is None
        or of.last > FINDINGS_KEPT
    ):
        beyond = sorted(named - _FINDING_COLUMNS)
        raise ProhibitedInput(
            f"Feature '{chain[0]}' reads earlier checks ({way}{'.' + beyond[0] if beyond else ''}). How often and why "
            "someone was checked is the engine's own output; only confirmed findings of the same kind may be read, for "
            f'24 months. Use checks.where(finding="confirmed", event_kind="{kind}") with last=days(730) or less.'
        )


def tier(read: Iterable[Read]) -> Tier:
    """The highest tier among the columns read."""
    return max((r.column.tier for r in read), key=lambda t: t.rank, default=Tier.FREE)


def refuse_prohibited(name: str, read: Iterable[Read]) -> None:
    """ProhibitedInput where a column read says who someone is, or lives outside the lake."""
    for one in read:
        if one.column.tier is Tier.PROHIBITED or one.column.place is not Place.LAKE:
            raise ProhibitedInput(
                f"'{name}' reads {one.source}, which says who someone is ({one}). Who someone is never scores a "
                "person, and it is not kept in the lake. Remove it from what is read."
            )


def check_inputs(
    names: Iterable[str], kind: SubjectKind, purpose: Purpose, *, catalogue: Catalogue | None = None
) -> None:
    """Pass if every name may be read for the purpose; ProhibitedInput or BadInput with the chain otherwise.

    names: features, or columns of the event. purpose: `model` reads free features that are not facts; `rule`
    anything free; `gate` (which rule applies) and `protection` (a referral) read gates as well.
    """
    if catalogue is None:
        from features.catalogue import features

        catalogue = features(kind)
    for name in names:
        read = reads(name, kind, catalogue) if name in catalogue else _event_column(name, kind, catalogue)
        refuse_prohibited(name, read)
        gates = [r for r in read if r.column.tier is Tier.RESTRICTED]
        if gates and purpose in ("model", "rule"):
            raise ProhibitedInput(
                f"'{name}' reads the gate {gates[0].source} ({gates[0]}). A gate decides which rule applies, or "
                f"protects; it never enters a {'model' if purpose == 'model' else 'rule condition'}. "
                "Use it in `applies_to`, or in a protection referral."
            )
        if purpose == "model" and name in catalogue and catalogue[name].role == "fact":
            raise ProhibitedInput(
                f"'{name}' is a fact that a rule states, not an input of a model ({read[0]}). Name it in a rule."
            )
        if purpose == "model" and name not in catalogue:
            raise BadInput(f"A model reads features, and '{name}' is not one. Features: {', '.join(catalogue)}.")


def _event_column(name: str, kind: SubjectKind, catalogue: Catalogue) -> tuple[Read, ...]:
    """A column of the event; any other declared column, to say why it is refused."""
    named_table, _, column = name.rpartition(".")
    home = tables()[HOME[kind]]
    for held in [tables()[named_table]] if named_table in tables() else [home, *tables().values()]:
        for declared in held.columns:
            if declared.name != MOMENTS.get(column, column):
                continue
            if held.name in ENGINE_OUTPUT:
                raise ProhibitedInput(
                    f"'{name}' is the engine's own output ({held.name}.{declared.name}). A score or rule that feeds on "
                    "earlier ones confirms itself. Remove it, or read a feature of confirmed findings."
                )
            known_then = held is home and column not in AFTERWARDS
            if known_then or declared.tier is Tier.PROHIBITED:
                return (Read((name,), held.name, declared),)
    raise BadInput(
        f"'{name}' is neither a feature nor a column of a {kind} that is known at as_of. "
        f"Features: {', '.join(catalogue) or 'none'}. Correct the name, or declare the feature."
    )


_VALUES: Final[Mapping[Type, ValueType]] = {
    Type.STRING: "string",
    Type.INTEGER: "number",
    Type.NUMBER: "number",
    Type.BOOLEAN: "boolean",
    Type.INSTANT: "instant",
    Type.DAY: "day",
}


def type_of(of: Expression, kind: SubjectKind) -> ValueType:
    """Type of the value an expression gives."""
    if isinstance(of, Derived):
        return of.returns
    if isinstance(of, InForce):
        return "boolean"
    if isinstance(of, Own):
        return _VALUES[_own(of.column, kind, (of.column,)).column.type]
    if isinstance(of, Lookup):
        column: str | None = of.column
    elif of.aggregate.name in ("min", "max", "last"):
        column = of.aggregate.column
    else:
        return "number"
    return _VALUES[_of_rows(of.of, column or "", (of.of.table,)).column.type]
