"""What MLflow holds of a run: figures, versions, the model folder, an alias, and never a row."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from models import folder, tracking
from records.errors import BadInput


@pytest.fixture
def store(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'store' / 'mlflow.db'}"


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_a_run_its_model_and_its_champion(tmp_path, store):
    model = folder.write(tmp_path / "models", {"model.json": b"{}", "trees-1.txt": b"tree"})
    first = tracking.log_run(
        store,
        tmp_path / "artifacts",
        "secondary_check",
        model,
        parameters={"seeds": 5, "monotone": "a,b"},
        metrics={"pr_auc": 0.4, "recall at 5%": 0.2, "undefined": None},
        versions={"crossings": 3},
    )
    assert tracking.champion(store, "secondary_check") is None
    tracking.follow(store, "secondary_check", model.name)
    assert tracking.champion(store, "secondary_check") == model.name
    assert tracking.champion(store, "another") is None

    from mlflow import MlflowClient

    run = MlflowClient(tracking_uri=store, registry_uri=store).get_run(first.run_id)
    assert run.data.metrics == {"pr_auc": 0.4, "recall at 5_": 0.2}
    assert run.data.params == {"seeds": "5", "monotone": "a,b"}
    assert run.data.tags["data version crossings"] == "3"
    kept = sorted(p.name for p in (tmp_path / "artifacts").rglob("*") if p.is_file())
    assert kept == ["model.json", "trees-1.txt"]

    second = tracking.log_run(
        store, tmp_path / "artifacts", "secondary_check", model, parameters={}, metrics={}, versions={}
    )
    assert int(second.version) == int(first.version) + 1
    assert tracking.champion(store, "secondary_check") == model.name


def test_rows_are_refused(tmp_path, store):
    with pytest.raises(BadInput, match="no rows and no identifiers leave"):
        tracking.log_run(
            store,
            tmp_path,
            "secondary_check",
            tmp_path,
            parameters={"example": pa.table({"subject": ["k1.x"]})},
            metrics={},
            versions={},
        )


@pytest.fixture
def log(tmp_path, store):
    """Logs a model's folder, and whatever else a test puts beside it."""

    def logged(files=None, **more):
        beside = folder.write(tmp_path / "models", {"model.json": b"{}", **(files or {})})
        plain = {"parameters": {}, "metrics": {}, "versions": {}}
        return tracking.log_run(store, tmp_path / "artifacts", "secondary_check", beside, **(plain | more)), beside

    return logged


PSEUDONYM = "k1.-2L3iWtePajLQGJLhemHKw"


@pytest.mark.parametrize(
    "given",
    [
        {"files": {"input_example.parquet": b"PAR1"}},
        {"files": {"rows.csv": b"subject"}},
        {"files": {"serving.json": f'{{"subject": "{PSEUDONYM}"}}'.encode()}},
        {"parameters": {"first": PSEUDONYM}},
        {"versions": {PSEUDONYM: 3}},
    ],
)
def test_input_examples_and_identifiers_are_refused(log, tmp_path, given):
    with pytest.raises(BadInput, match=r"No rows are logged|No identifier leaves"):
        log(**given)
    assert not (tmp_path / "artifacts").exists()


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_the_alias_follows_what_it_is_told_and_nothing_it_does_not_know(log, store):
    tracking.follow(store, "secondary_check", None)  # nothing to take off
    _, first = log()
    _, second = log({"trees-1.txt": b"tree"})
    for wanted in (first.name, second.name, first.name, None):
        tracking.follow(store, "secondary_check", wanted)
        assert tracking.champion(store, "secondary_check") == wanted
    with pytest.raises(BadInput, match="knows no version"):
        tracking.follow(store, "secondary_check", "c" * 32)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
def test_a_comparison_is_a_run_of_figures_and_never_of_persons(tmp_path, store):
    def logged(told):
        figures = {"shipped pr_auc": 0.4, "undefined": None}
        plain = {"parameters": {"folds": 3}, "metrics": figures, "comparison": told}
        return tracking.log_comparison(store, tmp_path / "artifacts", "secondary_check", **plain)

    with pytest.raises(BadInput, match="No identifier leaves"):
        logged({"groups": [PSEUDONYM]})
    assert not (tmp_path / "artifacts").exists()
    told = {"standings": [{"name": "shipped"}]}
    run = logged(told)
    assert json.loads(next((tmp_path / "artifacts").rglob("comparison.json")).read_text()) == told
    with tracking._client(store) as client:
        assert client.get_run(run).data.metrics == {"shipped pr_auc": 0.4}
