"""The kernels against a double loop: ties, late rows, corrections, empty histories."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import windows
from features.columns import NEVER
from features.declaration import (
    Aggregate,
    count,
    distinct,
    largest,
    last,
    mean,
    mean_gap,
    share,
    smallest,
    time_since,
    total,
)

MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Row:
    entity: int
    happened: int
    known: int
    superseded: int
    value: float | None


@st.composite
def _rows(draw: st.DrawFn) -> Row:
    """Instants close together, so that ties are common; a third of the rows late, a third corrected."""
    happened = draw(st.integers(0, 12))
    known = happened + draw(st.sampled_from([0, 0, 1, 5]))
    superseded = draw(st.sampled_from([NEVER, NEVER, known + draw(st.integers(0, 6))]))
    value = draw(st.sampled_from([None, 0.0, 0.1, 0.2, 1.5, 7.0]))
    return Row(draw(st.integers(0, 3)), happened, known, superseded, value)


ASKS = st.lists(st.tuples(st.integers(-1, 4), st.integers(0, 20)), max_size=12)
AGGREGATES = {
    "count": count,
    "sum": total("value"),
    "mean": mean("value"),
    "distinct": distinct("value"),
    "min": smallest("value"),
    "max": largest("value"),
    "last": last("value"),
    "time_since": time_since,
    "mean_gap": mean_gap,
    "share": share(value=(0.1, 7.0)),
}


def oracle(how: Aggregate, rows: list[Row], width: int | None, entity: int, at: int) -> float | None:  # noqa: PLR0911 - one line per aggregate is what makes it obvious
    if entity < 0:
        return None
    visible = [
        r
        for r in rows
        if r.entity == entity
        and r.happened < at
        and (width is None or r.happened >= at - width)
        and r.known <= at < r.superseded
        and (r.value is not None or (how.column is None and not how.conditions))
    ]
    values = [r.value for r in visible if r.value is not None]
    instants = sorted(r.happened for r in visible)
    match how.name:
        case "count":
            return len(visible)
        case "sum":
            return sum(values)
        case "mean":
            return sum(values) / len(values) if values else None
        case "distinct":
            return len(set(values))
        case "min":
            return min(values, default=None)
        case "max":
            return max(values, default=None)
        case "last":
            return max(((r.happened, r.known, r.value or 0.0) for r in visible), default=(0, 0, None))[2]
        case "time_since":
            return (at - instants[-1]) / windows.DAY_US if instants else None
        case "mean_gap":
            gaps = np.diff(instants)
            return float(gaps.mean()) / windows.DAY_US if len(gaps) else None
        case _:
            return sum(v in (0.1, 7.0) for v in values) / len(values) if values else None


def _asks(entity: list[int], at: list[int]) -> windows.Asks:
    moments = np.array(at, np.int64)
    return windows.asks(np.array(entity, np.int64), moments, np.argsort(moments, kind="stable"))


def _stream(rows: list[Row]) -> windows.Stream:
    def column(name: str) -> np.ndarray:
        return np.array([getattr(r, name) for r in rows], np.int64)

    values = pa.table({"value": pa.array([r.value for r in rows], pa.float64())})
    order = np.lexsort((column("happened"), column("entity")))
    times = (column(name)[order] for name in ("happened", "known", "superseded"))
    return windows.Stream(column("entity")[order], *times, order, values)


@pytest.mark.parametrize("name", AGGREGATES)
@settings(deadline=None)  # the first call may compile
@given(rows=st.lists(_rows(), max_size=15), asks=ASKS, width=st.sampled_from([None, 1, 4, 30]))
def test_kernel_says_what_the_double_loop_says(
    name: str, rows: list[Row], asks: list[tuple[int, int]], width: int | None
) -> None:
    how = AGGREGATES[name]
    at = _asks([e for e, _ in asks], [t for _, t in asks])
    found = windows.aggregated(how, _stream(rows), None if width is None else width * MICROSECOND, at)
    expected = [oracle(how, rows, width, e, t) for e, t in asks]
    np.testing.assert_allclose(found, np.array(expected, float), rtol=1e-12, atol=1e-18)


def test_a_window_includes_its_start_and_not_its_end() -> None:
    rows = [Row(0, 10, 10, NEVER, 1.0)]
    at = _asks([0] * 4, [10, 11, 15, 16])
    found = windows.aggregated(count, _stream(rows), 5 * MICROSECOND, at)
    assert np.asarray(found).tolist() == [0, 1, 1, 0]


def test_what_is_added_to_a_sum_can_be_taken_out_without_a_trace() -> None:
    rows = [Row(0, k, k, NEVER, v) for k, v in enumerate([0.1, 1e6, 0.2])]
    at = _asks([0, 0], [3, 4])
    found = windows.aggregated(total("value"), _stream(rows), 2 * MICROSECOND, at)
    assert np.asarray(found).tolist() == [1000000.2, 0.2]
