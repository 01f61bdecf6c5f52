"""A night's forecast adds up over levels and over time, knows closures exactly, and learns once for many nights."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from models.volumes.lake.flows import LakeFlows
from models.volumes.publishing.classes import class_table
from models.volumes.publishing.nightly import Size, Taught, came_table, flow_table, night, parent_of, possible_futures
from models.volumes.publishing.published import Card, Published, newest_nowcast, write, write_nowcast
from models.volumes.publishing.running import running
from models.volumes.rhythm import COLUMNS, RHYTHMS
from records.errors import BadInput

TODAY = np.datetime64("2025-07-10")
SMALL = Size(hours=72, days=24, months=2)
PORT, LAND = "mode=sea > governorate=Tunis > post=Goulette", "mode=land > governorate=Medenine > post=Ras Jedir"


def flows() -> LakeFlows:
    generator = np.random.default_rng(3)
    clock = pd.date_range("2025-02-01", "2025-07-09T23", freq="h")
    parts = []
    for post, level in ((PORT, 3.0), (LAND, 8.0)):
        for direction in ("entry", "exit"):
            usual = level * (1.0 + 0.8 * np.sin(clock.hour * np.pi / 12)) * (1.0 + 0.3 * (clock.day_of_week >= 5))
            parts.append(pd.DataFrame({"ds": clock, "y": generator.poisson(usual).astype(float), "node": post}))
            parts[-1]["unique_id"] = f"{post} > direction={direction}"
    hours = pd.concat(parts, ignore_index=True)
    for label, place in (("mode", 0), ("governorate", 1), ("post", 2), ("direction", 3)):
        hours[label] = hours["unique_id"].str.split(" > ").str[place].str.split("=").str[1]
    keys = ["unique_id", "mode", "governorate", "post", "direction"]
    days = hours.assign(ds=hours["ds"].dt.floor("D")).groupby([*keys, "ds"], as_index=False)["y"].sum()
    month = days["ds"].dt.to_period("M").dt.to_timestamp()
    months = days.assign(ds=month).groupby([*keys, "ds"], as_index=False)["y"].sum()
    counted = months[months["ds"] == "2025-07-01"].set_index("unique_id")["y"].to_dict()
    shut = ("Goulette", np.datetime64("2025-07-12T12"), np.datetime64("2025-07-15T00"))
    none = pa.table({"post": pa.array([], pa.string()), "direction": pa.array([], pa.string())})
    recent = hours[hours["ds"] >= "2025-06-11"]
    return LakeFlows(recent, days, months[months["ds"] < "2025-07-01"], TODAY, counted, {}, (shut,), none, (), {}, {})


@pytest.fixture(scope="module", autouse=True)
def _quick_members():
    """What adds up does so whichever members answer; trees take the longest."""
    with pytest.MonkeyPatch.context() as patch:
        for freq, rhythm in RHYTHMS.items():
            patch.setitem(RHYTHMS, freq, replace(rhythm, members=("smoothing", "naive")))
        yield


@pytest.fixture(scope="module")
def made():
    return night(flows(), size=SMALL)


@pytest.mark.parametrize("name", ["hours", "days", "months"])
def test_every_level_is_the_sum_of_the_one_below(made, name):
    table = flow_table(made.parts[name]).to_pandas()
    sums = table.groupby(["parent", "ds"])["mean"].sum()
    np.testing.assert_allclose(sums, table.set_index(["node", "ds"])["mean"].reindex(sums.index), atol=1e-6)
    assert (table[list(COLUMNS)].diff(axis=1).iloc[:, 1:] >= 0).all().all()
    assert {parent_of(node) for node in table["node"]} - {None} <= set(table["node"])


def test_hours_make_days_and_days_make_months_with_what_was_counted(made):
    hours, days, months = (flow_table(made.parts[name]).to_pandas() for name in ("hours", "days", "months"))
    dealt = hours.assign(ds=hours["ds"].dt.floor("D")).groupby(["node", "ds"])["mean"].sum()
    np.testing.assert_allclose(dealt, days.set_index(["node", "ds"])["mean"].reindex(dealt.index), atol=1e-6)
    july = days[days["ds"] < "2025-08-01"].groupby("node")["mean"].sum()
    told = months[months["ds"] == "2025-07-01"].set_index("node")["mean"]
    counted = flows().counted
    for node in counted:
        assert told[node] == pytest.approx(july[node] + counted[node], abs=1e-6)


def test_a_closure_is_exactly_zero_and_half_a_day_of_it_leaves_half(made):
    days = flow_table(made.parts["days"]).to_pandas()
    post = days[days["node"] == PORT].set_index("ds")
    assert (post.loc["2025-07-13":"2025-07-14", ["mean", *COLUMNS]] == 0).all().all()
    assert post.loc["2025-07-13":"2025-07-14", "closed"].all()
    assert not days[(days["node"] == LAND) | (days["node"] == "total")]["closed"].any()
    half = post.loc["2025-07-12", "mean"] / post.loc["2025-07-19", "mean"]
    assert 0.5 < half < 1.0  # the busier half of the day is the open one
    hours = flow_table(made.parts["hours"]).to_pandas()
    shut = hours[(hours["node"] == PORT) & (hours["ds"] == "2025-07-12T13")].iloc[0]
    assert (shut["mean"], shut["closed"]) == (0.0, True)


def test_counts_before_the_run_stand_beside_it_and_the_young_are_named(made):
    came = came_table(made).to_pandas()
    days = came[came["step"] == "days"].set_index(["node", "ds"])["y"]
    told = flows().days
    told = told[told["unique_id"].str.startswith(PORT)].groupby("ds")["y"].sum()
    assert days[PORT].to_dict() == told[told.index >= "2025-04-11"].to_dict()
    assert came[came["step"] == "hours"]["ds"].max() == pd.Timestamp("2025-07-09T23")
    assert {note.series for note in made.notes if note.problem.startswith("young")} == set(made.hierarchy.names)


def test_classes_add_up_to_their_flow_and_small_ones_are_told_together(made):
    flow = f"{PORT} > direction=entry"
    counted = {flow: {"visa": 500, "resident": 80, "crew": 9, "diplomat": 4}, f"{LAND} > direction=exit": {"visa": 7}}
    table = class_table(made.parts["days"], counted, cell=30).to_pandas()
    days = flow_table(made.parts["days"]).to_pandas().set_index(["node", "ds"])["mean"]
    sums = table.groupby(["node", "ds"])["mean"].sum()
    np.testing.assert_allclose(sums, days.reindex(sums.index), atol=1e-6)
    assert (table[list(COLUMNS)].diff(axis=1).iloc[:, 1:] >= 0).all().all()
    mine = table[(table["node"] == flow) & (table["ds"] == "2025-07-10")].set_index("class")["mean"]
    assert list(mine.index) == ["visa", "other"]  # crew and diplomats are too few even together
    assert mine["visa"] / mine.sum() == pytest.approx(500 / 593, abs=0.06)
    assert f"{LAND} > direction=exit" not in set(table["node"])


def test_what_was_learnt_is_kept_for_other_nights(made):
    taught = {name: part.taught for name, part in made.parts.items()}
    kept = {name: Taught.read(one.arrays(), one.pool, one.figures) for name, one in taught.items()}
    said: list[str] = []
    again = night(flows(), size=SMALL, taught=kept, progress=said.append)
    assert not any("learning" in line for line in said)
    first, second = (one.parts["days"].told.mean for one in (made, again))
    np.testing.assert_allclose(second, first, rtol=0.02, atol=0.5)
    assert taught["days"].figures["post"]["wape"] > 0


def test_a_flow_without_a_whole_month_is_named_and_left_out(made):
    all_flows = flows()
    young = all_flows.months[~all_flows.months["unique_id"].str.startswith(PORT)]
    told = night(replace(all_flows, months=young), size=SMALL, taught={n: p.taught for n, p in made.parts.items()})
    assert PORT not in told.hierarchy.names
    assert any(note.series.startswith(PORT) and "too new" in note.problem for note in told.notes)
    with pytest.raises(BadInput, match="hour, day and month"):
        night(replace(all_flows, months=young[young["direction"] == "exit"].assign(unique_id="another")), size=SMALL)


@pytest.fixture(scope="module")
def run(made, tmp_path_factory):
    noon = datetime(2025, 7, 10, 12, tzinfo=UTC)
    tables = {name: flow_table(part) for name, part in made.parts.items()}
    return write(
        tmp_path_factory.mktemp("home"), Published(tables, (), (), Card(noon, noon, "UTC"), possible_futures(made))
    )


def begun(hours: int, **came: float) -> LakeFlows:
    """The flows some hours into their first day: `came` an hour at the posts named, what is usual elsewhere."""
    told = flows()
    usual = told.days.groupby("unique_id")["y"].mean() / 24
    each = {name: came.get(name.split("post=")[1].split(" ")[0], mean) for name, mean in usual.items()}
    return replace(told, so_far={str(name): np.full(hours, float(count)) for name, count in each.items()})


def test_the_running_day_keeps_what_came_and_adds_up_inside_its_month(run):
    told = running(run, begun(10, Goulette=9.0)).to_pandas().set_index(["period", "node"])
    day, month = told.loc["day"], told.loc["month"]
    for period in (day, month):
        sums = period.groupby("parent")[["mean", "so_far"]].sum()
        np.testing.assert_allclose(sums, period[["mean", "so_far"]].reindex(sums.index), atol=1e-6)
        assert (period["q0.01"] >= period["so_far"] - 1e-9).all()
        assert (period[list(COLUMNS)].diff(axis=1).iloc[:, 1:] >= 0).all().all()
    assert day.loc[PORT, "so_far"] == 180.0
    assert day.loc[PORT, "mean"] > 1.3 * day.loc[PORT, "forecast"]
    assert day.loc[LAND, "mean"] == pytest.approx(day.loc[LAND, "forecast"], rel=0.5)
    later = run.table("days").to_pandas()
    rest = later[(later["ds"] > "2025-07-10") & (later["ds"] < "2025-08-01")].groupby("node")["mean"].sum()
    counted = sum(count for name, count in flows().counted.items() if name.startswith(PORT))
    assert month.loc[PORT, "mean"] == pytest.approx(counted + day.loc[PORT, "mean"] + rest[PORT], rel=1e-5)
    assert str(day.loc["total", "until"]) == "2025-07-10 10:00:00"


def test_before_anything_has_come_the_running_day_is_as_published(run):
    told = running(run, flows()).to_pandas().set_index(["period", "node"]).loc["day"]
    np.testing.assert_allclose(told["q0.5"], told["forecast"], rtol=1e-5, atol=1e-4)


def test_a_post_that_always_has_somebody_and_reports_nobody_is_a_silent_feed(run):
    told = running(run, begun(12, Goulette=0.0)).to_pandas().set_index(["period", "node"]).loc["day"]
    assert (told.loc[PORT, "silent"], told.loc[LAND, "silent"], told.loc["total", "silent"]) == (2, 0, 2)
    assert told.loc[PORT, "q0.5"] == pytest.approx(told.loc[PORT, "forecast"], rel=1e-5)


def test_a_broken_feed_leaves_the_month_as_high_and_less_sure(run):
    whole = begun(10)
    gone = np.arange(np.datetime64("2025-07-02"), np.datetime64("2025-07-08"))
    lost = whole.days[whole.days["ds"].isin(gone) & whole.days["unique_id"].str.startswith(LAND)]
    lost = lost.groupby("unique_id")["y"].sum()
    known = {name: count - lost.get(name, 0.0) for name, count in whole.counted.items()}
    broken = replace(whole, counted=known, uncounted=dict.fromkeys(lost.index, (gone, np.full(6, np.nan))))
    told, before = (running(run, one).to_pandas().set_index(["period", "node"]) for one in (broken, whole))
    month, usual = told.loc["month"], before.loc["month"]
    assert month.loc[LAND, "so_far"] == pytest.approx(usual.loc[LAND, "so_far"] - lost.sum())
    assert month.loc[LAND, "mean"] == pytest.approx(usual.loc[LAND, "mean"], rel=0.05)
    width, width_usual = (rows.loc[LAND, "q0.9"] - rows.loc[LAND, "q0.1"] for rows in (month, usual))
    assert width > 1.1 * width_usual
    assert (month.loc[LAND, "uncounted"], month.loc["total", "uncounted"], month.loc[PORT, "uncounted"]) == (6, 6, 0)
    assert (told.loc["day", "uncounted"] == 0).all()
    sums = month.groupby("parent")["mean"].sum()
    np.testing.assert_allclose(sums, month["mean"].reindex(sums.index), atol=1e-6)


def test_an_uncounted_day_is_in_the_months_of_a_run_and_in_its_notes(made):
    gone = {f"{LAND} > direction=entry": (np.array(["2025-07-03"], "datetime64[D]"), np.array([190.0]))}
    told = night(replace(flows(), uncounted=gone), size=SMALL, taught={n: p.taught for n, p in made.parts.items()})
    assert any("without a count: 1;" in note.problem for note in told.notes)
    usual = night(flows(), size=SMALL, taught={n: p.taught for n, p in made.parts.items()})
    more = (flow_table(one.parts["months"]).to_pandas().set_index(["node", "ds"])["mean"] for one in (told, usual))
    filled, known = (means.loc[(LAND, "2025-07-01")] for means in more)
    assert filled > known


def test_a_day_that_the_run_does_not_reach_needs_a_new_run(run):
    with pytest.raises(BadInput, match="Make a new one"):
        running(run, replace(flows(), first=np.datetime64("2025-07-20")))


def test_nowcasts_are_kept_beside_the_runs_and_the_newest_is_told(run):
    root = run.path.parent
    assert newest_nowcast(root) is None
    for hours in (6, 11):
        write_nowcast(root, datetime(2025, 7, 10, hours, tzinfo=UTC), running(run, begun(hours)))
    assert newest_nowcast(root)["until"][0].as_py() == datetime(2025, 7, 10, 11)  # noqa: DTZ001 - a clock of the place
    assert len(list((root / "nowcasts").iterdir())) == 2
