"""What must be known of a model beside its run: what audits found since it was trained, what officers did with its
proposals, and whom to ask. Fields as those of a card, so that every form of a card shows them; no gate reads them.
"""

from __future__ import annotations

from datetime import UTC, datetime

from evidence.proxies import TOGETHER, Proxy
from models.risk.card import group_of
from models.risk.card_parts import Field, Line, Value, Word
from records.lake import Lake
from serving import audits, champions
from serving.audits import Kept
from serving.house import House
from serving.overrides import overrides
from serving.readiness import Charter, charter


def in_use(house: House, purpose: str, model: str | None) -> tuple[Field, ...]:
    """The fields of the model `model` (its hash); where there is none, whom to ask."""
    contact = _contact(charter(house.settings.home))
    if model is None:
        return (contact,)
    with house.engine.connect() as connection:
        moves = champions.moves(connection, purpose)
        audited = audits.newest_with_proxies(connection, purpose, model)
    since = min((move.at for move in moves if move.model == model and move.how != "refused"), default=None)
    return (_proxies(house, purpose, audited), _overrides(house, purpose, model, since), contact)


def _proxies(house: House, purpose: str, kept: Kept | None) -> Field:
    if kept is None:
        return Field("proxies", (Line("proxies.none", {"command": f"basira risk audit {purpose} --proxies"}),))
    lines = (Line("proxies.made", {"made": house.day(kept.made_at)}), Line("proxies.how"))
    head = ("attribute", "input", "told_group", "told", "with", "without", "change")
    return Field("proxies", lines, head, tuple(_proxy(each) for each in kept.proxies))


def _proxy(of: Proxy) -> tuple[Value, ...]:
    column = Word("audit.proxy", "together") if of.column == TOGETHER else of.column
    even = (of.with_it, of.without, of.change) if of.change.value is not None else ("", "", "")
    return (Word("attribute", of.attribute), column, group_of(of.attribute, of.group), of.told, *even)


def _overrides(house: House, purpose: str, model: str, since: datetime | None) -> Field:
    if since is None:
        return Field("overrides", (Line("overrides.never"),))
    day: dict[str, Value] = {"since": house.day(since)}
    place = house.settings.lake
    found = overrides(Lake.open(place), purpose, model, since, datetime.now(UTC)) if place.is_dir() else None
    if found is None or not found.own.cases + sum(share.cases for share in found.left.values()):
        return Field("overrides", (Line("overrides.none", day),))
    return Field(
        "overrides",
        (Line("overrides.counted", day), Line("overrides.own", {"rows": found.own.cases, "own": found.own.otherwise})),
        ("asked", "decided", "left"),
        tuple((Word("looked", cause), share.cases, share.otherwise) for cause, share in found.left.items()),
    )


def _contact(of: Charter) -> Field:
    named = {"controller": of.controller, "contact": of.data_protection_contact}
    return Field(
        "contact",
        tuple(Line(f"contact.{key}", {key: who}) if who else Line(f"contact.no_{key}") for key, who in named.items()),
    )
