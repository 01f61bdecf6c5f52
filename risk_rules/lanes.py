"""Who is checked when checks are few: random control first, then exploration, then what rules and models ask for.

Random control is drawn before and independently of scores and rules: HMAC(subject, as_of, shift secret) < p. The hash
of the secret is published before the shift and the secret after it, so that anyone may draw again and find the same.
What was selected, and with what probability, is written down for every event; later estimates rest on it.

Exploration looks where a model is uncertain or a case is new. It never replaces the control: the same number draws an
event that is worth exploring up to twice as often, so that nobody's probability is below that of the control, and
everyone's is known. A traveller is explored once in a while at most.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from records.errors import BadInput

SHARE = (0.05, 0.10)
"""Random control takes between 5 and 10% of a shift's checks, in expectation."""

BOOST = 1.0
"""How much more often than by the control alone an event is drawn that is worth exploring to the full."""

EXPLORED_AT_MOST = 1
"""How often a traveller may be explored within the time that `explore` is told about (a year)."""

Why: TypeAlias = Literal["random", "exploration", "rule", "model"]
DRAWN: Final = ("random", "exploration")


def new_secret() -> bytes:
    """A fresh secret for one post and shift. Kept apart until the shift is over."""
    return secrets.token_bytes(32)


def commitment(secret: bytes) -> str:
    """What is published before the shift: it binds the secret and says nothing about it."""
    return hashlib.sha256(b"basira random control\x00" + secret).hexdigest()


def keeps(secret: bytes, published: str) -> bool:
    """Whether a secret published after the shift is the one that was committed to before it."""
    return hmac.compare_digest(commitment(secret), published)


@dataclass(frozen=True)
class Plan:
    """How one post draws in one shift; logged before it begins. `expected` is the number of assessable events."""

    post: str
    shift: str
    capacity: int
    expected: float
    share: float
    p: float
    commitment: str


def plan(post: str, shift: str, *, capacity: int, expected: float, secret: bytes, share: float = 0.075) -> Plan:
    """The probability that makes the expected number drawn `share` of `capacity` checks; 1 where events are that few.

    BadInput for a share outside 5-10%, a negative capacity, or an expected number that is not above zero.
    """
    if not SHARE[0] <= share <= SHARE[1]:
        raise BadInput(f"A random share of {share} is outside {SHARE[0]} to {SHARE[1]} of capacity. Choose one inside.")
    if capacity < 0 or not expected > 0:
        raise BadInput(
            f"Post '{post}', shift '{shift}': capacity {capacity} and {expected} expected events give no probability. "
            "Capacity is at least 0 and the expected number above 0; take it from the forecast or the timetable."
        )
    return Plan(post, shift, capacity, expected, share, min(1.0, share * capacity / expected), commitment(secret))


@dataclass(frozen=True)
class Draw:
    """`numbers` in [0, 1) come from the secret alone; `drawn` are those below `p`, or below the event's own `chances`,
    which are never less (all `p` if None).

    `ties` are second numbers, independent of the first: they order equal ranks, so that how a tie falls says nothing
    about the draw and probabilities stay exact.
    """

    p: float
    numbers: NDArray[np.float64]
    ties: NDArray[np.float64]
    drawn: NDArray[np.bool_]
    chances: NDArray[np.float64] | None = None

    @property
    def chance(self) -> NDArray[np.float64]:
        """Probability of being drawn, (n,)."""
        return np.full(len(self.numbers), self.p) if self.chances is None else self.chances

    def why(self, row: int) -> Literal["random", "exploration"]:
        """Why a drawn event was drawn: the control would have drawn it, or only exploration did."""
        return "random" if self.numbers[row] < self.p else "exploration"


def draw(subjects: Sequence[str], as_of: Sequence[datetime], secret: bytes, p: float) -> Draw:
    """The random control of one shift's assessable events. It is given nothing that a score or rule could reach.

    BadInput if the columns differ in length, a moment has no zone, or p is no probability.
    """
    if len(subjects) != len(as_of) or not 0 <= p <= 1:
        raise BadInput(
            f"A draw needs one as_of per subject and p in 0 to 1; it has {len(subjects)}, {len(as_of)} and p={p}."
        )
    pairs = [_numbers(s, t, secret) for s, t in zip(subjects, as_of, strict=True)]
    numbers, ties = np.array(pairs, dtype=np.float64).reshape(-1, 2).T
    return Draw(p, numbers, ties, numbers < p)


def explore(drawn: Draw, interest: NDArray[np.float64], explored: NDArray[np.integer]) -> Draw:
    """The same draw, in which events of `interest` (n,; 0 to 1) are drawn up to 1 + `BOOST` times as often.

    `explored` (n,) is how often the event's traveller was explored in the last year; from `EXPLORED_AT_MOST` on the
    control alone draws. So exploration takes at most `BOOST` times what the control takes, in expectation, and comes
    after it where places are few. BadInput for lengths that differ or an interest outside 0 to 1.
    """
    if not len(interest) == len(explored) == len(drawn.numbers) or not np.all((interest >= 0) & (interest <= 1)):
        raise BadInput(
            "Exploring needs one interest from 0 to 1 and one count per drawn number; it has "
            f"{len(interest)} interests and {len(explored)} counts for {len(drawn.numbers)} numbers. Give 0 where "
            "nothing is worth exploring."
        )
    more = np.where(explored < EXPLORED_AT_MOST, BOOST * interest, 0.0)
    chances = np.minimum(1.0, drawn.p * (1.0 + more))
    return replace(drawn, drawn=drawn.numbers < chances, chances=chances)


def _numbers(subject: str, as_of: datetime, secret: bytes) -> tuple[float, float]:
    if as_of.tzinfo is None:
        raise BadInput(f"The moment {as_of} has no time zone, so the draw could not be repeated. Give as_of in UTC.")
    moment = as_of.astimezone(UTC).isoformat(timespec="microseconds")
    digest = hmac.digest(secret, f"{subject}\x00{moment}".encode(), "sha256")
    # 53 bits fill a float exactly, so that no number rounds up to 1.
    first, second = (int.from_bytes(digest[start : start + 8], "big") >> 11 for start in (0, 8))
    return first / 2**53, second / 2**53


@dataclass(frozen=True)
class Filled:
    """What became of each event of one shift, in the order given.

    `outcome`: `selected`; `dropped` (asked for, but capacity was taken); `skipped` (drawn, but more were drawn than the
    shift can check: it ends as not_checked); null where nothing asked for a check. `why` is null where nothing did.
    `probability` is each event's probability of selection given the draws of the others.
    """

    outcome: tuple[Literal["selected", "dropped", "skipped"] | None, ...]
    why: tuple[Why | None, ...]
    reason: tuple[str | None, ...]
    probability: NDArray[np.float64]
    blind: NDArray[np.bool_]

    @property
    def selected(self) -> NDArray[np.bool_]:
        return np.array([outcome == "selected" for outcome in self.outcome], dtype=bool)


def fill(
    drawn: Draw, causes: Sequence[Literal["rule", "model"] | None], rank: NDArray[np.float64], capacity: int
) -> Filled:
    """Give a shift's checks away: drawn events first, whatever their value; then `causes` by `rank` up to capacity.

    `rank` is (rows,) or (rows, keys), compared key by key, higher first, NaN last; equal ranks follow the draw's
    `ties`, never the order of rows. More drawn than capacity are taken by the draw's numbers too. BadInput for
    lengths that differ.
    """
    n = len(drawn.numbers)
    keys = rank.reshape(n, -1) if n else np.zeros((0, 1))
    if len(causes) != n or len(rank) != n or capacity < 0:
        raise BadInput(
            "Filling a shift needs one cause and rank per drawn number and capacity >= 0; it has "
            f"{len(causes)} causes, {len(rank)} ranks, {n} numbers, capacity {capacity}."
        )
    by_number = np.argsort(drawn.numbers, kind="stable")
    random_order = by_number[drawn.drawn[by_number]]
    asks = np.array([cause is not None for cause in causes], dtype=bool)
    # lexsort sorts by its last key first; NaN, made -inf, comes after everything known.
    columns = [np.where(np.isnan(keys[:, k]), np.inf, -keys[:, k]) for k in reversed(range(keys.shape[1]))]
    by_rank = np.lexsort([drawn.ties, *columns])
    ranked = by_rank[asks[by_rank] & ~drawn.drawn[by_rank]]
    room = max(0, capacity - len(random_order))

    outcome: list[Literal["selected", "dropped", "skipped"] | None] = [None] * n
    why: list[Why | None] = [None] * n
    reason: list[str | None] = [None] * n
    for place, i in enumerate(random_order.tolist()):
        why[i] = drawn.why(i)
        outcome[i], reason[i] = ("selected", None) if place < capacity else ("skipped", "more_drawn_than_capacity")
    for place, i in enumerate(ranked.tolist()):
        why[i] = causes[i]
        outcome[i], reason[i] = ("selected", None) if place < room else ("dropped", "capacity_taken_by_higher_rank")
    probability = _probability(drawn, asks, by_rank, random_order, capacity)
    return Filled(tuple(outcome), tuple(why), tuple(reason), probability, _blind(outcome, why, by_number))


def _probability(
    drawn: Draw,
    asks: NDArray[np.bool_],
    by_rank: NDArray[np.intp],
    random_order: NDArray[np.intp],
    capacity: int,
) -> NDArray[np.float64]:
    """Each event's probability of selection over its own number alone, the others' numbers as they fell.

    With fewer than `capacity` others drawn, a drawn event is always taken, and one that asks is also taken undrawn if
    its rank reaches: p, or 1. Otherwise it is taken only if its number is below the capacity-th smallest of the
    others', and below its own chance.
    """
    n, d = len(drawn.numbers), len(random_order)
    probability = np.zeros(n)
    if capacity == 0:
        return probability
    smallest, chance = drawn.numbers[random_order], drawn.chance
    asking_above = 0  # events that ask, are not drawn, and rank above the one looked at
    for i in by_rank.tolist():
        others = d - int(drawn.drawn[i])
        if others >= capacity:
            among_first = bool(drawn.drawn[i]) and drawn.numbers[i] <= smallest[capacity - 1]
            last = smallest[capacity] if among_first else smallest[capacity - 1]
            probability[i] = min(last, chance[i])
        else:
            reaches = bool(asks[i]) and asking_above < capacity - others
            probability[i] = 1.0 if reaches else chance[i]
        asking_above += int(asks[i] and not drawn.drawn[i])
    return probability


def _blind(outcome: Sequence[str | None], why: Sequence[Why | None], by_number: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Drawn cases that are carried out, and as many of the hit cases, the ones with the draw's smallest numbers."""
    blind = np.zeros(len(outcome), dtype=bool)
    selected = [i for i in by_number.tolist() if outcome[i] == "selected"]
    drawn = [i for i in selected if why[i] in DRAWN]
    blind[drawn] = True
    blind[[i for i in selected if why[i] not in DRAWN][: len(drawn)]] = True
    return blind
