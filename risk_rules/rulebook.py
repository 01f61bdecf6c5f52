"""The rulebook of one day: every rule checked, those in force compiled, one content hash for all of it."""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from records.errors import BadInput
from risk_rules import mitigations, thresholds
from risk_rules.columns import Column, SubjectKind, columns
from risk_rules.conditions import TRUE, UNKNOWN, All, Cells, Node, Truth, Value, cells, for_columns, for_one
from risk_rules.conditions import read_columns as columns_of
from risk_rules.loader import Columns, load_rules, parse_on
from risk_rules.mitigations import Ladder
from risk_rules.rule import Result, Rule, threshold_names
from risk_rules.strict_yaml import read
from risk_rules.thresholds import Threshold

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Finding:
    """What one rule says of one event, with all that a sentence about it needs.

    `observed` are the values of the columns it read, `limits` its thresholds of the day, `missing` the columns whose
    absence left it undecided (empty otherwise).
    """

    rule: Rule
    result: Result
    points: int
    observed: Mapping[str, Value]
    limits: Mapping[str, Any]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class Findings:
    """What the rules in force say of a table: int8 (rules, rows), 1 hit, 0 no, -1 undecided; points likewise."""

    rules: tuple[Rule, ...]
    results: NDArray[np.int8]
    points: NDArray[np.int16]

    @property
    def any_hit(self) -> NDArray[np.bool_]:
        """Per row, whether any rule hits."""
        return np.asarray((self.results == Result.HIT).any(axis=0))

    @property
    def fact_hit(self) -> NDArray[np.bool_]:
        """Per row, whether a rule hits that rests on a fact an authority stated."""
        facts = np.array([rule.evidence == "fact" for rule in self.rules], dtype=bool)
        return np.asarray((self.results[facts] == Result.HIT).any(axis=0))

    @property
    def total_points(self) -> NDArray[np.int64]:
        """Per row, the rule points of its hits. Kept apart from any score."""
        return np.asarray(self.points.sum(axis=0, dtype=np.int64))

    def hits(self, row: int) -> tuple[Rule, ...]:
        return self._with(row, Result.HIT)

    def undecided(self, row: int) -> tuple[Rule, ...]:
        return self._with(row, Result.UNDECIDED)

    def _with(self, row: int, result: Result) -> tuple[Rule, ...]:
        return tuple(self.rules[i] for i in np.flatnonzero(self.results[:, row] == result))


@dataclass(frozen=True)
class Compiled:
    """One rule with the thresholds of a day, ready for columns and for one event."""

    rule: Rule
    reads: tuple[str, ...]
    says: tuple[str, ...]
    limits: Mapping[str, Any]
    of_columns: Callable[[Mapping[str, Cells]], Truth]
    of_one: Callable[[Mapping[str, Value]], int]

    def results(self, table: Mapping[str, Cells]) -> NDArray[np.int8]:
        unknown = Result.NO if self.rule.on_missing == "no_hit" else Result.UNDECIDED
        # Truth is -1, 0 or 1; one more is the place of its result.
        return np.array([Result.NO, unknown, Result.HIT], dtype=np.int8)[self.of_columns(table) + 1]

    def points(self, table: Mapping[str, Cells], results: NDArray[np.int8]) -> NDArray[np.int16]:
        on, steps = self.rule.points.on, self.rule.points.steps
        earned = np.array([0, *(p for _, p in steps)], dtype=np.int16)
        if on is None:
            return np.where(results == Result.HIT, earned[-1], 0).astype(np.int16)
        # NaN sorts after every step, so missing values are put back to no points.
        reached = np.searchsorted([start for start, _ in steps], table[on].values, side="right")
        return np.where((results == Result.HIT) & table[on].known, earned[reached], 0).astype(np.int16)

    def finding(self, row: Mapping[str, Value]) -> Finding:
        truth = self.of_one(row)
        if truth == UNKNOWN:
            result = Result.NO if self.rule.on_missing == "no_hit" else Result.UNDECIDED
        else:
            result = Result.HIT if truth == TRUE else Result.NO
        return Finding(
            rule=self.rule,
            result=result,
            points=self._points_of_one(row) if result is Result.HIT else 0,
            observed={name: row[name] for name in self.says},
            limits=self.limits,
            missing=tuple(n for n in self.reads if row[n] is None) if result is Result.UNDECIDED else (),
        )

    def _points_of_one(self, row: Mapping[str, Value]) -> int:
        on, steps = self.rule.points.on, self.rule.points.steps
        if on is None:
            return steps[-1][1]
        value = row[on]
        reached = 0 if value is None else bisect_right([start for start, _ in steps], float(value))
        return 0 if reached == 0 else steps[reached - 1][1]


@dataclass(frozen=True)
class Rulebook:
    """All rules of a folder as they stand on the day `on`. Made by `Rulebook.load`."""

    on: date
    hash: str
    rules: tuple[Rule, ...]
    ladder: Ladder
    thresholds: Mapping[str, Threshold]
    columns: Columns

    @classmethod
    def load(cls, folder: Path | None = None, *, on: date, known: Columns | None = None) -> Rulebook:
        """The rulebook of `folder` (the engine's own by default) on a day.

        `known` are the columns rules may name; by default the event's own and the feature catalogue's. BadInput refuses
        the whole rulebook and names each bad rule.
        """
        folder = HERE if folder is None else folder
        known = columns() if known is None else known
        ladder = mitigations.load(folder / "mitigations.yaml")
        dated = thresholds.load(folder / "thresholds")
        rules = load_rules(folder / "rules", known, dated, ladder)
        return cls(on, content_hash(folder), rules, ladder, dated, known)

    def in_force(self, kind: SubjectKind) -> tuple[Rule, ...]:
        """The rules about `kind` that hold on the day, in order of id."""
        return tuple(c.rule for c in self._compiled[kind])

    @property
    def dormant(self) -> tuple[Rule, ...]:
        """The rules that do not hold on the day: not yet, or no longer."""
        return tuple(rule for rule in self.rules if not rule.in_force(self.on))

    @property
    def examples(self) -> tuple[str, ...]:
        """What in force rests on an invented basis, which production refuses: rules by id, thresholds as "@name"."""
        held = [rule for rule in self.rules if rule.in_force(self.on)]
        names = sorted({name for rule in held for name in threshold_names(rule.when)})
        steps = {name: self.thresholds[name].at(self.on) for name in names}
        return (
            *(rule.id for rule in held if rule.example),
            *(f"@{name}" for name, step in steps.items() if step is not None and step.example),
        )

    def reads(self, kind: SubjectKind) -> tuple[str, ...]:
        """Every column that the rules in force about `kind` read, gates included, in alphabetical order."""
        return self._reads[kind]

    def readers(self, kind: SubjectKind, column: str) -> tuple[Rule, ...]:
        """The rules in force about `kind` that read a column."""
        return tuple(c.rule for c in self._compiled[kind] if column in c.reads)

    def feature_names(self, kind: SubjectKind) -> tuple[str, ...]:
        """Those of `reads` that the feature engine computes; the rest are columns of the event."""
        return tuple(name for name in self.reads(kind) if self.columns[kind][name].feature)

    def evaluate(self, table: pa.Table, kind: SubjectKind) -> Findings:
        """What each rule in force says of each row. BadInput if a column it reads is missing or of another type."""
        held = self._compiled[kind]
        ready = ready_cells(table, self.reads(kind), self.columns[kind])
        results = np.zeros((len(held), table.num_rows), dtype=np.int8)
        points = np.zeros((len(held), table.num_rows), dtype=np.int16)
        for i, compiled in enumerate(held):
            results[i] = compiled.results(ready)
            points[i] = compiled.points(ready, results[i])
        return Findings(tuple(c.rule for c in held), results, points)

    def evaluate_one(self, row: Mapping[str, object], kind: SubjectKind) -> tuple[Finding, ...]:
        """The same for one event, each with the values it saw. BadInput if a column is missing or of another type."""
        checked = ready_row(row, self.reads(kind), self.columns[kind])
        return tuple(compiled.finding(checked) for compiled in self._compiled[kind])

    @cached_property
    def _compiled(self) -> Mapping[SubjectKind, tuple[Compiled, ...]]:
        found: dict[SubjectKind, list[Compiled]] = {kind: [] for kind in self.columns}
        for rule in self.rules:
            if rule.in_force(self.on):
                found[rule.applies_to.subject_kind].append(self._compile(rule))
        return {kind: tuple(held) for kind, held in found.items()}

    @cached_property
    def _reads(self) -> Mapping[SubjectKind, tuple[str, ...]]:
        return {
            kind: tuple(sorted({name for compiled in held for name in compiled.reads}))
            for kind, held in self._compiled.items()
        }

    def _compile(self, rule: Rule) -> Compiled:
        kind = rule.applies_to.subject_kind
        when = parse_on(rule.when, kind, self.on, self.columns[kind], self.thresholds)
        applies = rule.applies_to.node
        node: Node = when if applies is None else All((applies, when))
        limits = {
            name: step.value for name in threshold_names(rule.when) if (step := self.thresholds[name].at(self.on))
        }
        return Compiled(rule, columns_of(node), columns_of(when), limits, for_columns(node), for_one(node))


def ready_cells(table: pa.Table, names: tuple[str, ...], known: Mapping[str, Column]) -> dict[str, Cells]:
    """The columns `names` of a table, made ready. BadInput if one is missing or of another type."""
    _refuse_missing(names, table.column_names)
    return {name: cells(known[name], table[name]) for name in names}


def ready_row(row: Mapping[str, object], names: tuple[str, ...], known: Mapping[str, Column]) -> dict[str, Value]:
    """The columns `names` of one event, each checked. BadInput if one is missing or of another type."""
    _refuse_missing(names, row)
    return {name: known[name].checked(row[name]) for name in names}


def _refuse_missing(names: tuple[str, ...], there: Any) -> None:
    missing = [name for name in names if name not in there]
    if missing:
        raise BadInput(
            f"Rules read {', '.join(missing)}, which the event does not bring. A column left out is not a missing "
            "value: ask features.engine for all of `Rulebook.feature_names`, and hand over the spine beside them."
        )


def content_hash(folder: Path) -> str:
    """SHA-256 of what the rulebook's files say, whatever their layout and comments."""
    paths = [*sorted(folder.glob("*/*.yaml")), folder / "mitigations.yaml", folder / "protection.yaml"]
    content = {path.relative_to(folder).as_posix(): _canonical(read(path)) for path in paths}
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _canonical(value: Any) -> Any:
    """Days as text, so that JSON holds everything YAML said."""
    match value:
        case Mapping():
            return {str(key): _canonical(part) for key, part in value.items()}
        case list():
            return [_canonical(part) for part in value]
        case date():
            return value.isoformat()
        case _:
            return value
