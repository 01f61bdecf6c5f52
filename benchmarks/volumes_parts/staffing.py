"""Booths by the forecast against booths by the last eight same hours, and simulated waits against recorded ones.

Halls are the 16 terminals of us_airport_immigration_hourly; travellers of both classes share their booths. From each
public cutoff of that set two plans are made for the 336 hours that follow, both by `booths_within`: every hour runs the
same risk of more than 48 travellers an open booth. Plan A knows the last eight same hours of the week; plan B the
quantiles of the hourly pool, without and with the flights of each hour known ahead. Both spend the same total of
booth-hours per hall and fold, in whole booths. Both leave an hour closed in which nobody came in the last eight weeks,
plan B with flights only where none lands. The total is what plan A asks for at 80% of its own past (the bar), and
beside it at 90%, at its mean, and what was really open. Counted are hours with more than 48 travellers an open booth.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.volumes_parts.sets import Folds, folds, table
from models.volumes.backtest import backtest
from models.volumes.desks.queue import fitted_service, travellers, waits
from models.volumes.desks.staffing import SATURATION, booths_within
from models.volumes.rhythm import COLUMNS, LEVELS

SET = "us_airport_immigration_hourly"
PAST = 8
WEEK = 168
TAUGHT = 28 * 24
"""Hours before the first cutoff that a hall's service is learnt from."""
PLANS = ("plain", "flights")


def halls() -> pd.DataFrame:
    """Hours of each hall: y, flights, booths, and recorded waits (average over travellers, and longest)."""
    rows = pd.read_parquet(table(SET))
    rows["unique_id"] = rows["airport"] + "|" + rows["terminal"]
    rows["waited"] = rows["y"] * rows["avg_wait_min"]
    hall = rows.groupby(["unique_id", "ds"], as_index=False).agg(
        y=("y", "sum"),
        flights=("flights", "max"),
        booths=("booths_open", "max"),
        waited=("waited", "sum"),
        longest=("max_wait_min", "max"),
    )
    hall["average"] = np.where(hall["y"] > 0, hall["waited"] / hall["y"].clip(lower=1), np.nan)
    return hall.drop(columns="waited")


@dataclass(frozen=True)
class Piece:
    """One hall from one cutoff: what came in H hours, booths really open, the last same hours (H, 8), and quantiles
    (H, 15) of each plan."""

    hall: str
    cutoff: pd.Timestamp
    came: np.ndarray
    open: np.ndarray
    past: np.ndarray
    flights: np.ndarray
    quantiles: dict[str, np.ndarray]

    def closed(self, plan: str) -> np.ndarray:
        """Hours (H,) that a plan leaves closed."""
        never = self.past[:, -1] == 0
        return never & (self.flights == 0) if plan == "flights" else never


def pieces(hours: pd.DataFrame, cut: Folds) -> Iterator[Piece]:
    """Every hall from every cutoff."""
    forecasts = {name: _forecasts(hours, cut, name) for name in PLANS}
    for hall, rows in hours.groupby("unique_id"):
        series = rows.set_index("ds")
        for cutoff in cut.cutoffs:
            until = cutoff + pd.Timedelta(hours=cut.preset["h"])
            ahead = series[(series.index > cutoff) & (series.index <= until)]
            known = series["y"][series.index <= cutoff].to_numpy()[-PAST * WEEK :].reshape(PAST, WEEK)
            yield Piece(
                str(hall),
                cutoff,
                ahead["y"].to_numpy(float),
                ahead["booths"].to_numpy(int),
                np.sort(known, axis=0).T[np.arange(len(ahead)) % WEEK],
                ahead["flights"].to_numpy(float),
                {name: found.loc[(hall, cutoff)].reindex(ahead.index).to_numpy() for name, found in forecasts.items()},
            )


def _forecasts(hours: pd.DataFrame, cut: Folds, name: str) -> pd.DataFrame:
    known = ("flights",) if name == "flights" else ()
    report = backtest(hours[["unique_id", "ds", "y", *known]], replace(cut.options(known_ahead=known), series=()))
    return report.forecasts.to_pandas().set_index(["unique_id", "cutoff", "ds"])[list(COLUMNS)]


def budgets(piece: Piece, rate: float) -> dict[str, int]:
    """Booth-hours that both plans get."""

    def asked(flows: np.ndarray) -> int:
        return int(np.ceil(flows / rate - 1e-9).sum())

    return {
        "past_80": asked(np.quantile(piece.past, 0.8, axis=1)),
        "past_90": asked(np.quantile(piece.past, 0.9, axis=1)),
        "past_mean": asked(piece.past.mean(axis=1)),
        "really_open": int(piece.open.sum()),
    }


def saturated(hours: pd.DataFrame, cut: Folds, rate: float = SATURATION) -> pd.DataFrame:
    """Hours above the saturation rate by plan, one row per hall, cutoff and budget."""
    rows = []
    even = np.linspace(0.0, 1.0, PAST)
    for piece in pieces(hours, cut):
        for budget, total in budgets(piece, rate).items():
            plans = {"past": booths_within(piece.past, even, total, rate=rate, closed=piece.closed("past"))}
            plans |= {
                name: booths_within(quantiles, LEVELS, total, rate=rate, closed=piece.closed(name))
                for name, quantiles in piece.quantiles.items()
            }
            above = {name: piece.came > rate * booths for name, booths in plans.items()}
            rows.append(
                {"hall": piece.hall, "cutoff": piece.cutoff, "budget": budget, "booth_hours": total}
                | {name: int(hit.sum()) for name, hit in above.items()}
                | {f"travellers_{name}": float(piece.came[hit].sum()) for name, hit in above.items()}
            )
    return pd.DataFrame(rows)


def still_open(hours: pd.DataFrame) -> pd.DataFrame:
    """The hours with booths as they must have been: where none is recorded, those of the hour before served on."""
    carried = hours["booths"].where(hours["booths"] > 0).groupby(hours["unique_id"]).ffill(limit=3)
    return hours.assign(booths=carried.fillna(0).astype(int))


def wait_errors(hours: pd.DataFrame, cut: Folds) -> pd.DataFrame:
    """Per hall: the service learnt before the first cutoff, and how far simulated waits after it are from recorded
    ones, beside a constant (the middle wait of the hours that taught)."""
    rows = []
    first, last = cut.cutoffs[0], cut.cutoffs[-1] + pd.Timedelta(hours=cut.preset["h"])
    for hall, of_hall in still_open(hours).groupby("unique_id"):
        taught = of_hall[of_hall["ds"] <= first].tail(TAUGHT)
        judged = of_hall[(of_hall["ds"] > first) & (of_hall["ds"] <= last)]
        if taught["average"].notna().sum() < 50:
            continue
        past = {name: taught[name].to_numpy(float) for name in ("y", "booths", "average", "flights", "longest")}
        service = fitted_service(*past.values())
        who = travellers(judged["y"].to_numpy(float), service, judged["flights"].to_numpy())
        simulated = waits(who, judged["booths"].to_numpy())
        recorded = judged["average"].notna().to_numpy()
        real = judged[recorded]
        rows.append(
            {
                "hall": hall,
                "hours": len(real),
                "minutes": service.minutes,
                "group": service.group,
                "walk": service.walk,
                "tail": service.tail,
                "average_error": _error(real["average"], simulated.average[0][recorded] + service.walk),
                "average_error_of_constant": _error(real["average"], taught["average"].median()),
                "average_recorded": real["average"].mean(),
                "average_simulated": (simulated.average[0][recorded] + service.walk).mean(),
                "longest_error": _error(real["longest"], simulated.maximum[0][recorded] + service.walk + service.tail),
                "longest_error_of_constant": _error(real["longest"], taught["longest"].median()),
                "longest_recorded": real["longest"].mean(),
                "longest_simulated": (simulated.maximum[0][recorded] + service.walk + service.tail).mean(),
            }
        )
    return pd.DataFrame(rows)


def _error(real: pd.Series, said: Any) -> float:
    return float(np.abs(real.to_numpy() - said).mean())


def measure() -> dict[str, float]:
    """Print what was measured as JSON lines; the value of the bar by its name."""
    from benchmarks.volumes_parts.bars import say

    hours, cut = halls(), folds(SET)
    errors = wait_errors(hours, cut)
    weights = errors["hours"] / errors["hours"].sum()
    numbers = errors.drop(columns=["hall", "hours"])
    say(part="staffing", what="waits", halls=len(errors), **(numbers.mul(weights, axis=0).sum()).to_dict())
    found = saturated(hours, cut)
    saved: dict[str, float] = {}
    for budget, rows in found.groupby("budget", sort=False):
        total = rows.sum(numeric_only=True)
        told = {f"saved_{name}": float(1 - total[name] / total["past"]) for name in PLANS}
        say(part="staffing", what="saturated hours", budget=str(budget), **total.to_dict(), **told)
        if budget == "past_80":
            saved = told
    return {"volumes_saturated_hours_saved": saved["saved_flights"]}


if __name__ == "__main__":
    from benchmarks.volumes_parts.bars import say

    for bar, value in measure().items():
        say(bar=bar, value=value)
