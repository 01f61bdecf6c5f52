"""The words a risk model is declared in: one declaration per file, `secondary_check.py` and `permit_lapse.py`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta

from evidence.gaps import Primary
from features.catalogue import features
from features.declaration import SubjectKind
from features.groups import GROUPS
from features.lineage import check_inputs
from models.risk.expressions import nearest
from records.errors import BadInput
from records.schema import Tier


@dataclass(frozen=True)
class Bands:
    """Labels of a probability, in force from a day: each name with the least probability that earns it."""

    from_day: date
    least: tuple[tuple[str, float], ...]  # rising; the first starts at 0

    def __post_init__(self) -> None:
        starts = [least for _, least in self.least]
        if not starts or starts[0] != 0 or starts != sorted(set(starts)) or starts[-1] >= 1:
            raise BadInput("Bands must rise from 0 and stay below 1, for instance low 0, raised 0.1, high 0.3.")


@dataclass(frozen=True)
class RiskDeclaration:
    """One model: what it is for, what it may read, what it predicts.

    `groups` are reason groups of the feature catalogue; facts, gates and whatever names who someone is stay out of
    them. `monotone` gives the direction (+1, -1) that policy wants for a feature. `capacity` is the share of subjects
    that can be looked at. `primary` is the gap between groups that an audit tests alone, fixed here before
    anyone looks. `place` is the input that says where: with few findings there, the second opinion leads.
    """

    name: str
    purpose: str
    subject_kind: SubjectKind
    groups: tuple[str, ...]
    label: str
    horizon: timedelta  # from as_of to when the outcome can be known
    capacity: float
    bands: Bands
    monotone: Mapping[str, int] = field(default_factory=dict)
    without: tuple[str, ...] = ()
    primary: Primary | None = None
    place: str | None = None

    def inputs(self) -> tuple[str, ...]:
        """Names of the features the model reads, in the order of the catalogue.

        BadInput for a group, a feature or a direction that does not exist; ProhibitedInput (a BadInput with the chain
        of columns) for one that a model may not read.
        """
        known = features(self.subject_kind)
        for group in self.groups:
            if group not in GROUPS:
                raise BadInput(
                    f"Model '{self.name}' reads group '{group}', which does not exist. {nearest(group, list(GROUPS))}"
                )
        chosen = tuple(
            name
            for name, feature in known.items()
            if feature.group in self.groups
            and feature.role == "model"
            and feature.tier is Tier.FREE
            and name not in self.without
        )
        for name in (*self.without, *self.monotone):
            if name not in known:
                raise BadInput(f"Model '{self.name}' names '{name}', which is no feature. {nearest(name, list(known))}")
        beyond = [name for name, way in self.monotone.items() if name not in chosen or way not in (1, -1)]
        if beyond:
            raise BadInput(
                f"Model '{self.name}' gives {', '.join(beyond)} a direction, but does not read it or the direction is "
                "not 1 or -1. Add its group, or remove the direction."
            )
        check_inputs(chosen, self.subject_kind, "model")
        return chosen
