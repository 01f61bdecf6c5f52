"""What may be done, as a ladder from least intrusive; nothing on it refuses entry, detains or cancels a permit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from records.errors import BadInput
from risk_rules.columns import nearest
from risk_rules.rule import PURPOSES
from risk_rules.strict_yaml import read
from risk_rules.texts import LANGUAGES, Texts, placeholders, texts

NEEDS = ("any_hit", "rule_hit", "fact_hit")
"""What must stand behind a mitigation: a rule or a model; a rule; a fact an authority stated."""

LANES = ("inform", "document_check", "second_line", "office")
ORDERERS = ("officer", "supervisor", "office")


@dataclass(frozen=True)
class Mitigation:
    """One rung. `takes_capacity` says whether it uses one of the checks a shift can carry out."""

    id: str
    rung: int
    lane: str
    purposes: tuple[str, ...]
    may_order: str
    max_minutes: int
    needs: str
    second_person: bool
    takes_capacity: bool
    title: Texts
    advice: Texts


@dataclass(frozen=True)
class Ladder:
    """Every mitigation, least intrusive first; per purpose, what a band alone and a random draw lead to."""

    mitigations: Mapping[str, Mitigation]
    bands: Mapping[str, Mapping[str, str | None]]
    random: Mapping[str, str]

    def for_purpose(self, purpose: str) -> tuple[Mitigation, ...]:
        """The rungs there are for `purpose`, least intrusive first."""
        return tuple(m for m in self.mitigations.values() if purpose in m.purposes)


_KEYS = {
    "rung",
    "lane",
    "purposes",
    "may_order",
    "max_minutes",
    "needs",
    "second_person",
    "takes_capacity",
    "title",
    "advice",
}


def load(path: Path) -> Ladder:
    """The ladder of one file. BadInput names the mitigation, what is wrong, why, and what to do."""
    raw = read(path)
    if not isinstance(raw, Mapping) or set(raw) != {"mitigations", "bands", "random"}:
        raise BadInput(f"{path.name} needs exactly the parts mitigations, bands and random.")
    found = {str(name): _mitigation(str(name), entry, path.name) for name, entry in raw["mitigations"].items()}
    ladder = dict(sorted(found.items(), key=lambda item: item[1].rung))
    _check_ladder(ladder, path.name)
    bands = {
        str(purpose): {str(band): None if name is None else str(name) for band, name in by_band.items()}
        for purpose, by_band in raw["bands"].items()
    }
    random = {str(purpose): str(name) for purpose, name in raw["random"].items()}
    for purpose, by_band in bands.items():
        for band, name in by_band.items():
            if name is not None:
                _check_alone(ladder, purpose, name, f"{path.name}, bands, {purpose}, {band}")
    for purpose, name in random.items():
        _check_alone(ladder, purpose, name, f"{path.name}, random, {purpose}")
    return Ladder(ladder, bands, random)


def _mitigation(name: str, raw: Any, file: str) -> Mitigation:
    where = f"{file}, mitigation '{name}'"
    if not isinstance(raw, Mapping) or set(raw) != _KEYS:
        off = sorted(_KEYS ^ set(raw)) if isinstance(raw, Mapping) else sorted(_KEYS)
        raise BadInput(f"{where}: missing or unknown: {', '.join(off)}. Each mitigation has exactly these parts.")
    for key, allowed in (("lane", LANES), ("may_order", ORDERERS), ("needs", NEEDS)):
        if raw[key] not in allowed:
            raise BadInput(f"{where}: {key} '{raw[key]}' is unknown. {nearest(str(raw[key]), allowed)}")
    for key in ("rung", "max_minutes"):
        if type(raw[key]) is not int or raw[key] < 0:
            raise BadInput(f"{where}: {key} is {raw[key]!r}. Write a whole number.")
    for key in ("second_person", "takes_capacity"):
        if not isinstance(raw[key], bool):
            raise BadInput(f"{where}: {key} is {raw[key]!r}. Write true or false.")
    purposes = raw["purposes"]
    if not isinstance(purposes, list) or not purposes or not set(purposes) <= set(PURPOSES):
        raise BadInput(f"{where}: purposes {purposes!r} must be a list of: {', '.join(PURPOSES)}.")
    both = {key: texts(raw[key], f"{where}: {key}") for key in ("title", "advice")}
    for key, of in both.items():
        if any(placeholders(of[language], where) for language in LANGUAGES):
            raise BadInput(f"{where}: {key} has a placeholder, but a mitigation has no values to fill in. Remove it.")
    return Mitigation(
        id=name,
        rung=raw["rung"],
        lane=raw["lane"],
        purposes=tuple(purposes),
        may_order=raw["may_order"],
        max_minutes=raw["max_minutes"],
        needs=raw["needs"],
        second_person=raw["second_person"],
        takes_capacity=raw["takes_capacity"],
        **both,
    )


def _check_ladder(ladder: Mapping[str, Mitigation], file: str) -> None:
    if not ladder:
        raise BadInput(f"{file} declares no mitigation. Without one nothing can be proposed; add the ladder.")
    rungs = [m.rung for m in ladder.values()]
    if len(set(rungs)) < len(rungs):
        raise BadInput(f"{file}: two mitigations share a rung, so neither is less intrusive. Give each its own rung.")
    needs = [NEEDS.index(m.needs) for m in ladder.values()]
    if needs != sorted(needs):
        raise BadInput(f"{file}: a higher rung needs less evidence than a lower one. Order rungs by what they need.")
    top = list(ladder.values())[-1]
    if top.needs != "fact_hit" or not top.second_person:
        raise BadInput(f"{file}: the top rung '{top.id}' must need a fact and a second person. Set both.")


def _check_alone(ladder: Mapping[str, Mitigation], purpose: str, name: str, where: str) -> None:
    """What a band or a draw leads to exists, serves the purpose, and needs no rule."""
    if purpose not in PURPOSES:
        raise BadInput(f"{where}: unknown purpose. {nearest(purpose, PURPOSES)}")
    if name not in ladder:
        raise BadInput(f"{where}: unknown mitigation '{name}'. {nearest(name, ladder)}")
    if purpose not in ladder[name].purposes:
        raise BadInput(f"{where}: '{name}' does not serve this purpose. Choose one that does, or none (null).")
    if ladder[name].needs != "any_hit":
        raise BadInput(
            f"{where}: '{name}' needs {ladder[name].needs}, which neither a band nor a draw is. Choose a lower rung."
        )
