"""What changed since the last run is told by what the two runs read; a night is cached by all that it depends on."""

from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from models.volumes.publishing.published import write
from models.volumes.publishing.vintages import Reason
from pipelines.flows import forecast_task
from pipelines.steps.forecasting import changed
from pipelines.summary import changed_text, why_changed
from records.settings import settings
from tests.serving.published_run import MADE, RAS_JEDIR, published


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    told = published(MADE - timedelta(days=1))
    read = replace(told.card, counts={"total": (400, 9e5), RAS_JEDIR: (400, 3e5)})
    return write(tmp_path_factory.mktemp("home"), replace(told, card=read))


def higher(days: pa.Table, post: str) -> pa.Table:
    """The table with one post's median 5 persons higher."""
    more = pc.if_else(pc.equal(days["node"], post), 5.0, 0.0)
    return days.set_column(days.column_names.index("q0.5"), "q0.5", pc.add(days["q0.5"], more))


def test_two_runs_on_the_same_data_say_so(before):
    days = before.table("days")
    assert changed(before, before.card(), days) == (Reason("changed.nothing"), [])
    read, (moved,) = changed(before, before.card(), higher(days, RAS_JEDIR))
    assert (read.reason, moved.reason, moved.name) == ("changed.model", "changed.model", RAS_JEDIR)
    assert "same data" in why_changed({"reason": read.reason})


def test_new_days_are_counted_and_a_flow_without_any_moved_by_those_of_others(before):
    days = before.table("days")
    card = replace(before.card(), data_hash="another", counts={"total": (402, 91e4), RAS_JEDIR: (400, 3e5)})
    read, (moved,) = changed(before, card, higher(days, RAS_JEDIR))
    assert (read, moved.reason) == (Reason("changed.days", 2), "changed.others")
    card = replace(card, counts={"total": (402, 91e4), RAS_JEDIR: (401, 31e4)})
    (moved,) = changed(before, card, higher(days, RAS_JEDIR))[1]
    assert "new counts of 1 day(s)" in changed_text([vars(moved)])
    shut = days.set_column(days.column_names.index("closed"), "closed", pc.equal(days["node"], RAS_JEDIR))
    (moved,) = changed(before, card, higher(shut, RAS_JEDIR))[1]
    assert moved.reason == "changed.closure"


def test_a_cached_night_is_made_again_for_other_origins(tmp_path):
    def key(named: dict[str, str]) -> str:
        given = {"home": "", "data": "", "origins": settings(tmp_path, named).origins}
        return forecast_task.cache_policy.compute_key(SimpleNamespace(task=forecast_task), given, {})

    assert key({}) == key({}) != key({"BASIRA_ORIGINS": "land=DZ"})
