"""The five public sets with their cuts, what is no feature of them, and one backtest of each, made once a run."""

import os
import tempfile
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from pathlib import Path

import pandas as pd

from models.risk.backtest import Options, Report, backtest, prepare
from models.risk.encoding import TEST, TRAIN, VALID
from models.risk.profiles import PROFILES, WAYS, Part
from models.risk.sources import Columns, Sources

DERIVED = """\
log_price: log1p(item_price)
log_mass: log1p(net_mass)
log_unit: log_price - log_mass
price_cents: round(item_price * 100) % 100
duty: item_price * tax_rate / 100
"""
DECISION = ("frisked", "searched", "inspected", "found_without_search")
WHO = ("prot_race", "prot_sex", "prot_age")
WHO_LONDON = ("prot_ethnicity", "prot_ethnicity_self", "prot_gender", "prot_age")


@dataclass(frozen=True)
class Set:
    file: str
    cuts: tuple[str, str]
    columns: Columns
    post: str | None = None  # the column that is most like a post


SETS = {
    "customs": Set(
        "customs", ("2020-10-01", "2021-01-01"), Columns("y", "event_time", "row_id", ("y_critical",)), "office_id"
    ),
    "food": Set(
        "food_inspections", ("2013-10-01", "2014-01-01"), Columns("y", "event_time", "row_id", ("y_serious", "y_fail"))
    ),
    "stops_nyc": Set(
        "street_stops_nyc",
        ("2015-07-01", "2015-10-01"),
        Columns("y", "event_time", "row_id", ("y_weapon", "y_gun", *DECISION), WHO),
    ),
    "stops_nyc_weapon": Set(
        "street_stops_nyc",
        ("2015-07-01", "2015-10-01"),
        Columns("y_weapon", "event_time", "row_id", ("y", "y_gun", *DECISION), WHO),
    ),
    "london": Set(
        "searches_london",
        ("2018-09-01", "2018-10-01"),
        Columns("y", "event_time", "row_id", ("y_arrest", "outcome"), WHO_LONDON),
    ),
}


def shared() -> Path:
    """The folder above data/ and bench/."""
    return Path(os.environ["BASIRA_SHARED_DATA"]).resolve().parent


def source(name: str) -> Sources:
    return Sources(Path(os.environ["BASIRA_SHARED_DATA"]) / "risk" / f"{SETS[name].file}.parquet")


@cache
def options(name: str) -> Options:
    """The cuts and columns of a set; customs with the derived columns that its peers have too."""
    declared = SETS[name]
    columns = declared.columns
    if name == "customs":
        derivations = Path(tempfile.mkdtemp()) / "derive.yaml"
        derivations.write_text(DERIVED, encoding="utf-8")
        columns = replace(columns, derive=derivations)
    return Options(columns, *(datetime.fromisoformat(cut) for cut in declared.cuts))


@cache
def prepared(name: str) -> tuple[Part, Part, Part]:
    """Encoded rows and labels of training, validation and test."""
    ready = prepare(source(name), options(name))
    return ready.part(TRAIN), ready.part(VALID), ready.part(TEST)


@cache
def judged(name: str, profile: str = "shipped", *, short: bool) -> tuple[Report, pd.DataFrame]:
    """The report of a set's backtest, and its test rows: raw, score, label and day by row_id.

    The short form has fewer redraws, and tries each way of reading once.
    """
    budget, draws = (replace(PROFILES[profile], tries=len(WAYS)), 50) if short else (PROFILES[profile], 200)
    with tempfile.TemporaryDirectory() as written:
        out = Path(written) / "scores.parquet"
        report = backtest(source(name), replace(options(name), profile=budget, draws=draws), out=out)
        scores = pd.read_parquet(out)
    table = pd.read_parquet(str(source(name).table), columns=["row_id", "event_time", SETS[name].columns.label])
    table.columns = pd.Index(["row_id", "time", "label"])
    rows = scores[scores["split"] == "test"].merge(table, on="row_id")
    return report, rows[rows["label"].notna()].set_index("row_id")
