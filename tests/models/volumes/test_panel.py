"""What is wrong with a series is said by name; the others are forecast, and nothing is filled."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from models.volumes.calendars.feast_days import days_off
from models.volumes.counts.panel import Panel, read_panel
from models.volumes.options import Options, options_from_folds
from records.errors import BadInput


def days(name: str, y: list[float], start: str = "2024-01-01") -> pd.DataFrame:
    return pd.DataFrame({"unique_id": name, "ds": pd.date_range(start, periods=len(y), freq="D"), "y": y})


def said(panel: Panel, series: str) -> str:
    return " / ".join(note.problem for note in panel.notes if note.series == series)


GOOD = days("good", [5.0] * 40)


def test_a_gap_stays_missing_and_is_said() -> None:
    panel = read_panel(pd.concat([GOOD, days("gap", [1.0] * 40).drop(index=[10, 11])]), "D")
    row = panel.ids.index("gap")
    assert np.isnan(panel.values[row, 10:12]).all()
    assert "2 of 40 steps" in said(panel, "gap")
    assert said(panel, "good") == ""


@pytest.mark.parametrize(("value", "words"), [(-3.0, "negative"), (np.inf, "not finite")])
def test_impossible_counts_are_missing_and_said(value: float, words: str) -> None:
    panel = read_panel(pd.concat([GOOD, days("odd", [1.0] * 39 + [value])]), "D")
    assert np.isnan(panel.values[panel.ids.index("odd"), 39])
    assert words in said(panel, "odd")


def test_a_series_of_mostly_impossible_counts_is_refused() -> None:
    panel = read_panel(pd.concat([GOOD, days("bad", [-1.0] * 20 + [1.0] * 20)]), "D")
    assert panel.ids == ("good",)
    assert any(note.refused and note.series == "bad" for note in panel.notes)


def test_repeated_days_with_other_counts_are_missing_the_same_ones_kept() -> None:
    twice = pd.concat([GOOD, days("twice", [2.0] * 40), days("twice", [2.0]), days("twice", [9.0], "2024-01-02")])
    panel = read_panel(twice, "D")
    row = panel.values[panel.ids.index("twice")]
    assert row[0] == 2.0
    assert np.isnan(row[1])
    assert "2 repeated dates; 1 with different counts" in said(panel, "twice")


def test_mixed_steps_refuse_the_series_only() -> None:
    odd = days("odd", [1.0] * 40)
    odd.loc[3, "ds"] = pd.Timestamp("2024-01-04 05:00")
    panel = read_panel(pd.concat([GOOD, odd]), "D")
    assert panel.ids == ("good",)
    assert "mixed frequency" in said(panel, "odd")


def test_ending_early_all_zero_and_one_row_are_said() -> None:
    table = pd.concat([GOOD, days("early", [1.0] * 20), days("zero", [0.0] * 40), days("one", [4.0], "2024-02-09")])
    panel = read_panel(table, "D")
    assert "ends on 2024-01-20" in said(panel, "early")
    assert "every count is zero" in said(panel, "zero")
    assert "only 1 counts" in said(panel, "one")


def test_unknown_columns_and_nothing_usable_are_bad_input() -> None:
    with pytest.raises(BadInput, match=r"no column booths.*unique_id"):
        read_panel(GOOD, "D", known_ahead=("booths",))
    with pytest.raises(BadInput, match="not one of"):
        read_panel(GOOD, "W")
    with pytest.raises(BadInput, match="no rows"):
        read_panel(GOOD.iloc[:0], "D")
    with pytest.raises(BadInput, match="No series can be forecast as MS"):
        read_panel(GOOD, "MS")
    with pytest.raises(BadInput, match="numbers"):
        read_panel(GOOD.assign(y="many"), "D")
    with pytest.raises(BadInput, match="There is no file"):
        read_panel(Path("nowhere.parquet"), "D")
    with pytest.raises(BadInput, match="not in the table"):
        read_panel(GOOD, "D").only(["stranger"])


def test_an_hour_told_twice_in_autumn_is_reported() -> None:
    clock = pd.date_range("2024-10-26 22:00", periods=60, freq="h", tz="UTC").tz_convert("Europe/Paris")
    table = pd.DataFrame({"unique_id": "hall", "ds": clock, "y": np.arange(60.0)})
    panel = read_panel(table, "h")
    assert panel.zone == "Europe/Paris"
    assert "1 repeated dates; 1 with different counts" in said(panel, "hall")
    assert np.isnan(panel.values).sum() == 1


def test_an_hour_skipped_in_spring_stays_missing() -> None:
    clock = pd.date_range("2024-03-30 23:00", periods=60, freq="h", tz="UTC").tz_convert("Europe/Paris")
    panel = read_panel(pd.DataFrame({"unique_id": "hall", "ds": clock, "y": 1.0}), "h")
    assert "1 of 61 steps" in said(panel, "hall")


def test_a_folds_file_says_what_it_lacks() -> None:
    with pytest.raises(BadInput, match=r"preset\.freq"):
        options_from_folds({"preset": {"freq": "D"}})
    read = options_from_folds(
        {"preset": {"freq": "D", "h": 7}, "cutoffs": ["2024-01-20"], "holidays": "TN, FR", "hierarchy": ["post"]}
    )
    assert (read.holidays, read.hierarchy, read.horizon) == (("TN", "FR"), ("post",), 7)
    assert read.naming(holidays=("MY",)).holidays == ("MY",)
    with pytest.raises(BadInput, match="horizon"):
        Options("D", 0)


def test_a_row_without_a_series_is_left_out_and_said() -> None:
    panel = read_panel(pd.concat([GOOD, days("x", [1.0]).assign(unique_id=None)]), "D")
    assert panel.ids == ("good",)
    assert "1 rows without a unique_id" in said(panel, "")


def test_a_hierarchy_column_may_have_nulls() -> None:
    table = pd.concat([GOOD.assign(mode=None), days("other", [5.0] * 40).assign(mode="air")])
    assert sorted(read_panel(table, "D", hierarchy=["mode"]).groups["mode"].tolist()) == [0, 1]


@pytest.mark.parametrize(
    "ds", [GOOD["ds"].dt.strftime("%d/%m/%Y"), GOOD["ds"].dt.strftime("%Y%m%d").astype(int)], ids=["dd/mm", "number"]
)
def test_dates_that_could_be_misread_are_bad_input(ds: pd.Series) -> None:
    with pytest.raises(BadInput, match="2024-05-01"):
        read_panel(GOOD.assign(ds=ds), "D")


@pytest.mark.parametrize("named", [{"known_ahead": ["y"]}, {"hierarchy": ["ds"]}], ids=["y", "ds"])
def test_the_count_itself_is_never_known_ahead(named: dict[str, list[str]]) -> None:
    with pytest.raises(BadInput, match="known ahead"):
        read_panel(GOOD, "D", **named)


def test_a_folds_file_may_leave_out_series_and_name_zones() -> None:
    read = options_from_folds(
        {"preset": {"freq": "h", "h": 7}, "cutoffs": ["2024-01-20T05:00:00Z", "2024-01-20 05:00"], "unique_ids": None}
    )
    assert read.series == ()
    assert len(read.cutoff_steps(0)) == 1
    with pytest.raises(BadInput, match="Cutoffs must be dates"):
        Options("D", 7, cutoffs=("soon",)).cutoff_steps(0)


def test_countries_are_codes_in_either_case() -> None:
    assert Options("D", 7, holidays=("tn", " us-tx")).holidays == ("TN", "US-TX")
    with pytest.raises(BadInput, match="ISO codes"):
        days_off("TUNISIA", 2024, 2024)
