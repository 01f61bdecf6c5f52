"""Residence permits: applications, grants, renewals, refusals, and files that end with neither renewal nor exit.

Why a file lapses: its sponsor, slow decisions, renewals that came late before, long absences, incomplete papers.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from records.posts import offices
from records.sample.horizon import Horizon
from records.sample.parameters import KINDS, RESIDENT, Parameters
from records.sample.places import Places

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

STATES = ("applied", "granted", "renewed", "refused", "expired", "withdrawn")
APPLIED, GRANTED, RENEWED, REFUSED, EXPIRED, WITHDRAWN = range(len(STATES))
CATEGORIES = ("work", "study", "family", "retirement", "investment", "other")
_CATEGORY_EDGES = np.cumsum([0.38, 0.27, 0.18, 0.07, 0.05, 0.05])
OUTCOMES = ("renewed", "late_renewal", "exit", "late_exit", "lapsed", "refused", "open")
ON_TIME, LATE_RENEWAL, EXIT, LATE_EXIT, LAPSED, TURNED_DOWN, OPEN = range(len(OUTCOMES))
NEVER = 1 << 19  # a day beyond every horizon
_ROOM = 1_000  # days before the horizon in which the oldest residents arrived


@dataclass(frozen=True)
class Sponsors:
    """`count` sponsors, of whom those in `anomalous` vouch for many people and for papers that do not hold."""

    count: int
    anomalous: Mask


def sponsors(residents: float, parameters: Parameters, rng: np.random.Generator) -> Sponsors:
    """Sponsors enough for about `residents` residents."""
    count = max(8, round(residents / parameters.residents_per_sponsor))
    anomalous = np.zeros(count, dtype=bool)
    anomalous[: max(1, round(count * parameters.anomalous_sponsors))] = True
    return Sponsors(count, rng.permutation(anomalous))


@dataclass(frozen=True)
class Stages:
    """State changes of files, one per row, in days of the horizon; `processing` is null where negative."""

    person: Ints
    state: Ints
    day: Ints
    valid_from: Ints
    valid_to: Ints
    processing: Floats
    complete: Mask


@dataclass(frozen=True)
class Endings:
    """How each permit really ended: one row per grant or renewal whose end the horizon sees."""

    person: Ints
    valid_to: Ints
    risk: Floats
    outcome: Ints


@dataclass(frozen=True)
class Files:
    """The permit files of a block of residents, one file per person.

    `arrives` and `leaves`: days of the first entry and of the last exit (NEVER if none). `travels_until`: the day from
    which ordinary absences stop. `granted` and `valid_to` (steps, persons): when each permit was given and how long it
    holds, NEVER where there was none. `returns_expired`: lapsed, yet still crossing the border.
    """

    office: Ints
    category: Ints
    sponsor: Ints
    sponsored: Mask
    long_absences: Mask
    arrives: Ints
    leaves: Ints
    travels_until: Ints
    returns_expired: Mask
    granted: Ints
    valid_to: Ints
    stages: Stages
    endings: Endings

    def permit(self, person: Ints, day: Ints) -> tuple[Ints, Ints]:
        """Day of grant and last valid day of the latest permit a person held on a day; NEVER before the first."""
        granted, valid_to = np.full(len(person), NEVER), np.full(len(person), NEVER)
        for given, until in zip(self.granted, self.valid_to, strict=True):
            now = given[person] <= day
            granted = np.where(now, given[person], granted)
            valid_to = np.where(now, until[person], valid_to)
        return granted, valid_to


def files(
    n: int, *, where: Places, sponsor: Sponsors, span: Horizon, parameters: Parameters, rng: np.random.Generator
) -> Files:
    """Files of `n` residents who arrived between 1,000 days before the horizon and its end."""
    office = np.searchsorted(where.office_edges, rng.random(n))
    promised = np.array([o.promised_days for o in offices()], dtype=float)
    category = np.searchsorted(_CATEGORY_EDGES, rng.random(n))
    sponsored = np.isin(category, (0, 1, 4)) | (rng.random(n) < 0.2)
    # Anomalous sponsors vouch for three times as many people as their number would suggest.
    popularity = np.cumsum(np.where(sponsor.anomalous, 3.0, 1.0))
    chosen = np.searchsorted(popularity / popularity[-1], rng.random(n))
    dubious = sponsor.anomalous[chosen] & sponsored
    course = _Course(
        dubious=dubious,
        long_absences=rng.random(n) < 0.12,
        incomplete=rng.random(n) < np.where(dubious, 0.40, 0.15),
        two_years=(category == CATEGORIES.index("investment")) | (rng.random(n) < 0.2),
        pace=promised[office] * np.exp(rng.normal(0, 0.25, len(promised)))[office],
        arrives=rng.integers(-_ROOM, span.days - 20, n),
    )
    course.begin(rng)
    alive = np.arange(n)
    while len(alive):
        # Only permits whose end comes within reach of the horizon are decided; the others stay open.
        alive = alive[course.valid_to[-1][alive] < span.days + 90]
        if len(alive):
            alive = course.renew(alive, span, parameters, rng)
    return Files(
        office=office,
        category=category,
        sponsor=chosen,
        sponsored=sponsored,
        long_absences=course.long_absences,
        arrives=course.arrives,
        leaves=course.leaves,
        travels_until=np.minimum(course.travels_until, course.leaves),
        returns_expired=course.returns_expired,
        granted=np.stack(course.granted),
        valid_to=np.stack(
            [np.where(g < NEVER, v, NEVER) for g, v in zip(course.granted, course.valid_to, strict=True)]
        ),
        stages=course.stages(),
        endings=Endings(*(np.concatenate(column) for column in zip(*course.endings, strict=True))),
    )


class _Course:
    """The files of a block as they unfold, one permit after another, all persons at once."""

    def __init__(
        self, *, dubious: Mask, long_absences: Mask, incomplete: Mask, two_years: Mask, pace: Floats, arrives: Ints
    ) -> None:
        n = len(arrives)
        self.dubious, self.long_absences, self.incomplete = dubious, long_absences, incomplete
        self.length = np.where(two_years, 730, 365)
        self.pace, self.arrives = pace, arrives
        self.leaves, self.travels_until = np.full(n, NEVER), np.full(n, NEVER)
        self.returns_expired = np.zeros(n, dtype=bool)
        self.processing, self.late_before = np.zeros(n), np.zeros(n)
        # One array per step; `valid_to` carries on what a person last held.
        self.granted: list[Ints] = []
        self.valid_to: list[Ints] = []
        self.endings: list[tuple[Ints, Ints, Floats, Ints]] = []
        self._stages: list[Stages] = []

    def begin(self, rng: np.random.Generator) -> None:
        """First applications and grants."""
        n = len(self.arrives)
        everyone = np.arange(n)
        applied = self.arrives + rng.integers(2, 26, n)
        took = self._processing(everyone, rng, np.where(self.incomplete, 1.5, 1.0))
        granted = applied + took.astype(np.int64)
        self._note(APPLIED, everyone, applied)
        self._note(GRANTED, everyone, granted, valid=(granted, granted + self.length), processing=took)
        self.processing = took
        self.granted.append(granted)
        self.valid_to.append(granted + self.length)

    def renew(self, alive: Ints, span: Horizon, parameters: Parameters, rng: np.random.Generator) -> Ints:
        """What becomes of the permits that `alive` hold; the persons whose permit was renewed."""
        ends = self.valid_to[-1][alive]
        risk = self._lapse_risk(alive, parameters)
        outcome = self._outcome(alive, risk, parameters, rng)
        # What the horizon is too short to show is not told as truth either.
        self.endings.append((alive, ends, risk, np.where(ends >= span.days - 60, OPEN, outcome)))
        leaving, lapsed = np.isin(outcome, (EXIT, LATE_EXIT)), outcome == LAPSED
        self._leave(alive[leaving], ends[leaving], outcome[leaving] == LATE_EXIT, rng)
        self._lapse(alive[lapsed], ends[lapsed], rng)
        self._note(EXPIRED, alive[leaving | lapsed], ends[leaving | lapsed] + 1)
        asking = ~leaving & ~lapsed
        return self._decide(alive[asking], ends[asking], outcome[asking], rng)

    def stages(self) -> Stages:
        """Every state change so far."""
        return Stages(*(np.concatenate([getattr(s, f.name) for s in self._stages]) for f in fields(Stages)))

    def _lapse_risk(self, who: Ints, parameters: Parameters) -> Floats:
        slow = self.processing[who] > 60
        odds = (
            parameters.lapse_tilt
            + 2.0 * self.dubious[who]
            + 1.1 * slow
            + 1.3 * np.minimum(self.late_before[who], 2)
            + 1.2 * self.long_absences[who]
            + 0.6 * self.incomplete[who]
            + 1.2 * (slow & self.long_absences[who])
        )
        return np.asarray(1 / (1 + np.exp(-odds)))

    def _outcome(self, who: Ints, risk: Floats, parameters: Parameters, rng: np.random.Generator) -> Ints:
        fate, turn, delay = rng.random((3, len(who)))
        slow = self.processing[who] > 60
        leaving = fate < risk + (1 - risk) * parameters.departures
        chosen: Ints = np.select(
            [fate < risk, leaving & (delay < 0.15), leaving, turn < 0.03, delay < 0.08 + 0.12 * slow],
            [LAPSED, LATE_EXIT, EXIT, TURNED_DOWN, LATE_RENEWAL],
            ON_TIME,
        )
        return chosen

    def _leave(self, who: Ints, ends: Ints, late: Mask, rng: np.random.Generator) -> None:
        n = len(who)
        self.leaves[who] = ends + np.where(late, rng.integers(5, 45, n), -rng.integers(1, 50, n))

    def _lapse(self, who: Ints, ends: Ints, rng: np.random.Generator) -> None:
        """No renewal, and no exit for 75 days; some leave later, some go on travelling."""
        n = len(who)
        self.travels_until[who] = ends - 65
        self.returns_expired[who] = rng.random(n) < 0.35
        stays = self.returns_expired[who] | (rng.random(n) < 0.45)
        self.leaves[who] = np.where(stays, NEVER, ends + rng.integers(75, 320, n))

    def _decide(self, who: Ints, ends: Ints, outcome: Ints, rng: np.random.Generator) -> Ints:
        """Applications for renewal, refusals and renewals; the persons renewed."""
        n = len(who)
        late, refused = outcome == LATE_RENEWAL, outcome == TURNED_DOWN
        asked = ends + np.where(late, rng.integers(3, 45, n), -rng.integers(12, 80, n))
        took = self._processing(who, rng)
        decided = asked + took.astype(np.int64)
        self._note(APPLIED, who, asked)
        self._note(REFUSED, who[refused], decided[refused], processing=took[refused])
        self.leaves[who[refused]] = decided[refused] + rng.integers(5, 28, int(refused.sum()))
        yes = who[~refused]
        start = np.maximum(ends + 1, np.where(late, decided, 0))[~refused]
        until = start + self.length[yes]
        self._note(RENEWED, yes, decided[~refused], valid=(start, until), processing=took[~refused])
        self.late_before[yes] += late[~refused]
        self.processing[yes] = took[~refused]
        granted, valid_to = np.full(len(self.arrives), NEVER), self.valid_to[-1].copy()
        granted[yes], valid_to[yes] = decided[~refused], until
        self.granted.append(granted)
        self.valid_to.append(valid_to)
        return np.asarray(yes)

    def _processing(self, who: Ints, rng: np.random.Generator, factor: Floats | float = 1.0) -> Floats:
        drawn = self.pace[who] * np.exp(rng.normal(0, 0.45, len(who))) * factor
        return np.asarray(np.maximum(2.0, np.rint(drawn)))

    def _note(
        self,
        state: int,
        who: Ints,
        day: Ints,
        *,
        valid: tuple[Ints, Ints] | None = None,
        processing: Floats | None = None,
    ) -> None:
        n = len(who)
        start, end = (np.full(n, NEVER), np.full(n, NEVER)) if valid is None else valid
        took = np.full(n, -1.0) if processing is None else processing
        self._stages.append(Stages(who, np.full(n, state), day, start, end, took, ~self.incomplete[who]))


def lapsed_on(file: Files) -> Ints:
    """Per person: the last valid day of the permit that lapsed, NEVER where none did."""
    day = np.full(len(file.arrives), NEVER)
    lapse = file.endings.outcome == LAPSED
    day[file.endings.person[lapse]] = file.endings.valid_to[lapse]
    return day


def expected_residents(crossings: float) -> float:
    """Residents in a world of `crossings` crossings, near enough to size its sponsors."""
    return crossings * KINDS[RESIDENT].share / 5
