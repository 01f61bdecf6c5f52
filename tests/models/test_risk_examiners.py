"""Who looked: found where it is, absent where it is not, out of every score, and told."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evidence.metrics import roc_auc
from models.risk import examiners, history
from models.risk.backtest import Options, backtest
from models.risk.calibration import probability
from models.risk.encoding import Matrix
from models.risk.learners import Candidate, grow
from models.risk.profiles import PROFILES, Profile, fit
from models.risk.report import text
from models.risk.sources import Columns, Sources
from records.errors import BadInput

TREES = Candidate("small", ("number",), {"num_leaves": 7, "min_data_in_leaf": 50, "learning_rate": 0.1})


def world(rows, effects, risk=1.0, seed=1, told=0.0):
    """Cases with one column that matters, examiners by lot, and a column that tells the examiner with weight `told`."""
    random = np.random.default_rng(seed)
    who = random.integers(0, len(effects), rows)
    x = random.normal(size=rows)
    proxy = told * np.asarray(effects)[who] + random.normal(size=rows)
    chance = probability(-1.5 + risk * x + np.asarray(effects)[who])
    labels = (random.random(rows) < chance).astype(np.float64)
    return Matrix(np.column_stack([x, proxy]), ("x", "proxy"), ("number", "number")), labels, who


def names(effects):
    return tuple(f"e{n}" for n in range(len(effects)))


def told(effects, risk, proxy=0.0, rows=6_000):
    matrix, labels, who = world(rows, effects, risk, told=proxy)
    cut, days = rows // 2, np.arange(rows).astype("datetime64[D]")
    train, later = ((matrix.rows(s), labels[s]) for s in (slice(None, cut), slice(cut, None)))
    found, floor = examiners.separate(who[:cut], names(effects), train)
    raw = floor.raw(later[0])
    return examiners.examined("who", found, train, later, (who[:cut], who[cut:]), raw, days[cut:])


def test_effects_are_found_beside_what_the_columns_say():
    effects = np.array([-1.5, -0.5, 0.0, 0.5, 1.5])
    matrix, labels, who = world(20_000, effects)
    found, floor = examiners.separate(who, names(effects), (matrix, labels))
    assert found.effects == pytest.approx(effects - effects.mean(), abs=0.15)
    assert np.average(found.effects, weights=found.found) == pytest.approx(0, abs=1e-9)
    slope = floor.weights[0] / floor.scale[0]
    assert slope == pytest.approx(1.0, abs=0.1)


def test_few_findings_say_little_about_an_examiner():
    effects = np.array([-1.0, 1.0, 0.0, 0.5])
    matrix, labels, who = world(4_000, effects)

    def always_found(rows):
        whose, said = np.where(np.arange(4_000) < rows, 4, who), np.where(np.arange(4_000) < rows, 1.0, labels)
        return examiners.separate(whose, (*names(effects), "new"), (matrix, said))[0]

    few, many = always_found(2), always_found(100)
    assert 0 < few.effects[4] < many.effects[4] / 2
    assert few.found[4] == 2


def test_alike_examiners_are_left_alike():
    matrix, labels, who = world(8_000, np.zeros(30))
    found, _ = examiners.separate(who, names(np.zeros(30)), (matrix, labels))
    assert found.spread < 0.2
    assert np.abs(found.effects).max() < 0.2


def test_a_score_does_not_know_who_looked_and_stands_at_the_average():
    effects = np.array([-2.0, 0.0, 2.0])
    matrix, labels, who = world(6_000, effects)
    found, _ = examiners.separate(who, names(effects), (matrix, labels))
    learnt = replace(matrix, offset=found.offset(who))
    raw = grow(TREES, (learnt, labels), None, seeds=[1], rounds=60).raw(matrix)
    assert raw == pytest.approx(grow(TREES, (learnt, labels), None, seeds=[1], rounds=60).raw(learnt))
    assert probability(raw + found.offset(who)).mean() == pytest.approx(labels.mean(), abs=0.02)
    inside = who == 1
    assert roc_auc(labels[inside], raw[inside]) > 0.7


def test_the_search_learns_with_an_offset_and_scores_without():
    effects = np.array([-2.0, 0.0, 2.0])
    matrix, labels, who = world(3_000, effects)
    matrix = replace(matrix, offset=np.asarray(effects)[who])
    small = replace(PROFILES["shipped"], members=1, rounds=20, tries=1, tried_rounds=10)
    train, valid = ((matrix.rows(s), labels[s]) for s in (slice(None, 2_000), slice(2_000, None)))
    found = fit(train, valid, small)
    bare = replace(matrix, offset=None)
    assert np.array_equal(found.trees.raw(matrix), found.trees.raw(bare))


def test_its_share_of_the_signal_is_told_and_warned_about():
    nothing, all_of_it, half = told([-0.02, 0.02], 1.5), told([-2.0, 0.0, 2.0], 0.0), told([-1.0, 1.0], 1.0)
    assert nothing.share.value < 0.05
    assert nothing.warnings == ()
    assert all_of_it.share.value > 0.95
    assert 0.3 < half.share.value < 0.7
    assert half.share.low <= half.share.value <= half.share.high
    assert any("who" in words and "explains" in words for words in half.warnings)
    assert half.lowest < half.highest


def test_columns_that_tell_who_looked_are_named():
    open_, hidden = told([-1.0, 1.0], 1.0), told([-1.0, 1.0], 1.0, proxy=2.0)
    assert open_.told < 0.05
    assert hidden.told > 0.5
    assert hidden.through[0][0] == "proxy"
    assert any("'proxy'" in words for words in hidden.warnings)


def test_one_examiner_and_nobody_on_record_say_nothing():
    alone = told([0.0], 1.0)
    assert alone.told is None
    assert alone.carried is None
    who, known = examiners.looked(pa.chunked_array([["b", None, "a"]]))
    assert who.tolist() == [1, examiners.NOBODY, 0]
    assert known == ("a", "b")
    found = examiners.Examiners(known, np.array([0.5, -0.5]), np.array([1.0, 1.0]), 1.0)
    assert found.offset(who).tolist() == [-0.5, 0.0, 0.5]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 9), st.booleans()), min_size=1, max_size=40))
def test_what_a_finding_is_worth_reads_earlier_days_alone(rows):
    who, days, labels = (np.array(column) for column in zip(*rows, strict=True))
    labels = labels.astype(np.float64)
    worth = examiners.worth(who, days, labels, 0.2)
    flipped = np.where(days >= days.max(), 1 - labels, labels)
    assert np.array_equal(worth, examiners.worth(who, days, flipped, 0.2))
    for row in range(len(rows)):
        before = (who == who[row]) & (days < days[row])
        assert worth[row] == pytest.approx(history.rate(labels[before].sum(), before.sum(), 0.2) / 0.2)


def cases(tmp_path, rows=3_000):
    """A table where one of three examiners finds far more than the others, in cases that are alike."""
    random = np.random.default_rng(2)
    who, weight = random.integers(0, 3, rows), random.normal(size=rows)
    found = random.random(rows) < probability(-1.5 + 0.8 * weight + np.array([-1.5, 0.0, 1.5])[who])
    when = np.datetime64("2021-01-01") + np.sort(random.integers(0, 365, rows)).astype("timedelta64[D]")
    site = random.integers(0, 60, rows)
    path = tmp_path / "cases.parquet"
    columns = {"when": when, "who": [f"e{n}" for n in who], "site": [f"s{n}" for n in site], "weight": weight}
    pq.write_table(pa.table(columns | {"found": found.astype(np.float64)}), path)
    return path, who


def judged(path, examiner):
    quick = Profile("quick", 1, 40, 15, 4, tries=3, tried_rounds=20, rate=0.15, rates=(0.1, 0.3))
    columns = Columns("found", "when", exclude=() if examiner else ("who",), examiner=examiner)
    cuts = (datetime(2021, 8, 1, tzinfo=UTC), datetime(2021, 10, 1, tzinfo=UTC))
    out = path.parent / "out.parquet"
    report = backtest(Sources(path), Options(columns, *cuts, profile=quick, draws=20), out=out)
    return report, pq.read_table(out).sort_by("row_id")


def test_a_backtest_averages_the_examiner_out_and_says_so(tmp_path):
    path, who = cases(tmp_path)
    report, scores = judged(path, "who")
    assert report.examined.examiners == 3
    assert report.examined.share.value > 0.5
    assert report.examined.carried < 0.05
    words = text(report)
    assert "averaged out of every score" in words
    assert "WARNING: Who looked ('who') explains" in words
    table, first = pq.read_table(path), pc.min(scores.filter(pc.equal(scores["split"], "test"))["row_id"]).as_py()
    others = np.where(np.arange(len(who)) < first, table["who"].to_pylist(), "e0")
    elsewhere = tmp_path / "elsewhere.parquet"
    pq.write_table(table.set_column(1, "who", pa.array(others)), elsewhere)
    assert judged(elsewhere, "who")[1].equals(scores)
    assert judged(path, None)[0].examined is None


def test_an_examiner_that_is_no_column_is_refused(tmp_path):
    with pytest.raises(BadInput, match="--examiner names 'whom'"):
        judged(cases(tmp_path)[0], "whom")


def test_a_few_hundred_rows_are_still_split():
    matrix, labels, _ = world(400, [0.0], risk=2.0)
    wide = Candidate("wide", ("number",), {"num_leaves": 7, "min_data_in_leaf": 400})
    raw = grow(wide, (matrix, labels), None, seeds=[1], rounds=30).raw(matrix)
    assert roc_auc(labels, raw) > 0.8
