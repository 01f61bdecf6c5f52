"""One block of the world: travellers of one kind, their journeys, and the truth about their entries."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from records.sample.absences import absences
from records.sample.crossings import Block
from records.sample.journeys import visits
from records.sample.legs import legs
from records.sample.officers import Checks, checks
from records.sample.parameters import KINDS, RESIDENT, TOURIST
from records.sample.permits import files
from records.sample.persons import alert_days, fresh_issue
from records.sample.population import NATIONALITIES, people
from records.sample.risk import Truth, truth
from records.sample.services import ENTRY
from records.sample.setting import Setting

_YOUNG_FROM, _YOUNG_TO = 18, 30


@dataclass(frozen=True)
class Made:
    """A block and what is true of it. `entry` are the indices of its entry legs; the arrays after it follow them.

    `marked`: of a nationality the policy over-checks; `young_man`: a man between 18 and 29.
    """

    block: Block
    alert_day: npt.NDArray[np.int64]
    entry: npt.NDArray[np.int64]
    truth: Truth
    assessable: npt.NDArray[np.bool_]
    marked: npt.NDArray[np.bool_]
    young_man: npt.NDArray[np.bool_]
    checks: Checks


def made(
    kind: int,
    households: int,
    *,
    first_person: int,
    first_leg: int,
    first_journey: int,
    setting: Setting,
    rng: np.random.Generator,
) -> Made:
    """A block of `households` households of a kind; the three numbers begin its own persons, legs and journeys."""
    span, where, parameters = setting.span, setting.where, setting.parameters
    group = people(kind, households, first_number=first_person, where=where, parameters=parameters, rng=rng)
    file = None
    if kind == RESIDENT:
        file = files(households, where=where, sponsor=setting.sponsors, span=span, parameters=parameters, rng=rng)
        journeys = absences(group, file, span, where=where, table=setting.tables[kind], rng=rng)
    else:
        journeys = visits(group, span, where, setting.tables[kind], rng)
    if kind == TOURIST:
        group = fresh_issue(group, journeys, rng)
    passages = legs(group, journeys, span, where=where, plan=setting.plan, parameters=parameters, rng=rng)
    block = Block(group, journeys, passages, file, first_leg, first_journey)
    alert_day = alert_days(group, journeys, rng)

    entry = np.flatnonzero(passages.direction == ENTRY)
    entering = passages.take(entry)
    household = group.household[entering.person]
    # Alerts mean one document: that of the household's first member.
    leader = entering.person == group.household_first[household]
    reported = np.where(leader, alert_day[household] + 2, 1 << 19)
    facts = truth(
        kind,
        entering,
        journeys,
        party=group.household_size[household],
        home=group.home[household],
        alert_day=reported,
        validity=group.validity,
        file=file,
        sponsor=setting.sponsors,
        rng=rng,
    )
    codes = [NATIONALITIES.index(code) for code in setting.over_checked]
    assessable = ~group.child[entering.person] & KINDS[kind].assessable
    marked = np.isin(group.nationality[entering.person], codes)
    age = (entering.day - group.born[entering.person]) / 365.25
    young_man = group.male[entering.person] & (age >= _YOUNG_FROM) & (age < _YOUNG_TO)
    return Made(
        block=block,
        alert_day=alert_day,
        entry=entry,
        truth=facts,
        assessable=assessable,
        marked=marked,
        young_man=young_man,
        checks=checks(
            entering,
            facts,
            assessable=assessable,
            marked=marked,
            young_man=young_man,
            shift=setting.shifts,
            span=span,
            parameters=parameters,
            rng=rng,
        ),
    )
