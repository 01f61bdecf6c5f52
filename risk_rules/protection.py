"""Signs that someone needs protection: a referral with its own clock, apart from risk.

A sign gives no points, is no finding, enters no ranking and takes none of a shift's checks. It may be about anyone,
nationals included, and only those named in `seen_by` see it. Gates stand in `applies_to`, as in rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from records.errors import BadInput
from records.schema import Tier
from risk_rules import analysis
from risk_rules.columns import Column, columns
from risk_rules.conditions import All, Cells, Condition, Node, Truth, Value, for_columns, for_one, joined, parse
from risk_rules.conditions import read_columns as columns_of
from risk_rules.loader import answer, case_row
from risk_rules.reading import read_cases
from risk_rules.rule import Case, Result
from risk_rules.rulebook import HERE, ready_cells, ready_row
from risk_rules.strict_yaml import read
from risk_rules.texts import LANGUAGES, Texts, placeholders, texts

SEERS = ("protection", "supervisor")
"""Roles that may be named in `seen_by`."""

_KEYS = {"title", "advice", "basis", "to", "within_minutes", "seen_by", "applies_to", "when", "cases"}


@dataclass(frozen=True)
class Sign:
    """One sign, compiled. `to` is a text key of the body referred to, `within` the time it must have been reached."""

    id: str
    title: Texts
    advice: Texts
    basis: str
    to: str
    within: timedelta
    seen_by: tuple[str, ...]
    reads: tuple[str, ...]
    of_columns: Callable[[Mapping[str, Cells]], Truth]
    of_one: Callable[[Mapping[str, Value]], int]

    @property
    def example(self) -> bool:
        return self.basis.startswith("example")


@dataclass(frozen=True)
class Referral:
    """One sign seen at one event; its clock ends at `due_at`."""

    sign: Sign
    due_at: datetime


@dataclass(frozen=True)
class Protection:
    """Every sign, and the bodies referred to (text key → name in ar, fr, en). Made by `Protection.load`."""

    signs: tuple[Sign, ...]
    bodies: Mapping[str, Texts]
    columns: Mapping[str, Column]

    @classmethod
    def load(cls, folder: Path | None = None, *, known: Mapping[str, Column] | None = None) -> Protection:
        """The signs of `folder`/protection.yaml, over crossings. BadInput refuses all and names each bad one."""
        path = (HERE if folder is None else folder) / "protection.yaml"
        known = columns()["crossing"] if known is None else known
        raw = read(path)
        if not isinstance(raw, Mapping) or set(raw) != {"bodies", "signs"}:
            raise BadInput(f"{path.name} needs exactly the parts bodies and signs.")
        bodies = {str(name): texts(entry, f"{path.name}, body '{name}'") for name, entry in raw["bodies"].items()}
        signs, refusals = [], []
        for name, entry in raw["signs"].items():
            try:
                signs.append(_sign(str(name), entry, bodies, known))
            except BadInput as error:
                refusals.append(f"{path.name}, sign '{name}': {error}")
        if refusals:
            raise BadInput("Protection is refused; no sign of it is looked for.\n" + "\n".join(refusals))
        return cls(tuple(signs), bodies, known)

    @property
    def reads(self) -> tuple[str, ...]:
        """Every column that signs read, gates included, in alphabetical order."""
        return tuple(sorted({name for sign in self.signs for name in sign.reads}))

    @property
    def feature_names(self) -> tuple[str, ...]:
        """Those of `reads` that the feature engine computes."""
        return tuple(name for name in self.reads if self.columns[name].feature)

    def evaluate(self, table: pa.Table) -> NDArray[np.int8]:
        """int8 (signs, rows): 1 seen, 0 not seen, -1 undecided. BadInput as for `Rulebook.evaluate`."""
        ready = ready_cells(table, self.reads, self.columns)
        if not self.signs:
            return np.zeros((0, table.num_rows), dtype=np.int8)
        truth = np.stack([sign.of_columns(ready) for sign in self.signs])
        return np.select([truth > 0, truth == 0], [Result.HIT, Result.UNDECIDED], Result.NO).astype(np.int8)

    def referrals(self, row: Mapping[str, object], at: datetime) -> tuple[Referral, ...]:
        """The referrals one event leads to, their clocks started `at`; empty for nearly everyone."""
        checked = ready_row(row, self.reads, self.columns)
        return tuple(Referral(sign, at + sign.within) for sign in self.signs if sign.of_one(checked) > 0)


def _sign(name: str, raw: Any, bodies: Mapping[str, Texts], known: Mapping[str, Column]) -> Sign:
    if not isinstance(raw, Mapping) or set(raw) != _KEYS:
        off = sorted(_KEYS ^ set(raw)) if isinstance(raw, Mapping) else sorted(_KEYS)
        raise BadInput(
            f"missing or unknown: {', '.join(off)}. A sign has exactly these parts; in particular no points."
        )
    if raw["to"] not in bodies:
        raise BadInput(f"it refers to '{raw['to']}', which is not among bodies: {', '.join(bodies)}.")
    if type(raw["within_minutes"]) is not int or raw["within_minutes"] <= 0:
        raise BadInput(f"within_minutes is {raw['within_minutes']!r}. A clock needs a whole number above 0.")
    if not isinstance(raw["seen_by"], list) or not raw["seen_by"] or not set(raw["seen_by"]) <= set(SEERS):
        raise BadInput(f"seen_by is {raw['seen_by']!r}. Few may see it: choose among {', '.join(SEERS)}.")
    if not isinstance(raw["basis"], str) or not raw["basis"].strip():
        raise BadInput("basis is empty. Cite the article, or write 'example: ...'.")
    both = {key: texts(raw[key], key) for key in ("title", "advice")}
    if any(placeholders(both[key][language], key) for key in both for language in LANGUAGES):
        raise BadInput("title or advice has a placeholder. What was seen stays in the case file; remove it.")
    when = parse(raw["when"], known, {})
    _refuse_guarded(when, known)
    applies = _applies(raw["applies_to"])
    usual: dict[str, Value] = {leaf.col: leaf.value for leaf in applies if not isinstance(leaf.value, tuple)}
    _check(when, read_cases(raw["cases"]), applies, usual, known)
    node: Node = All((*applies, when)) if applies else when
    return Sign(
        id=name,
        **both,
        basis=raw["basis"],
        to=raw["to"],
        within=timedelta(minutes=raw["within_minutes"]),
        seen_by=tuple(raw["seen_by"]),
        reads=columns_of(node),
        of_columns=for_columns(node),
        of_one=for_one(node),
    )


def _applies(raw: Any) -> tuple[Condition, ...]:
    if not isinstance(raw, Mapping) or not set(raw) <= {"under_18", "direction"}:
        raise BadInput("applies_to of a sign may have under_18 and direction, nothing else.")
    if "under_18" in raw and not isinstance(raw["under_18"], bool):
        raise BadInput("applies_to.under_18 is true or false.")
    if raw.get("direction", "entry") not in ("entry", "exit"):
        raise BadInput("applies_to.direction is entry or exit.")
    return tuple(Condition(col, "eq", value) for col, value in raw.items())


def _refuse_guarded(when: Node, known: Mapping[str, Column]) -> None:
    names = columns_of(when)
    guarded = [name for name in names if known[name].tier is not Tier.FREE]
    if guarded:
        raise BadInput(
            f"`when` reads '{guarded[0]}', which is {known[guarded[0]].tier.value}. A gate stands in applies_to."
        )
    features = [name for name in names if known[name].feature]
    if features:
        from features.lineage import check_inputs

        check_inputs(features, "crossing", "protection")


def _check(
    when: Node,
    cases: tuple[Case, ...],
    applies: tuple[Condition, ...],
    usual: Mapping[str, Value],
    known: Mapping[str, Column],
) -> None:
    can = analysis.possible(when, known)
    if not can.hit or not can.no:
        raise BadInput("no values make it " + ("be seen" if not can.hit else "be absent") + ". Mend its conditions.")
    node = joined([*applies, when])
    for case in cases:
        told = f"the case given {dict(case.given)!r}"
        said = answer(node, "undecided", case_row(case, columns_of(when), usual, known, told))
        if said is not case.expect:
            raise BadInput(
                f"{told} says {said.name.lower()}, not {case.expect.name.lower()}. Mend the sign or the case."
            )
    needed = {Result.HIT, Result.NO} | ({Result.UNDECIDED} if can.undecided else set())
    lacking = sorted(r.name.lower() for r in needed - {case.expect for case in cases})
    if lacking:
        raise BadInput(f"no case expects {', '.join(lacking)}. Add at least one.")
