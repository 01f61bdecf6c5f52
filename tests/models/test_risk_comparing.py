"""Everybody on the same folds, judged alike: a better one is said to be better, an equal one is not."""

import json
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evidence.groups import compare as audit
from models.risk.calibration import probability
from models.risk.comparable import Beside, of_table
from models.risk.comparing import Already, Cases, compare
from models.risk.comparison import verdict
from models.risk.comparison_report import plain_figures, text
from models.risk.contestants import (
    CATBOOST,
    LOGISTIC,
    SCORECARD,
    Contestant,
    Fitted,
    Pushes,
    contestant,
    trees,
    without,
)
from models.risk.encoding import Matrix
from models.risk.folds import folds
from models.risk.profiles import Profile
from models.risk.sources import Columns
from records.errors import BadInput

QUICK = Profile("quick", 2, 30, 15, 4, tries=2, tried_rounds=15, rate=0.15, rates=(0.1, 0.3))
ROWS = 4_000


def world(rows=ROWS, seed=1):
    """Cases of a year: `x` bends, so that trees see more in it than a line; `value` is what a finding is worth."""
    random = np.random.default_rng(seed)
    x, y = random.normal(size=rows), random.normal(size=rows)
    chance = probability(-2 + 2.5 * (np.abs(x) > 1) + 0.5 * y)
    day = np.datetime64("2021-01-01") + np.sort(random.integers(0, 365, rows)).astype("timedelta64[D]")
    return {
        "x": x,
        "y": y,
        "found": (random.random(rows) < chance).astype(np.float64),
        "when": day.astype("datetime64[us]"),
        "value": random.exponential(100.0, rows),
        "post": random.choice(["north", "south"], rows),
        "points": np.where(random.random(rows) < 0.1, np.nan, np.round(chance * 10)),
        "group": random.choice(["a", "b"], rows),
    }


def cases(table, **changes):
    matrix = Matrix(np.column_stack([table["x"], table["y"]]), ("x", "y"), ("number", "number"))
    made = tuple(folds(table["when"], count=2))
    given = {
        "audit": {"group": pa.chunked_array([pa.array(table["group"])])},
        "value": table["value"],
        "places": table["post"].astype(object),
        "capacities": {"north": 0.1, "south": 0.02},
    }
    parts = lambda fold: (matrix.rows(fold.train), matrix.rows(fold.valid), matrix.rows(fold.test))  # noqa: E731
    return Cases(table["found"], table["when"], made, parts, **(given | changes))


@pytest.fixture(scope="module")
def compared():
    table = world()
    points = Already("rule score", np.nan_to_num(table["points"], nan=-1.0))
    seen = np.where(np.arange(ROWS) < ROWS * 0.8, np.nan, table["x"])
    everybody = [trees(QUICK), contestant(LOGISTIC), contestant(SCORECARD)]
    return compare("world", cases(table), everybody, [points, Already("late", seen)], draws=40)


def standing(compared, name):
    return next(each for each in compared.standings if each.name == name)


def test_everybody_is_judged_on_every_metric(compared):
    assert [each.name for each in compared.standings] == [
        "quick", LOGISTIC, SCORECARD, "rule score", "late", "quick, by expected value",
    ]  # fmt: skip
    assert compared.reference == "quick"
    for each in compared.standings:
        assert set(each.figures) == set(compared.metrics)
        assert 0 < each.figures["pr_auc"].value < 1
    assert {"value_0.05", "precision_places", "recall_places"} <= set(compared.metrics)
    assert [fold.rows[0] < fold.rows[1] * 4 for fold in compared.folds] == [True, True]
    assert compared.folds[0].rows[0] < compared.folds[1].rows[0]


def test_groups_that_are_not_at_hand_are_asked_for_once_and_tell_what_those_at_hand_would(compared):
    table, asked = world(), []

    def audits(views):
        """Knows the group of each subject, and another attribute."""
        asked.append([view.name for view in views])
        of = {f"k1.{n}": group for n, group in enumerate(table["group"])}
        told = {}
        for view in views:
            groups = pa.array([of[subject] for subject in view.subjects.to_pylist()])
            told[view.name] = ({"group": groups, "sex": pa.array(["F"] * len(groups))}, view.outcomes, view.capacity)
        return audit(told)

    seen = np.where(np.arange(ROWS) < ROWS - 30, np.nan, table["x"])
    already = [Already("late", seen), Already("never", np.full(ROWS, np.nan))]
    subjects = pa.chunked_array([[f"k1.{n}" for n in range(ROWS)]])
    given = cases(table, audit={}, value=None, subjects=subjects)
    found = compare("world", given, [contestant(LOGISTIC)], already, draws=20, audits=audits)
    assert asked == [[LOGISTIC, "late"]]
    first, late, never = (each.groups for each in found.standings)
    assert [each.attribute for each in first] == [each.attribute for each in never] == ["group", "sex"]
    at_hand = standing(compared, LOGISTIC).groups[0]
    assert [(r.group, r.rows, r.selection_rate, r.missed_risk_rate) for r in first[0].rows] == [
        (r.group, r.rows, r.selection_rate, r.missed_risk_rate) for r in at_hand.rows
    ]
    assert not any(row.shown for row in late[0].rows)  # thirty rows are too few for any figure
    assert never[0].rows == ()
    assert "By sex" in text(found)
    assert "k1." not in json.dumps(found.as_json())


def test_words_tell_noise_from_a_difference(compared):
    line = standing(compared, LOGISTIC)
    assert line.gains["pr_auc"].high < 0
    said = verdict(line, "quick", "pr_auc", compared.metrics)
    assert said.startswith(f"PR-AUC: {LOGISTIC} is worse than quick by more than noise, -0.")
    worse = verdict(line, "quick", "log_loss", compared.metrics)
    assert "worse" in worse, "a higher log loss is worse"
    assert standing(compared, "quick").gains == {}


def test_an_equal_is_no_more_than_noise():
    table = world()
    one = trees(QUICK)
    other = Contestant("again", lambda train, valid, say: one.learn(train, valid, say).again(train, valid, 3))
    found = compare("world", cases(table), [one, other], draws=40)
    assert "no more than noise" in verdict(found.standings[1], "quick", "pr_auc", found.metrics)


def test_value_is_found_by_those_who_look_for_it(compared):
    by_value, by_chance = standing(compared, "quick, by expected value"), standing(compared, "quick")
    assert by_value.figures["value_0.05"].value > by_chance.figures["value_0.05"].value
    assert by_value.figures["log_loss"].value is None
    assert set(by_value.gains) == {"pr_auc", "precision_0.05", "value_0.05"}


def test_each_place_looks_at_its_own_share():
    table = world()
    perfect = Already("perfect", table["found"] + 0.001 * np.arange(ROWS) / ROWS)
    found = compare("world", cases(table), [contestant(SCORECARD)], [perfect], draws=20)
    assert found.standings[1].figures["precision_places"].value == pytest.approx(1.0)
    nowhere = compare("world", cases(table, capacities={}), [contestant(SCORECARD)], draws=20)
    assert nowhere.standings[0].figures["precision_places"].value is None


def test_who_has_seen_a_fold_is_not_judged_on_it(compared):
    late = standing(compared, "late")
    assert late.folds == 1
    assert standing(compared, "rule score").folds == 2
    assert late.gains["pr_auc"].value is not None


def test_flags_and_reasons_are_tried(compared):
    for name in (LOGISTIC, SCORECARD):
        held = standing(compared, name).held
        assert held.seed == 0.0
        assert 0 < held.bootstrap < 0.6
        assert 0.5 < held.reasons <= 1
    grown = standing(compared, "quick").held
    assert 0 < grown.seed < 0.6
    assert 0 < grown.month < 0.8
    assert standing(compared, "rule score").held is None


def test_costs_groups_bands_and_lines_are_told(compared):
    first = standing(compared, "quick")
    assert first.cost.seconds > 0
    assert first.cost.rows_per_second > 0
    assert [row.group for row in first.groups[0].rows] == ["a", "b"]
    assert sum(band.rows for band in first.bands) <= sum(fold.rows[2] for fold in compared.folds)
    assert all(band.least <= band.promised <= band.below for band in first.bands)
    assert 0.5 < first.slope.value < 2
    assert 0 < len(standing(compared, SCORECARD).said) <= 10


def test_it_can_be_read_and_written(compared):
    words = text(compared)
    for part in ("PR-AUC", "Value found at 5%", "each place's capacity", "same first 3 reasons", "By group", "slope"):
        assert part in words
    written = json.loads(json.dumps(compared.as_json(), allow_nan=False))
    assert written["standings"][0]["groups"][0]["selection_ratio"]["value"] > 0
    assert len(written["standings"][1]["verdicts"]) == len(compared.standings[1].gains)
    plain = plain_figures(compared)
    assert plain["quick pr_auc"] == compared.standings[0].figures["pr_auc"].value
    assert all(value is None or isinstance(value, float) for value in plain.values())


def test_everything_is_tried_once_on_the_earliest_fold():
    table, one, chosen_on = world(), trees(QUICK), []

    def learn(train, valid, say):
        chosen_on.append(len(train[1]))
        return one.learn(train, valid, say)

    found = compare("world", cases(table), [Contestant("quick", learn)], draws=20)
    assert len(found.folds) == 2
    assert chosen_on == [found.folds[0].rows[0]]


def test_without_columns_is_a_challenger_of_its_own():
    table = world()
    blind = without(contestant(LOGISTIC), {"x"}, "without x")
    found = compare("world", cases(table), [contestant(LOGISTIC), blind], draws=20)
    assert found.standings[1].name == "without x"
    assert found.standings[1].held.bootstrap is not None


def test_reasons_that_are_the_same_are_kept_whatever_their_size():
    table = world()

    def fixed(factor):
        def again(train, valid, seed):
            return fixed(factor * 2)

        return Fitted(lambda rows: rows.values[:, 0], lambda rows: Pushes(rows.names, factor * rows.values), again)

    found = compare("world", cases(table), [Contestant("fixed", lambda train, valid, say: fixed(1.0))], draws=20)
    assert found.standings[0].held.reasons == 1.0
    assert found.standings[0].held.bootstrap == 0.0


def test_any_table_is_cut_into_folds(tmp_path):
    table = world(1_500)
    path = tmp_path / "cases.parquet"
    site = np.where(table["x"] > 0, "right", "left")
    pq.write_table(pa.table({k: pa.array(v, from_pandas=True) for k, v in (table | {"site": site}).items()}), path)
    columns = Columns("found", "when", exclude=("group", "post"), audit=("group",))
    beside = Beside("value", "points", "post", {"north": 0.1})
    made, already = of_table(path, columns, beside, count=2, delay=timedelta(days=10))
    assert [one.name for one in already] == ["rule score"]
    assert not np.isnan(already[0].raw).any()
    train, _, test = made.parts(made.folds[1])
    assert "points" not in train.names
    assert "site rate" in train.names
    assert len(test.values) == len(made.folds[1].test)
    assert made.time[made.folds[1].train].max() <= made.folds[1].moments[0] - np.timedelta64(10, "D")
    with pytest.raises(BadInput, match="--value names 'worth'"):
        of_table(path, columns, Beside(value="worth"))
    with pytest.raises(BadInput, match="holds string"):
        of_table(path, columns, Beside(value="site"))


def test_examiners_are_averaged_out_of_everybody(tmp_path):
    table = world(1_500)
    random = np.random.default_rng(7)
    who = random.integers(0, 3, 1_500)
    table["found"] = (random.random(1_500) < probability(np.array([-3.0, -1.0, 1.0])[who])).astype(np.float64)
    path = tmp_path / "cases.parquet"
    columns = {name: table[name] for name in ("x", "y", "when", "found")} | {"who": [f"e{n}" for n in who]}
    pq.write_table(pa.table(columns), path)
    made, _ = of_table(path, Columns("found", "when", examiner="who"), count=1)
    train, _, _ = made.parts(made.folds[0])
    assert train.offset.std() > 1
    assert "who" not in train.names
    assert (
        contestant(LOGISTIC).learn((train, made.labels[made.folds[0].train]), (train, None), print).raw(train).std()
        < 0.4
    )


def test_nobody_of_that_name():
    with pytest.raises(BadInput, match="Choose among: shipped, large"):
        contestant("oracle")


def test_catboost_is_there_or_its_lack_is_said():
    try:
        import catboost  # noqa: F401
    except ImportError:
        with pytest.raises(BadInput, match="not installed"):
            contestant(CATBOOST)
    else:
        table = world(1_000)
        found = compare("world", cases(table), [contestant(CATBOOST)], draws=20)
        assert found.standings[0].figures["pr_auc"].value > 0.3
