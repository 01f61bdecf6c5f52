"""Journeys of residents: they arrive, travel out and back while their permit holds, and leave, or not."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from records.sample.horizon import Horizon
from records.sample.journeys import Journeys, linked
from records.sample.parameters import KINDS, RESIDENT
from records.sample.permits import NEVER, Files, lapsed_on
from records.sample.places import Places
from records.sample.population import People
from records.sample.rhythms import draw

Ints = npt.NDArray[np.int64]
_COLUMNS = ("household", "first", "second", "made_first", "made_second", "absence", "planned")


def absences(
    group: People,
    file: Files,
    span: Horizon,
    *,
    where: Places,
    table: npt.NDArray[np.uint16],
    rng: np.random.Generator,
) -> Journeys:
    """Arrivals, absences and departures of a block of residents, in order of person and day."""
    n = len(file.arrives)
    everyone = np.arange(n)
    years = span.days / 365.25
    count = 1 + rng.poisson(KINDS[RESIDENT].yearly * years * rng.gamma(2.0, 0.5, n))
    who = np.repeat(everyone, count)
    out = draw(rng, table, len(who))
    long = file.long_absences[who] & (rng.random(len(who)) < 0.6)
    length = np.clip(
        np.rint(np.exp(rng.normal(np.log(KINDS[RESIDENT].stay_days), 0.6, len(who))))
        + np.where(long, rng.integers(90, 260, len(who)), 0),
        2,
        330,
    ).astype(np.int64)
    settled = file.arrives + 40
    fits = (out >= settled[who]) & (out + length < file.travels_until[who] - 3)
    parts = [_part(who[fits], out[fits], length[fits], made=(True, True), absence=True)]
    parts.append(_part(everyone, file.arrives, np.full(n, NEVER), made=(True, False), absence=False))
    leaving = everyone[file.leaves < NEVER]
    parts.append(_part(leaving, file.leaves[leaving], np.full(len(leaving), NEVER), made=(True, False), absence=True))
    lapsed = lapsed_on(file)
    back = everyone[file.returns_expired & (lapsed < NEVER)]
    parts.append(
        _part(
            back,
            lapsed[back] + rng.integers(75, 160, len(back)),
            rng.integers(5, 40, len(back)),
            made=(True, True),
            absence=True,
        )
    )
    columns = {name: np.concatenate([p[name] for p in parts]) for name in _COLUMNS}
    order = np.lexsort((columns["first"], columns["household"]))
    columns = {name: values[order] for name, values in columns.items()}
    household, first, second = columns["household"], columns["first"], columns["second"]
    # An absence begins only after the one before has ended.
    ended = np.append(-NEVER, np.where(columns["made_second"], second, first)[:-1])
    follows = np.append(False, household[1:] == household[:-1])
    keep = ~follows | (first > ended)
    keep &= (first >= 0) & (first <= span.days)
    home = group.home[household]
    away = np.flatnonzero(rng.random(len(home)) < 0.15)
    post = home.copy()
    post[away] = where.detour(home[away], rng)
    blank = np.zeros(len(home), dtype=np.int64)
    journeys = Journeys(
        **columns,
        place=blank,
        post_first=post,
        post_second=np.where(rng.random(len(home)) < 0.85, post, home),
        since_last=blank,
        last_length=blank,
        last_overrun=blank,
        often=blank.astype(bool),
    )
    return linked(journeys.where(keep))


def _part(who: Ints, first: Ints, length: Ints, *, made: tuple[bool, bool], absence: bool) -> dict[str, Ints]:
    n = len(who)
    return {
        "household": who,
        "first": first,
        "second": first + length,
        "made_first": np.full(n, made[0]),
        "made_second": np.full(n, made[1]),
        "absence": np.full(n, absence),
        "planned": np.where(made[1], length, 0),
    }
