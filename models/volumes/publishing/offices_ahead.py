"""What comes to the foreigners' offices, as published: applications, caseload, renewals that fall due, the stock."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from models.volumes.adding_up.paths import dependence, draw
from models.volumes.backtest import prepare
from models.volumes.calendars.almanac import PLAIN, Almanac
from models.volumes.offices.caseload import TIMETABLE, Applications, Timetable, caseload, officers_needed
from models.volumes.offices.renewals import Permits, learnt, renewals_due
from models.volumes.offices.stock import Stock
from models.volumes.options import Options
from models.volumes.pooling.pool import mean_of
from models.volumes.pooling.rolling import Progress, Rehearsal, roll
from models.volumes.publishing.published import TABLES
from models.volumes.rhythm import COLUMNS, LEVELS, MEDIAN

MEMBERS = ("naive", "same_season", "like_days", "smoothing")
"""Members that answer a few applications a day; trees find nothing more in them."""
TEACHING = 2
DRAWS = 201
RENEWAL_MONTHS = 12


def office_tables(
    known: Applications,
    today: np.datetime64,
    *,
    days: int = 90,
    countries: Sequence[str] = ("TN",),
    almanac: Almanac = PLAIN,
    timetable: Timetable = TIMETABLE,
    progress: Progress | None = None,
) -> dict[str, pa.Table]:
    """The tables `offices` and `caseload` for the days from `today` on. Paths of an office's two kinds of application
    are drawn together, so that the caseload has their common ups and downs."""
    options = Options("D", days, holidays=tuple(countries), hierarchy=("office", "kind"))
    panel = prepare(known.counts, options)
    panel = replace(panel, rhythm=replace(panel.rhythm, members=MEMBERS))
    origin = int(today.astype(np.int64)) - 1
    (made,) = roll(panel, [origin], days, countries, almanac=almanac, teaching=TEACHING, progress=progress)
    clock = today + np.arange(days)
    told = np.isfinite(made.quantiles).all(axis=(1, 2))
    names = [name.rsplit("|", 1) for name in panel.ids]
    rows = np.flatnonzero(told)
    offices = _quantile_table(
        {
            "office": np.repeat([names[row][0] for row in rows], days),
            "kind": np.repeat([names[row][1] for row in rows], days),
            "ds": np.tile(clock, len(rows)).astype("datetime64[us]"),
        },
        mean_of(made.quantiles[rows].reshape(-1, len(LEVELS))),
        made.quantiles[rows].reshape(-1, len(LEVELS)),
    )
    past = [Rehearsal(old.quantiles[rows], old.actual[rows]) for old in made.past]
    paths = draw(made.quantiles[rows], dependence(past, len(rows), days), DRAWS)
    hours = timetable.hours(clock)
    parts = []
    for office in known.offices:
        mine = [place for place, row in enumerate(rows) if names[row][0] == office.office]
        came = paths[mine].sum(axis=0).T if mine else np.zeros((1, days))
        made_of = caseload(came, office, hours)
        needed = officers_needed(came, office, hours)
        parts.append(
            pa.table(
                {
                    "office": [office.office] * days,
                    "ds": pa.array(clock.astype("datetime64[us]")),
                    "backlog_mean": made_of.backlog.mean(axis=0),
                    "backlog_q0.1": made_of.backlog_quantiles[:, COLUMNS.index("q0.1")],
                    "backlog_q0.9": made_of.backlog_quantiles[:, COLUMNS.index("q0.9")],
                    "days_median": made_of.median_days[:, MEDIAN],
                    "days_p90": made_of.late_days[:, MEDIAN],
                    "promised_days": [office.promised_days] * days,
                    "officers": [office.officers] * days,
                    "officers_needed": pa.array([needed] * days, pa.int64()),
                }
            )
        )
    return {"offices": offices, "caseload": pa.concat_tables(parts) if parts else TABLES["caseload"].empty_table()}


def renewals_table(known: Permits) -> pa.Table:
    """Renewals that fall due by category and month, the running month from today on."""
    by_category = replace(known, office=known.category, offices=known.categories)
    this_month = known.today.astype("datetime64[M]")
    days = int(((this_month + RENEWAL_MONTHS).astype("datetime64[D]") - known.today).astype(int))
    due = renewals_due(by_category, learnt(by_category), days)
    month = (known.today + np.arange(days)).astype("datetime64[M]")
    begin = np.flatnonzero(np.append(True, month[1:] != month[:-1]))
    mean = np.add.reduceat(due.mean, begin, axis=1)
    quantiles = np.moveaxis(np.quantile(np.add.reduceat(due.paths, begin, axis=2), LEVELS, axis=0), 0, -1)
    count = len(due.offices)
    named = {
        "category": np.repeat(due.offices, len(begin)),
        "ds": np.tile(month[begin], count).astype("datetime64[us]"),
    }
    return _quantile_table(named, mean.ravel(), quantiles.reshape(-1, len(LEVELS)))


def stock_table(known: Stock) -> pa.Table:
    """Foreigners present: all, by regime, and by regime and post of entry ("visa|la-goulette") above the threshold."""
    told = [cell for cell in known.cells if cell.present is not None and cell.quantiles is not None]
    groups = ["all"] + [cell.regime if cell.post is None else f"{cell.regime}|{cell.post}" for cell in told]
    mean = np.array([known.present, *[cell.present for cell in told]], float)
    quantiles = np.stack([known.quantiles, *[cell.quantiles for cell in told if cell.quantiles is not None]])
    return _quantile_table({"group": np.array(groups)}, mean, quantiles)


def _quantile_table(named: dict[str, np.ndarray], mean: np.ndarray, quantiles: np.ndarray) -> pa.Table:
    columns = {name: pa.array(values) for name, values in named.items()}
    columns["mean"] = pa.array(mean)
    return pa.table(columns | {name: pa.array(quantiles[:, place]) for place, name in enumerate(COLUMNS)})
