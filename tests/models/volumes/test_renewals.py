"""Renewals that fall due, held against a slow count over single permits."""

from datetime import UTC, datetime

import numpy as np
import pytest

from models.volumes.offices.renewals import (
    EARLIEST,
    LAGS,
    LATEST,
    Behaviour,
    Permits,
    learnt,
    permits,
    renewals_due,
)
from records.lake import Lake

TODAY = np.datetime64("2026-01-01")


def population(count: int = 1_500, seed: int = 5) -> Permits:
    """Permits that ended up to two years ago or will within one; two thirds of category 0 and a third of 1 renew."""
    generator = np.random.default_rng(seed)
    ends = TODAY + generator.integers(-730, 365, count)
    category = generator.integers(0, 2, count)
    asked = ends + generator.integers(-80, 45, count)
    renews = generator.random(count) < np.where(category == 0, 0.67, 0.33)
    came = renews & (asked < TODAY)
    return Permits(
        ends,
        np.where(came, asked, np.datetime64("NaT", "D")),
        generator.integers(0, 3, count),
        category,
        np.full(count, 365),
        ("x", "y", "z"),
        ("study", "work"),
        TODAY,
    )


def slowly(known: Permits, behaviour: Behaviour, days: int) -> np.ndarray:
    """Expected renewals by office and day, permit by permit and lag by lag."""
    expected = np.zeros((len(known.offices), days))
    for end, asked, office, category in zip(known.ends, known.asked, known.office, known.category, strict=True):
        past = int((known.today - end).astype(int))
        if not np.isnat(asked) or past > LATEST:
            continue
        chance = behaviour.chance[category]
        left = (
            1.0 - chance + sum(chance * p for lag, p in zip(LAGS, behaviour.lag[category], strict=True) if lag >= past)
        )
        for lag, p in zip(LAGS, behaviour.lag[category], strict=True):
            if lag >= past and lag - past < days:
                expected[office, lag - past] += chance * p / left
    return expected


def test_the_mean_is_that_of_a_slow_count() -> None:
    known = population()
    behaviour = learnt(known)
    due = renewals_due(known, behaviour, 60, paths=150)
    np.testing.assert_allclose(due.mean, slowly(known, behaviour, 60), rtol=1e-9)
    assert due.paths.sum(axis=(1, 2)).mean() == pytest.approx(due.mean.sum(), rel=0.05)
    assert (np.diff(due.quantiles, axis=-1) >= 0).all()
    assert due.complete == TODAY + 365 + EARLIEST


def test_behaviour_is_learnt_and_a_small_category_borrows() -> None:
    known = population(8_000)
    behaviour = learnt(known)
    assert behaviour.chance == pytest.approx([0.67, 0.33], abs=0.04)
    np.testing.assert_allclose(behaviour.lag.sum(axis=1), 1.0)
    assert behaviour.lag[:, (LAGS < -85) | (LAGS > 50)].max() < 0.01
    few = known.category == 1
    few[np.flatnonzero(few)[5:]] = False
    kept = (known.category == 0) | few
    thin = Permits(
        *(getattr(known, n)[kept] for n in ("ends", "asked", "office", "category", "length")),
        known.offices,
        known.categories,
        known.today,
    )
    assert abs(learnt(thin).chance[1] - learnt(thin).chance[0]) < 0.15


def test_what_falls_due_comes() -> None:
    """Of permits known a year ago, as many ask in the next quarter as was said, within the range."""
    generator = np.random.default_rng(1)
    known = population(6_000)
    hidden = known.ends + generator.integers(-80, 45, len(known.ends))
    renews = generator.random(len(hidden)) < np.where(known.category == 0, 0.67, 0.33)
    known = Permits(
        known.ends,
        np.where(renews & (hidden < TODAY), hidden, np.datetime64("NaT", "D")),
        known.office,
        known.category,
        known.length,
        known.offices,
        known.categories,
        TODAY,
    )
    came = int((renews & (hidden >= TODAY) & (hidden < TODAY + 90)).sum())
    totals = renewals_due(known, learnt(known), 90, paths=200).paths.sum(axis=(1, 2))
    assert np.quantile(totals, 0.005) - 10 <= came <= np.quantile(totals, 0.995) + 10


def test_the_sample_world_renews_as_was_said(small_lake: Lake) -> None:
    before, after = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 5, 30, tzinfo=UTC)
    known = permits(small_lake, before)
    due = renewals_due(known, learnt(known), 90, paths=100)
    later = permits(small_lake, after)
    came = int(((later.asked >= known.today) & (later.asked < known.today + 90)).sum())
    totals = due.paths.sum(axis=(1, 2))
    assert np.quantile(totals, 0.01) * 0.8 <= came <= np.quantile(totals, 0.99) * 1.2
