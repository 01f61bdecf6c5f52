"""How many foreigners are present: entries without an exit, each with the chance that its traveller left unseen.

Some exits are never recorded. How often is learnt from those who came back: an entry that follows an entry proves an
exit that nobody saw. Of entries of age a, the share whose exit was seen is (1 - u) F(a), where u is the chance that an
exit goes unseen and F(a) the chance to have left by then; so an entry that is still open at age a is that of somebody
present with chance (1 - F) / (1 - (1 - u) F). Young open entries are nearly all present, old ones nearly all gone.

Persons are followed as their white links were known; what leaves this module are sums over cells of enough entries.
Whoever came before the records begin and has not crossed since is in no record and in no count.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evidence.groups import CELL
from models.volumes.lake.rows import Known, codes
from models.volumes.rhythm import LEVELS
from records.errors import BadInput
from records.links import persons

OLDEST = 3 * 365
"""Days of age beyond which chances are those of this age."""
OWN_STAYS = 200.0
"""Stays that the belief in a wider group's unseen exits is worth against a post's, or a regime's, own."""
FOREIGNERS = ("visa_exempt", "visa", "resident")
LINKS = ("first_subject", "second_subject", "state", "known_at")
OPEN, SEEN, UNSEEN = range(3)


class Crossings(Known, Protocol):
    """A lake that also tells all that was ever said, as links are read."""

    def history(self, table: str, columns: Sequence[str] | None = None) -> pa.Table: ...


@dataclass(frozen=True)
class Stays:
    """One row per entry: codes of regime and post, `age` in days until the exit, the next entry, or now; `outcome`
    OPEN, SEEN (an exit) or UNSEEN (the next crossing is an entry); `back` whether another entry followed."""

    regime: np.ndarray
    post: np.ndarray
    age: np.ndarray
    outcome: np.ndarray
    back: np.ndarray
    regimes: tuple[str, ...]
    posts: tuple[str, ...]


@dataclass(frozen=True)
class Cell:
    """One regime, or one regime at one post of entry (None: all). Where fewer than the threshold of entries are open,
    `note` says so and the figures are None. `quantiles` (15,) at LEVELS."""

    regime: str
    post: str | None
    note: str | None
    present: float | None
    quantiles: np.ndarray | None


@dataclass(frozen=True)
class Stock:
    """Foreigners present: in all, by regime and by regime and post of entry; `unseen` the share of exits that go
    unseen, by regime."""

    present: float
    quantiles: np.ndarray
    cells: tuple[Cell, ...]
    unseen: dict[str, float]


def stays(lake: Crossings, as_of: datetime, regimes: Sequence[str] = FOREIGNERS) -> Stays:
    """The stays of foreigners as the authority knew them at `as_of`. BadInput where it knew of no entry."""
    columns = ["subject", "kind", "direction", "post", "regime", "happened_at"]
    rows = lake.as_known("crossings", as_of, columns)
    rows = rows.filter(pc.and_(pc.equal(rows["kind"], "actual"), pc.is_in(rows["regime"], pa.array(list(regimes)))))
    if not rows.num_rows or not pc.any(pc.equal(rows["direction"], "entry")).as_py():
        raise BadInput(f"The lake knew of no entry of {', '.join(regimes)} at {as_of}. Choose a later moment.")
    person = persons(lake.history("links", LINKS)).of(rows["subject"], as_of)
    code = np.asarray(pc.dictionary_encode(person).indices)
    at = rows["happened_at"].cast(pa.timestamp("us", "UTC")).cast(pa.int64()).to_numpy()
    entering = pc.equal(rows["direction"], "entry").to_numpy()
    order = np.lexsort((entering, at, code))  # of one moment, the exit comes first
    code, at, entering = code[order], at[order], entering[order]
    post, posts = codes(rows["post"])
    regime, names = codes(rows["regime"])
    same = np.append(code[1:] == code[:-1], False)
    until = np.where(same, np.roll(at, -1), int(as_of.timestamp() * 1e6))
    outcome = np.where(same, np.where(np.roll(entering, -1), UNSEEN, SEEN), OPEN)
    last_entry = np.full(code.max() + 1, -1)
    np.maximum.at(last_entry, code[entering], np.flatnonzero(entering))
    back = last_entry[code] > np.arange(len(code))
    age = ((until - at) // 86_400_000_000).clip(0, OLDEST)
    kept = entering
    return Stays(regime[order][kept], post[order][kept], age[kept], outcome[kept], back[kept], names, posts)


def stock(known: Stays, *, draws: int = 200, cell: int = CELL, seed: int = 7) -> Stock:
    """The number present with its uncertainty: of what is learnt, drawn `draws` times, and of each open entry."""
    generator = np.random.default_rng(seed)
    places = known.regime * len(known.posts) + known.post
    open_now = known.outcome == OPEN
    came = np.zeros((draws, len(known.regimes) * len(known.posts)))
    mean = np.zeros(came.shape[1])
    unseen = _Unseen.of(known)
    for regime in range(len(known.regimes)):
        mine = known.regime == regime
        still = open_now & mine
        if not still.any():
            continue
        at_risk, seen, ended = _at_ages(known.age[mine], known.outcome[mine])
        for draw in range(-1, draws):
            if draw < 0:
                chance, exits, by_post = unseen.mean(regime), seen, unseen.mean_by_post(regime)
            else:
                chance, by_post = unseen.drawn(regime, generator)
                exits = generator.gamma(np.maximum(seen, 1e-9))
            left = np.minimum(_incidence(at_risk, exits, ended) / (1.0 - chance), 1.0)[known.age[still]]
            here = (1.0 - left) / np.maximum(1.0 - (1.0 - by_post[known.post[still]]) * left, 1e-12)
            expected = np.bincount(places[still], here, came.shape[1])
            if draw < 0:
                mean += expected
            else:
                scatter = np.sqrt(np.bincount(places[still], here * (1.0 - here), came.shape[1]))
                came[draw] += np.maximum(expected + scatter * generator.standard_normal(len(scatter)), 0.0)
    count = np.bincount(places[open_now], minlength=came.shape[1])
    shape = (len(known.regimes), len(known.posts))
    by_place, drawn, entries = mean.reshape(shape), came.reshape(draws, *shape), count.reshape(shape)
    cells = []
    for number, name in enumerate(known.regimes):
        cells.append(
            _cell(name, None, int(entries[number].sum()), by_place[number].sum(), drawn[:, number].sum(1), cell)
        )
        cells += [
            _cell(name, post, int(entries[number, p]), by_place[number, p], drawn[:, number, p], cell)
            for p, post in enumerate(known.posts)
            if entries[number, p]
        ]
    total = came.sum(axis=1)
    shares = {name: float(unseen.mean(number)) for number, name in enumerate(known.regimes)}
    return Stock(float(mean.sum()), np.quantile(total, LEVELS), tuple(cells), shares)


@dataclass(frozen=True)
class _Unseen:
    """Of stays whose traveller came back: how many exits were not seen (R, B) and how many were, by regime and post,
    with what they borrow from their regime, and that from all."""

    missed: np.ndarray
    met: np.ndarray

    @staticmethod
    def of(known: Stays) -> "_Unseen":
        shape = (len(known.regimes), len(known.posts))
        missed, met = np.zeros(shape), np.zeros(shape)
        revealed, seen = known.outcome == UNSEEN, (known.outcome == SEEN) & known.back
        np.add.at(missed, (known.regime[revealed], known.post[revealed]), 1.0)
        np.add.at(met, (known.regime[seen], known.post[seen]), 1.0)
        return _Unseen(missed, met)

    def weights(self, regime: int) -> tuple[float, float]:
        """Of a beta distribution of the regime's chance."""
        overall = (self.missed.sum() + 0.5) / (self.missed.sum() + self.met.sum() + 1.0)
        missed = self.missed[regime].sum() + OWN_STAYS * overall
        return missed, self.met[regime].sum() + OWN_STAYS * (1.0 - overall)

    def mean(self, regime: int) -> float:
        missed, met = self.weights(regime)
        return float(missed / (missed + met))

    def mean_by_post(self, regime: int) -> np.ndarray:
        share = self.mean(regime)
        missed = self.missed[regime] + OWN_STAYS * share
        return np.asarray(missed / (missed + self.met[regime] + OWN_STAYS * (1.0 - share)))

    def drawn(self, regime: int, generator: np.random.Generator) -> tuple[float, np.ndarray]:
        share = float(generator.beta(*self.weights(regime)))
        by_post = generator.beta(self.missed[regime] + OWN_STAYS * share, self.met[regime] + OWN_STAYS * (1.0 - share))
        return share, by_post


def _at_ages(age: np.ndarray, outcome: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """At each age in days: stays at risk, exits seen, and stays that ended in either way (OLDEST + 1,)."""
    every = np.bincount(age, minlength=OLDEST + 1).astype(float)
    seen = np.bincount(age[outcome == SEEN], minlength=OLDEST + 1).astype(float)
    ended = np.bincount(age[outcome != OPEN], minlength=OLDEST + 1).astype(float)
    return every[::-1].cumsum()[::-1], seen, ended


def _incidence(at_risk: np.ndarray, seen: np.ndarray, ended: np.ndarray) -> np.ndarray:
    """Share of stays whose exit was seen by each age (Aalen and Johansen); open stays leave when they are no older."""
    risk = np.maximum(at_risk, 1.0)
    going_on = np.concatenate([[1.0], np.cumprod(1.0 - np.minimum(ended / risk, 1.0))[:-1]])
    return np.asarray(np.minimum(np.cumsum(going_on * seen / risk), 1.0))


def _cell(regime: str, post: str | None, entries: int, present: float, drawn: np.ndarray, least: int) -> Cell:
    if entries < least:
        return Cell(regime, post, f"insufficient evidence, n = {entries}", None, None)
    return Cell(regime, post, None, float(present), np.quantile(drawn, LEVELS))
