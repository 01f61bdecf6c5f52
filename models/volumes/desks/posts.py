"""Booths and officers of every post for the hours ahead, from the paths that the forecast is read from."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from models.volumes.desks.queue import Service
from models.volumes.desks.staffing import CERTAINTIES, Plan, Promise, promise_curve, roster

SHIFT_STARTS, SHIFT_HOURS = (0, 8, 16), (8,)
MOST_PATHS, MOST_TRAVELLERS = 101, 200_000
"""Paths and travellers that one flow's plan is tried on, at most; never on fewer than 20 paths."""


@dataclass(frozen=True)
class Staffed:
    """The plan of one flow: travellers (H,) at the chosen quantile, its plan, officers (H,) in shifts, and the curve
    as (share in time, booth-hours) by CERTAINTIES."""

    post: str
    direction: str
    travellers: np.ndarray
    plan: Plan
    officers: np.ndarray
    curve: tuple[tuple[float, int], ...]


def staffed(
    post: str,
    direction: str,
    paths: np.ndarray,
    most: int,
    promise: Promise | None = None,
    service: Service | None = None,
) -> Staffed:
    """The plan of one flow on paths (P, H) of hourly arrivals from a midnight on, with at most `most` booths."""
    promise, service = promise or Promise(), service or Service()
    whole = _whole(paths)
    levels = sorted({*CERTAINTIES, promise.quantile})
    plans = dict(promise_curve(whole, service, promise, most=most, quantiles=levels))
    plan = plans[promise.quantile]
    curve = tuple((plans[level].share_in_time, plans[level].booth_hours) for level in CERTAINTIES)
    usual = np.quantile(paths, promise.quantile, axis=0)
    return Staffed(post, direction, usual, plan, _officers(plan.booths), curve)


def staffing_tables(plans: list[Staffed], hours: np.ndarray) -> dict[str, pa.Table]:
    """The tables `staffing` and `curve`; a post's share in time is that of all its travellers, whatever direction."""
    parts = [
        pa.table(
            {
                "post": [made.post] * len(hours),
                "direction": [made.direction] * len(hours),
                "ds": pa.array(hours.astype("datetime64[us]")),
                "travellers": made.travellers,
                "booths": made.plan.booths,
                "officers": made.officers,
                "share_in_time": made.plan.in_time,
            }
        )
        for made in plans
    ]
    rows = []
    for post in sorted({made.post for made in plans}):
        mine = [made for made in plans if made.post == post]
        weight = np.array([made.travellers.sum() + 1e-9 for made in mine])
        for step in zip(*(made.curve for made in mine), strict=True):
            share = float(np.average([s for s, _ in step], weights=weight))
            rows.append({"post": post, "share_in_time": share, "booth_hours": float(sum(h for _, h in step))})
    return {"staffing": pa.concat_tables(parts), "curve": pa.Table.from_pylist(rows)}


def booths_at(posts: pa.Table) -> Mapping[str, int]:
    """Booths by post, as the table `posts` last told; a post that names none has one."""
    told = posts.sort_by("happened_at").to_pylist()
    return {row["post"]: max(row["booths"] or 1, 1) for row in told}


def _whole(paths: np.ndarray, seed: int = 7) -> np.ndarray:
    """Whole travellers on as many of the paths as the limit allows; a share of one becomes one that often."""
    kept = int(np.clip(MOST_TRAVELLERS / max(paths.sum(axis=1).mean(), 1.0), 20, min(MOST_PATHS, len(paths))))
    chosen = paths[np.linspace(0, len(paths) - 1, kept).astype(int)]
    return np.asarray(np.floor(chosen + np.random.default_rng(seed).random(chosen.shape)))


def _officers(booths: np.ndarray) -> np.ndarray:
    return roster(booths, starts=SHIFT_STARTS, lengths=SHIFT_HOURS).on_duty
