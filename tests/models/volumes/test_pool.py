"""The pool keeps few members, its bands hold what they promise, and shocks teach nothing."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

from models.volumes.backtest import prepare
from models.volumes.calendars.almanac import PLAIN, Almanac, Official
from models.volumes.counts.breaks import shock_notes, trusted
from models.volumes.counts.panel import Panel
from models.volumes.forecast import forecast
from models.volumes.options import Options
from models.volumes.pooling.pool import MOST, Errors, keep, kept, learn, mixture, stored_pool, widths
from models.volumes.pooling.rolling import roll
from models.volumes.rhythm import LEVELS, RHYTHMS, moments
from records.errors import BadInput

MONTHS = RHYTHMS["MS"]


def months(series: int = 12, length: int = 84, seed: int = 3) -> np.ndarray:
    generator = np.random.default_rng(seed)
    shape = 1.0 + 0.4 * np.sin(2 * np.pi * np.arange(length) / 12)
    level = np.exp(
        generator.uniform(3, 7, (series, 1)) + np.cumsum(generator.normal(0, 0.03, (series, length)), axis=1)
    )
    return generator.poisson(level * shape).astype(float)


def table_of(values: np.ndarray, freq: str = "MS") -> pd.DataFrame:
    ds = pd.date_range("2015-01-01", periods=values.shape[1], freq=freq)
    return pd.concat([pd.DataFrame({"unique_id": f"s{i:02}", "ds": ds, "y": row}) for i, row in enumerate(values)])


def panel_of(values: np.ndarray) -> Panel:
    return prepare(table_of(values), Options("MS", 6))


def test_weights_sum_to_one_at_most_five_and_bands_hold() -> None:
    panel = panel_of(months())
    made = list(roll(panel, [panel.end - 12, panel.end - 6], 6))
    inside = []
    for answer in made:
        weights = answer.pool.weights
        assert sum(weights.values()) == pytest.approx(1.0)
        assert all(weight > 0 for weight in weights.values())
        assert 3 <= len(weights) <= MOST
        assert (np.diff(answer.quantiles, axis=2) >= 0).all()
        inside.append((answer.actual >= answer.quantiles[..., 3]) & (answer.actual <= answer.quantiles[..., 11]))
    assert 0.65 < np.mean(inside) < 0.95


def test_a_stored_pool_answers_as_it_was_learnt_and_other_versions_are_refused() -> None:
    panel = panel_of(months(series=6))
    (learnt,) = roll(panel, [panel.end - 6], 6)
    kept = stored_pool(json.loads(json.dumps(learnt.pool.plain())))
    (again,) = roll(panel, [panel.end - 6], 6, stored=kept)
    assert np.allclose(again.quantiles, learnt.quantiles)
    with pytest.raises(BadInput, match="Learn its weights again"):
        stored_pool({"weights": {"oracle": 1.0}, "widths": kept.widths.tolist()})
    with pytest.raises(BadInput, match="Learn its weights again"):
        stored_pool(kept.plain() | {"member_widths": {}})


def test_a_kept_pool_answers_the_next_night_alike_and_quicker(tmp_path: Path) -> None:
    table = table_of(months(series=6))
    options = Options("MS", 6)
    first = forecast(table, options)
    keep(first.learnt, tmp_path / "pool.json")
    told: list[str] = []
    again = forecast(table, options, told.append, stored=kept(tmp_path / "pool.json"))
    assert told == ["cutoff 1/1"]  # no origin before is forecast again
    assert not again.pool
    for name in ("mean", "q0.1", "q0.5", "q0.99"):
        assert np.allclose(again.forecasts[name].to_numpy(), first.forecasts[name].to_numpy())
    with pytest.raises(BadInput, match="frequency 'D'"):
        forecast(table_of(months(series=2), "D"), Options("D", 6), stored=first.learnt)
    (tmp_path / "pool.json").write_text("[")
    with pytest.raises(BadInput, match="Learn its weights again"):
        kept(tmp_path / "pool.json")


def test_counts_after_the_cutoff_change_nothing() -> None:
    values = months(series=4)
    poisoned = values.copy()
    poisoned[:, -6:] = 9e6
    answers = [next(iter(roll(p, [p.end - 6], 6))).quantiles for p in (panel_of(values), panel_of(poisoned))]
    assert np.array_equal(*answers)


def test_a_series_of_zeros_is_forecast_as_zero() -> None:
    values = months(series=5)
    values[2] = 0.0
    panel = panel_of(values)
    (made,) = roll(panel, [panel.end], 6)
    assert (made.quantiles[2] == 0).all()
    assert (made.quantiles[0] > 0).any()


def test_a_stop_is_recognised_said_and_not_trusted_and_a_new_level_is() -> None:
    values = months(series=3)
    values[0, 60:66] *= 0.02
    values[1, 50:] *= 0.1
    sure = trusted(values, MONTHS)
    assert not sure[0, 60:66].any()
    assert sure[0, 67:].all()
    assert sure[2].mean() > 0.97
    assert sure[1, 72:].mean() > 0.9  # what stays is the level
    said = [note.problem for note in shock_notes(panel_of(values)) if note.series == "s00"]
    assert any("2020-01-01 to 2020-06-01" in problem and "a stop" in problem for problem in said)


def test_later_counts_do_not_change_what_was_trusted() -> None:
    values = months(series=3)
    values[0, 60:66] *= 0.02
    assert np.array_equal(trusted(values, MONTHS)[:, :62], trusted(values[:, :62], MONTHS))


def test_what_was_announced_after_a_cutoff_changes_nothing_there() -> None:
    days = RHYTHMS["D"]
    values = np.random.default_rng(5).poisson(80, (3, 150)).astype(float)
    table = table_of(values, "D").assign(ds=lambda rows: rows["ds"] + pd.Timedelta(days=4017))  # the last is 2026-05-30
    panel = prepare(table, Options("D", 7))
    listed = np.arange("2026-05-01", "2026-06-30", dtype="datetime64[D]")
    nothing = np.full(len(listed), np.nan)
    holiday = np.where(listed == np.datetime64("2026-05-28"), "eid_al_adha", None)
    hijri = np.where(listed < np.datetime64("2026-05-28"), 11.0, 12.0)
    known = np.full(len(listed), np.datetime64("2026-05-25T12:00", "us"))
    told = Official(listed.astype(int), holiday, holiday == "eid_al_adha", hijri, nothing, nothing, nothing, known)
    cutoffs = [panel.end - 14, panel.end - 7, panel.end]
    (first, second, last), (plain, plain_second, plain_last) = (
        list(roll(panel, cutoffs, 7, ("TN",), almanac=almanac, teaching=1)) for almanac in (PLAIN, Almanac({}, told))
    )
    assert moments(np.array(cutoffs[1] + 1), days) < known[0] < moments(np.array(cutoffs[2] + 1), days)
    assert np.array_equal(first.quantiles, plain.quantiles)
    assert np.array_equal(second.quantiles, plain_second.quantiles)
    assert not np.array_equal(last.quantiles, plain_last.quantiles)


def test_members_are_mixed_as_chances() -> None:
    normal = 100.0 + 10.0 * norm.ppf(LEVELS)
    alone = mixture({"a": normal[None]}, {"a": 1.0})
    assert np.allclose(alone, normal)
    assert np.allclose(mixture({"a": normal[None], "b": normal[None]}, {"a": 0.3, "b": 0.7}), normal, atol=1.0)
    apart = mixture({"nobody": np.zeros((1, 15)), "a": normal[None]}, {"nobody": 0.6, "a": 0.4})[0]
    assert (apart[LEVELS < 0.55] == 0).all()
    assert apart[LEVELS == 0.8] == pytest.approx(100.0, abs=1.0)  # the middle of what is left
    assert (np.diff(apart) >= 0).all()


def test_quiet_steps_have_widths_of_their_own() -> None:
    generator = np.random.default_rng(1)
    quiet, busy = np.full(600, 10.0), np.full(600, 400.0)
    usual = np.tile(np.concatenate([quiet, busy]), 3)
    answered = usual[:, None] * (1.0 + 0.1 * norm.ppf(LEVELS))
    spread = np.where(usual < 50, 0.3, 0.1)  # quiet steps vary three times as much as was promised
    y = usual * (1.0 + spread * generator.normal(size=len(usual)))
    fold = np.repeat([0, 1, 2], 1200)
    step, calm = np.arange(len(y)), np.ones(len(y), bool)
    pool = learn(Errors(y, {"naive": answered}, np.zeros(len(y), int), fold, step, ~calm, calm), ("naive",))
    made = pool.combine({"naive": answered[None, :1200]})[0]
    wide = (made[:, 11] - made[:, 3]) / (answered[:1200, 11] - answered[:1200, 3])
    assert wide[:600].mean() > 1.4 * wide[600:].mean()


def test_few_folds_hold_more_than_many() -> None:
    y = np.random.default_rng(2).normal(100.0, 10.0, 12_000)
    answered = np.broadcast_to(100.0 + 10.0 * norm.ppf(LEVELS), (len(y), len(LEVELS)))
    few, many = (widths(y, answered, np.arange(len(y)) % folds, belief=0.0)[[3, 11]] for folds in (2, 40))
    assert (few > many + 0.05).all()
    assert many == pytest.approx(1.0, abs=0.05)
