"""Random control: independent of scores, at the rate that was planned, never dropped for value, never over capacity."""

from __future__ import annotations

import inspect
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records.errors import BadInput
from risk_rules.lanes import BOOST, Draw, commitment, draw, explore, fill, keeps, new_secret, plan

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
SECRET = bytes(range(32))


def _subjects(n: int) -> tuple[list[str], list[datetime]]:
    return [f"k1.{i:06d}" for i in range(n)], [NOON + timedelta(seconds=i) for i in range(n)]


_events = st.lists(
    st.tuples(
        st.sampled_from([None, "rule", "model"]),
        st.one_of(st.just(float("nan")), st.floats(-3, 3)),
        st.floats(0, 1, exclude_max=True),
        st.floats(0, 1, exclude_max=True),
    ),
    max_size=30,
    unique_by=(lambda event: event[2], lambda event: event[3]),
)


def _filled(events: list[Any], p: float, capacity: int) -> tuple[Draw, list[Any], Any, Any]:
    numbers = np.array([e[2] for e in events], dtype=float)
    drawn = Draw(p, numbers, np.array([e[3] for e in events], dtype=float), numbers < p)
    causes = [e[0] for e in events]
    rank = np.array([e[1] for e in events], dtype=float)
    return drawn, causes, rank, fill(drawn, causes, rank, capacity)


def test_the_draw_is_given_nothing_a_score_could_reach() -> None:
    assert list(inspect.signature(draw).parameters) == ["subjects", "as_of", "secret", "p"]


def test_the_draw_repeats_and_follows_the_secret_the_subject_and_the_moment() -> None:
    subjects, moments = _subjects(200)
    first = draw(subjects, moments, SECRET, 0.1)
    assert np.array_equal(first.numbers, draw(subjects, moments, SECRET, 0.1).numbers)
    assert np.array_equal(first.numbers[::-1], draw(subjects[::-1], moments[::-1], SECRET, 0.1).numbers)
    for other in (
        draw(subjects, moments, bytes(32), 0.1),
        draw([s + "x" for s in subjects], moments, SECRET, 0.1),
        draw(subjects, [m + timedelta(microseconds=1) for m in moments], SECRET, 0.1),
    ):
        assert not np.any(other.numbers == first.numbers)
    assert abs(np.corrcoef(first.numbers, first.ties)[0, 1]) < 0.3


def test_the_zone_a_moment_is_written_in_changes_nothing() -> None:
    from zoneinfo import ZoneInfo

    local = NOON.astimezone(ZoneInfo("Africa/Tunis"))
    assert draw(["k1.a"], [local], SECRET, 0.1).numbers == draw(["k1.a"], [NOON], SECRET, 0.1).numbers


@pytest.mark.parametrize("p", [0.0, 0.05, 0.5, 1.0])
def test_as_many_are_drawn_as_planned(p: float) -> None:
    subjects, moments = _subjects(20_000)
    drawn = int(draw(subjects, moments, SECRET, p).drawn.sum())
    assert abs(drawn - 20_000 * p) <= 5 * (20_000 * p * (1 - p)) ** 0.5


@pytest.mark.parametrize("share", [0.05, 0.075, 0.10])
def test_the_plan_expects_a_share_of_capacity(share: float) -> None:
    made = plan("TUN", "2025-06-01 day", capacity=40, expected=5000, secret=SECRET, share=share)
    assert made.p * 5000 == pytest.approx(share * 40)
    assert plan("TUN", "s", capacity=40, expected=1, secret=SECRET).p == 1.0
    assert plan("TUN", "s", capacity=0, expected=10, secret=SECRET).p == 0.0


def test_a_plan_outside_the_bounds_is_refused() -> None:
    with pytest.raises(BadInput, match="outside"):
        plan("TUN", "s", capacity=40, expected=100, secret=SECRET, share=0.2)
    for capacity, expected in ((-1, 10.0), (4, 0.0), (4, float("nan"))):
        with pytest.raises(BadInput, match="give no probability"):
            plan("TUN", "s", capacity=capacity, expected=expected, secret=SECRET)


def test_the_secret_is_bound_before_and_shown_after() -> None:
    secret = new_secret()
    published = commitment(secret)
    assert keeps(secret, published)
    assert not keeps(new_secret(), published)
    assert secret.hex() not in published
    assert plan("TUN", "s", capacity=4, expected=9, secret=secret).commitment == published


def test_what_cannot_be_drawn_is_refused() -> None:
    with pytest.raises(BadInput, match="no time zone"):
        draw(["k1.a"], [datetime(2025, 6, 1)], SECRET, 0.1)  # noqa: DTZ001  # the missing zone is the point
    with pytest.raises(BadInput, match="one as_of per subject"):
        draw(["k1.a"], [], SECRET, 0.1)
    with pytest.raises(BadInput, match="one cause and rank"):
        fill(Draw(0.1, np.zeros(2), np.zeros(2), np.zeros(2, bool)), [None], np.zeros(2), 3)


@settings(deadline=None)
@given(_events, st.floats(0, 1), st.integers(0, 12))
def test_capacity_holds_and_drawn_events_come_first(events: list[Any], p: float, capacity: int) -> None:
    drawn, causes, rank, filled = _filled(events, p, capacity)
    selected = filled.selected
    assert selected.sum() <= capacity
    assert selected[drawn.drawn].sum() == min(capacity, drawn.drawn.sum())
    wanting = int(drawn.drawn.sum()) + sum(c is not None and not d for c, d in zip(causes, drawn.drawn, strict=True))
    assert selected.sum() == min(capacity, wanting), "no check goes unused while someone waits"
    for i, cause in enumerate(causes):
        if drawn.drawn[i]:
            assert filled.why[i] == "random"
            assert filled.outcome[i] in ("selected", "skipped")
        elif cause is None:
            assert (filled.outcome[i], filled.why[i]) == (None, None)
        else:
            assert filled.why[i] == cause
        assert (filled.reason[i] is None) == (filled.outcome[i] in ("selected", None))
    ranked = np.where(np.isnan(rank), -np.inf, rank)
    taken = [ranked[i] for i in range(len(events)) if selected[i] and not drawn.drawn[i]]
    left = [ranked[i] for i in range(len(events)) if filled.outcome[i] == "dropped"]
    assert not taken or not left or min(taken) >= max(left)


@settings(deadline=None)
@given(_events, st.floats(0, 1), st.integers(0, 12), st.randoms(use_true_random=False))
def test_scores_change_nothing_for_drawn_events(events: list[Any], p: float, capacity: int, dice: Any) -> None:
    drawn, _, _, filled = _filled(events, p, capacity)
    shuffled = [(dice.choice([None, "rule", "model"]), dice.uniform(-3, 3), e[2], e[3]) for e in events]
    _, _, _, other = _filled(shuffled, p, capacity)
    for i in np.flatnonzero(drawn.drawn):
        assert (filled.outcome[i], filled.why[i], filled.blind[i]) == (other.outcome[i], other.why[i], other.blind[i])


@settings(deadline=None)
@given(_events, st.floats(0, 1), st.integers(0, 12), st.randoms(use_true_random=False))
def test_row_order_changes_nothing(events: list[Any], p: float, capacity: int, dice: Any) -> None:
    order = list(range(len(events)))
    dice.shuffle(order)
    *_, filled = _filled(events, p, capacity)
    *_, other = _filled([events[i] for i in order], p, capacity)
    for place, i in enumerate(order):
        assert (other.outcome[place], other.why[place], other.blind[place]) == (
            filled.outcome[i],
            filled.why[i],
            filled.blind[i],
        )
        assert other.probability[place] == filled.probability[i]


@settings(deadline=None, max_examples=25)
@given(_events.filter(bool), st.floats(0.01, 0.99), st.integers(0, 6), st.data())
def test_the_probability_is_the_share_of_numbers_that_select(
    events: list[Any], p: float, capacity: int, data: Any
) -> None:
    """Oracle: move one event's number over a fine grid, all others fixed, and count how often it is selected."""
    i = data.draw(st.integers(0, len(events) - 1))
    *_, filled = _filled(events, p, capacity)
    grid = (np.arange(100) + 0.5) / 100 + 1e-7
    hits = 0
    for number in grid:
        moved = [e if k != i else (e[0], e[1], float(number), e[3]) for k, e in enumerate(events)]
        *_, other = _filled(moved, p, capacity)
        hits += bool(other.selected[i])
    assert filled.probability[i] == pytest.approx(hits / 100, abs=0.03)


@settings(deadline=None, max_examples=25)
@given(_events.filter(bool), st.floats(0.01, 0.6), st.integers(0, 6), st.data())
def test_exploration_keeps_every_probability_known_and_none_below_the_control(
    events: list[Any], p: float, capacity: int, data: Any
) -> None:
    n = len(events)
    interest = np.array(data.draw(st.lists(st.floats(0, 1), min_size=n, max_size=n)))
    i = data.draw(st.integers(0, n - 1))

    def explored(rows: list[Any]) -> tuple[Draw, Any]:
        drawn, causes, rank, _ = _filled(rows, p, capacity)
        more = explore(drawn, interest, np.zeros(n, dtype=int))
        return more, fill(more, causes, rank, capacity)

    more, filled = explored(events)
    assert np.all(more.chance >= p)
    assert np.all(more.chance <= (1 + BOOST) * p + 1e-12)
    grid = (np.arange(100) + 0.5) / 100 + 1e-7
    moved = [[e if k != i else (e[0], e[1], float(x), e[3]) for k, e in enumerate(events)] for x in grid]
    hits = sum(bool(explored(rows)[1].selected[i]) for rows in moved)
    assert filled.probability[i] == pytest.approx(hits / 100, abs=0.03)


@settings(deadline=None)
@given(_events, st.floats(0, 0.5), st.integers(0, 12))
def test_exploration_takes_no_place_from_the_control(events: list[Any], p: float, capacity: int) -> None:
    drawn, causes, rank, plain = _filled(events, p, capacity)
    more = explore(drawn, np.ones(len(events)), np.zeros(len(events), dtype=int))
    filled = fill(more, causes, rank, capacity)
    for i in np.flatnonzero(drawn.drawn):
        assert (filled.outcome[i], filled.why[i]) == (plain.outcome[i], "random")
    assert all(filled.why[i] == "exploration" for i in np.flatnonzero(more.drawn & ~drawn.drawn))
    assert filled.selected.sum() <= capacity


def test_a_traveller_explored_before_is_drawn_by_the_control_alone() -> None:
    subjects, moments = _subjects(50)
    drawn = draw(subjects, moments, SECRET, 0.1)
    before = np.arange(50) % 2
    more = explore(drawn, np.full(50, 0.5), before)
    assert more.chance[before == 1] == pytest.approx(0.1)
    assert more.chance[before == 0] == pytest.approx(0.15)
    with pytest.raises(BadInput, match="one interest"):
        explore(drawn, np.full(50, 1.5), before)


@settings(deadline=None)
@given(_events, st.floats(0, 1), st.integers(0, 12))
def test_as_many_hit_cases_are_blind_as_drawn_ones(events: list[Any], p: float, capacity: int) -> None:
    drawn, _, _, filled = _filled(events, p, capacity)
    random_taken = filled.selected & drawn.drawn
    others = filled.selected & ~drawn.drawn
    assert np.all(filled.blind[random_taken])
    assert not np.any(filled.blind & ~filled.selected)
    assert (filled.blind & others).sum() == min(random_taken.sum(), others.sum())


def test_keys_of_rank_are_compared_one_after_another() -> None:
    drawn = Draw(0.0, np.array([0.5, 0.6, 0.7]), np.array([0.2, 0.1, 0.3]), np.zeros(3, bool))
    rank = np.array([[1.0, 0.1], [1.0, 0.9], [0.0, 5.0]])
    assert fill(drawn, ["rule"] * 3, rank, 2).selected.tolist() == [True, True, False]
    assert fill(drawn, ["rule"] * 3, rank, 1).selected.tolist() == [False, True, False]
    assert fill(drawn, ["rule"] * 3, np.zeros(3), 2).selected.tolist() == [True, True, False]


def test_an_empty_shift_is_no_error() -> None:
    filled = fill(draw([], [], SECRET, 0.1), [], np.zeros((0, 2)), 5)
    assert filled.outcome == ()
    assert filled.probability.shape == (0,)
