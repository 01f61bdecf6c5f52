"""Training, saving and scoring of a declared model on synthetic values of its own inputs."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import lightgbm
import numpy as np
import pyarrow as pa
import pytest

from evidence.parity import worst_off
from features.catalogue import features
from features.lineage import ProhibitedInput
from models import folder
from models.risk import permit_lapse, secondary_check
from models.risk.declaration import Bands
from models.risk.labels import INSTANT, Labels
from models.risk.model import RiskModel
from models.risk.profiles import Profile
from models.risk.training import TooFewFindings, TrainedModel, train
from records.errors import BadInput

DECLARATION = secondary_check.DECLARATION
QUICK = Profile("quick", 5, 60, 15, 5, tries=2, tried_rounds=20, rate=0.12, rates=(0.1, 0.2))
START = datetime(2025, 1, 1, tzinfo=UTC)


def make_values(rows: int, seed: int = 0) -> pa.Table:
    """Random values of every input, with some nulls; a string has four levels."""
    random = np.random.default_rng(seed)
    columns: dict[str, pa.Array] = {
        "event": pa.array([f"c{n}" for n in range(rows)]),
        "subject": pa.array([f"k1.{n % 97}" for n in range(rows)]),
        "as_of": pa.array([START + timedelta(hours=4 * n) for n in range(rows)], INSTANT),
    }
    known = features("crossing")
    for name in DECLARATION.inputs():
        if known[name].type == "string":
            columns[name] = pa.array(random.choice(["a", "b", "c", None], rows).tolist(), pa.string())
        elif known[name].type == "boolean":
            columns[name] = pa.array(random.random(rows) < 0.3)
        else:
            values = np.round(random.exponential(3.0, rows), 2)
            columns[name] = pa.array(np.where(random.random(rows) < 0.1, np.nan, values), from_pandas=True)
    return pa.table(columns)


def make_labels(values: pa.Table, seed: int = 1, delay: timedelta = timedelta(days=3)) -> Labels:
    random = np.random.default_rng(seed)
    risk = np.nan_to_num(values["documents_used_last_90_days"].to_numpy(zero_copy_only=False))
    level = np.asarray(values["post_of_crossing"].to_numpy(zero_copy_only=False) == "a", dtype=float)
    label = (random.random(values.num_rows) < 1 / (1 + np.exp(3 - 0.5 * risk - 1.5 * level))).astype(float)
    drawn = random.random(values.num_rows) < 0.3
    return Labels(
        pa.table(
            {
                "event": values["event"],
                "label": label,
                "known_at": pa.array([t + delay for t in values["as_of"].to_pylist()], INSTANT),
                "selected_by": np.where(drawn, "random", "officer").tolist(),
                "probability": pa.array(np.where(drawn, 0.05, np.nan), from_pandas=True),
            }
        ),
        {"inconclusive": 4},
    )


@pytest.fixture(scope="module")
def values() -> pa.Table:
    return make_values(1500)


@pytest.fixture(scope="module")
def trained(values) -> TrainedModel:
    similar = values.append_column("mode", pa.array(["air", "land", "air"] * (values.num_rows // 3)))
    found = train(
        DECLARATION, values, make_labels(values), similar=similar, versions={"crossings": 3}, profile=QUICK, draws=30
    )
    assert isinstance(found, TrainedModel)
    return found


def test_both_declarations_can_be_read():
    for declaration in (DECLARATION, permit_lapse.DECLARATION):
        known = features(declaration.subject_kind)
        assert len(declaration.inputs()) >= 15
        assert all(known[name].role == "model" for name in declaration.inputs())


def test_figures_stand_beside_logistic_and_base_rate(trained):
    assert set(trained.figures) == {"model", "logistic regression", "base rate"}
    assert trained.figures["model"]["pr_auc"].value > 1.3 * trained.figures["base rate"]["pr_auc"].value
    assert trained.counts["unknown: inconclusive"] == 4
    assert trained.control.rows > 0
    assert trained.control.value is not None


def test_rows_whose_label_came_too_late_do_not_train(values, trained):
    assert trained.counts["label not known in time"] > 0
    rows = sum(trained.counts[f"{part} rows"] for part in ("train", "validation", "test"))
    assert rows + trained.counts["label not known in time"] == values.num_rows


def test_contributions_add_up_to_the_raw_score(trained, values):
    parts = trained.model.contributions(values)
    raw = trained.model.score(values).raw
    assert np.abs(parts.values.sum(axis=1) + parts.base - raw).max() < 1e-9
    assert parts.names == trained.model.names


def test_contributions_are_the_mean_of_lightgbms_own(trained, values):
    matrix = trained.model.matrix(values).values
    members = [lightgbm.Booster(model_str=text) for text in trained.model.trees]
    own = np.mean([b.predict(matrix, pred_contrib=True, num_threads=1) for b in members], axis=0)
    parts = trained.model.contributions(values)
    np.testing.assert_allclose(parts.values, own[:, :-1], rtol=0, atol=1e-9)
    assert parts.base == pytest.approx(own[0, -1], abs=1e-9)


def test_contributions_that_miss_the_score_are_never_returned(trained, values):
    raw = trained.model.score(values).raw
    raw[7] += 1e-6
    with pytest.raises(ArithmeticError, match="miss the score by 1e-06"):
        trained.model.contributions(values, raw)


def test_one_row_and_many_rows_score_the_same(trained, values):
    many = trained.model.score(values)
    for row in (0, 7, 1499):
        one = trained.model.score(values.slice(row, 1))
        assert one.raw[0] == many.raw[row]
        assert one.band[0] == many.band[row]
    assert len(trained.model.score(values.slice(0, 0)).raw) == 0
    assert trained.model.contributions(values.slice(0, 0)).values.shape[0] == 0


def test_a_riskier_case_scores_higher_and_its_band_is_no_lower(trained, values):
    scores = trained.model.score(values)
    order = np.argsort(scores.raw)
    bands = [name for name, _ in DECLARATION.bands.least]
    assert (np.diff(scores.probability[order]) >= 0).all()
    assert (np.diff([bands.index(b) for b in scores.band[order]]) >= 0).all()


def test_more_confirmed_findings_never_lower_the_score(trained, values):
    name = "confirmed_findings_last_24_months"
    at = values.column_names.index(name)
    raw = [
        trained.model.score(values.set_column(at, name, pa.array(np.full(values.num_rows, count)))).raw
        for count in (0.0, 1.0, 3.0, 9.0)
    ]
    assert (np.diff(raw, axis=0) >= -1e-12).all()


def test_a_saved_model_answers_the_same_and_is_named_by_its_content(trained, values, tmp_path):
    path = trained.model.save(tmp_path)
    assert path.name == trained.model.hash
    trees = [f"trees-{n}.txt" for n in range(1, 6)]
    assert sorted(p.name for p in path.iterdir()) == [
        "model.json",
        "peers.json",
        "reference.json",
        "second.json",
        "stability.json",
        *trees,
    ]
    again = RiskModel.load(path)
    assert (again.score(values).raw == trained.model.score(values).raw).all()
    assert again.hash == trained.model.hash
    assert trained.model.save(tmp_path) == path


def test_training_twice_gives_the_same_model(trained, values):
    again = train(DECLARATION, values, make_labels(values), versions={"crossings": 3}, profile=QUICK, draws=2)
    assert again.model.peers is again.model.reference is None
    same = replace(again.model, peers=trained.model.peers, reference=trained.model.reference)
    assert same.hash == trained.model.hash


def test_what_is_usual_and_which_reasons_hold_go_with_the_model(trained, values, tmp_path):
    again = RiskModel.load(trained.model.save(tmp_path))
    assert again.peers == trained.model.peers
    assert again.stability == trained.model.stability
    assert {cell.key for cell in again.peers.cells.values()} >= {(), ("air",), ("land",), ("air", "winter")}
    held = again.stability
    assert 0 <= held.noise <= held.refit <= 1
    assert set(held.least) == {i.group for i in again.inputs}
    assert any(least is not None for least in held.least.values())


def test_a_second_opinion_goes_with_the_model(trained, values, tmp_path):
    """It says what a straight line makes of the same inputs, and that it leads where findings are few."""
    again = RiskModel.load(trained.model.save(tmp_path))
    assert again.second == trained.model.second
    assert again.second.post == DECLARATION.place
    assert set(again.second.rows) == {"a", "b", "c"}  # of some rows nobody knows the place
    assert 0 < sum(again.second.rows.values()) < trained.counts["train rows"]
    chance, leads = again.second_opinion(values)
    assert ((chance > 0) & (chance < 1)).all()
    assert leads.all()  # no post of these has a thousand findings
    with pytest.raises(BadInput, match="without a second opinion"):
        replace(again, second=None).second_opinion(values)


def test_who_was_checked_by_chance_anchors_the_probability(values):
    """Officers who look where more is found make every probability too high; the control says how much."""
    labels = make_labels(values)
    drawn = np.asarray(labels.table["selected_by"]) == "random"
    found = np.where(drawn & (np.arange(len(drawn)) % 4 > 0), 0.0, labels.table["label"].to_numpy())
    place = labels.table.column_names.index("label")
    biased = replace(labels, table=labels.table.set_column(place, "label", pa.array(found)))
    model = train(DECLARATION, values, biased, profile=QUICK, draws=2).model
    assert model.calibrator.shift < 0
    scores = model.score(values)
    assert (scores.low <= scores.probability).all()
    assert (scores.probability <= scores.high).all()
    assert (scores.low < scores.high).all()


def test_the_less_discriminatory_equal_is_searched_for_on_rows_to_learn_from(values, trained):
    asked = []

    def even(subjects, moments):
        asked.append((len(subjects), moments.max()))
        return worst_off({"group": pa.array(["a", "b"] * len(subjects))[: len(subjects)]}, least=50)

    found = train(DECLARATION, values, make_labels(values), even=even, profile=QUICK, draws=2)
    assert found.frontier.equals <= found.frontier.tried
    assert found.frontier.chosen.parity >= found.frontier.best.parity
    assert found.parameters["less discriminatory equal, chosen"].startswith(found.frontier.chosen.name)
    ((rows, latest),) = asked
    assert rows < trained.counts["train rows"]
    assert latest < np.datetime64(trained.model.trained_from["validation"][0])
    nobody = train(DECLARATION, values, make_labels(values), even=lambda *_: None, profile=QUICK, draws=2)
    assert (nobody.frontier, nobody.unsearched) == (None, "too_small")
    assert (found.unsearched, trained.unsearched) == (None, "unasked")


def test_a_changed_model_folder_is_refused(trained, tmp_path):
    path = trained.model.save(tmp_path)
    (path / "model.json").write_bytes((path / "model.json").read_bytes().replace(b'"high"', b'"HIGH"'))
    with pytest.raises(BadInput, match="changed after it was written"):
        RiskModel.load(path)
    with pytest.raises(BadInput, match="no model folder"):
        RiskModel.load(tmp_path / "none")


def test_a_model_refuses_what_it_was_not_trained_on(trained, values):
    name = trained.model.names[0]
    with pytest.raises(BadInput, match=f"was trained on {name}"):
        trained.model.score(values.drop_columns([name]))
    number = next(i.name for i in trained.model.inputs if i.type == "number")
    at = values.column_names.index(number)
    with pytest.raises(BadInput, match=f"'{number}' must be a number"):
        trained.model.score(values.set_column(at, number, pa.array(["x"] * values.num_rows)))


def test_who_looked_is_known_while_learning_and_not_when_scoring(values):
    """A strict and a lenient officer, of whom the strict one is at one post: the post gets no blame for the officer."""
    random = np.random.default_rng(3)
    strict = np.where(values["post_of_crossing"].to_numpy(zero_copy_only=False) == "b", 0.8, 0.3) > random.random(1500)
    labels = make_labels(values)
    found = np.maximum(labels.table["label"].to_numpy(), random.random(1500) < 0.5 * strict)
    labels = replace(labels, table=labels.table.set_column(1, "label", pa.array(found)))
    who = pa.table({"event": values["event"], "examiner": pa.array(np.where(strict, "o1", "o2"))})
    plain, averaged = (
        train(DECLARATION, values, labels, examiners=each, profile=QUICK, draws=5) for each in (None, who)
    )
    at_b = np.asarray(values["post_of_crossing"].to_numpy(zero_copy_only=False) == "b")

    def blamed(outcome):
        raw = outcome.model.score(values).raw
        return raw[at_b].mean() - raw[~at_b].mean()

    assert blamed(averaged) < blamed(plain) - 0.1
    assert averaged.model.score(values).probability.mean() == pytest.approx(found.mean(), abs=0.05)
    few = values.slice(0, 40)
    parts = averaged.model.contributions(few)
    assert parts.values.sum(axis=1) + parts.base == pytest.approx(averaged.model.score(few).raw, abs=1e-9)


def test_a_saved_model_that_reads_a_gate_is_refused_on_loading(trained, tmp_path):
    path = trained.model.save(tmp_path)
    content = json.loads((path / "model.json").read_text())
    content["inputs"][0]["name"] = "regime"
    files = folder.read(path) | {"model.json": json.dumps(content).encode()}
    with pytest.raises(ProhibitedInput, match="regime"):
        RiskModel.load(folder.write(tmp_path, files))


def test_a_level_never_seen_and_a_null_are_scored(trained, values):
    at = values.column_names.index("post_of_crossing")
    for level in ("never seen", None):
        changed = values.set_column(at, "post_of_crossing", pa.array([level] * values.num_rows, pa.string()))
        assert np.isfinite(trained.model.score(changed).raw).all()


def test_too_few_findings_make_no_model_and_say_how_many_are_needed(values):
    few = values.slice(0, 120)
    found = train(DECLARATION, few, make_labels(few))
    assert isinstance(found, TooFewFindings)
    assert found.findings == 120
    assert "at least 500" in str(found)
    none = replace(make_labels(values.slice(0, 0)))
    assert train(DECLARATION, values, none).findings == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"groups": ("paper",)}, "Did you mean 'papers'"),
        ({"without": ("document_age_day",)}, "Did you mean 'document_age_days'"),
        ({"monotone": {"entry_ban_in_force": 1}}, "does not read it"),
        ({"monotone": {"document_age_days": 2}}, "not 1 or -1"),
    ],
)
def test_a_declaration_names_its_mistakes(change, message):
    with pytest.raises(BadInput, match=message):
        replace(DECLARATION, **change).inputs()


def test_bands_rise_from_zero():
    with pytest.raises(BadInput, match="rise from 0"):
        Bands(START.date(), (("low", 0.0), ("high", 0.5), ("raised", 0.2)))
