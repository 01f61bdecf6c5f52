"""What a history may belong to: which column names it in a table, and how an event names its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from features.declaration import Expression, Own, SubjectKind, derived, lookup, own, services
from features.localtime import local_day

TRAVELLER: Final = "traveller"


@dataclass(frozen=True)
class Entity:
    """`column` names it in a table; `asked` is what an event of either kind asks about."""

    column: str
    asked: Mapping[SubjectKind, Expression]


def _everywhere(expression: Expression) -> Mapping[SubjectKind, Expression]:
    return {"crossing": expression, "permit": expression}


ENTITIES: Final[Mapping[str, Entity]] = MappingProxyType(
    {
        TRAVELLER: Entity("subject", _everywhere(Own("subject"))),
        "permit file": Entity("file", {"crossing": Own("permit_file"), "permit": Own("file")}),
        "origin": Entity("origin", {"crossing": lookup("origin", of=services, per="service").expression}),
        "day": Entity(
            "day",
            {
                "crossing": derived(local_day, own("expected_at"), returns="day").expression,
                "permit": Own("valid_to"),
            },
        ),
    }
)


def entity(name: str) -> Entity:
    """The entity `name`. Any other column that a table and the event share, such as post or document, is one too."""
    return ENTITIES.get(name) or Entity(name, _everywhere(Own(name)))
