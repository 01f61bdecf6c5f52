"""Reference supplies: posts, offices, the calendar, closures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa

from records.calendar import calendar_rows
from records.posts import office_rows, post_rows
from records.sample.horizon import DAY, Horizon
from records.sample.places import Places
from records.sample.strings import chosen, instants


def reference_rows(span: Horizon, where: Places, size: float) -> dict[str, pa.Table]:
    """Table → its rows. Places are known from a thousand days before the horizon on, when the oldest files begin.

    `size` is the world's traffic as a share of the real one: posts can check fewer where fewer come.
    """
    from_then = datetime.fromtimestamp(span.start, UTC) - timedelta(days=1_200)
    return {
        "posts": _fitted(post_rows(from_then), size),
        "offices": office_rows(from_then),
        "calendar": calendar_rows(span.first - timedelta(days=1_100), span.date_of(span.days + 400)),
        "closures": _closure_rows(span, where),
    }


def _fitted(posts: pa.Table, size: float) -> pa.Table:
    checks = np.maximum(1, np.rint(posts["checks_per_shift"].to_numpy() * size)).astype(np.int64)
    return posts.set_column(posts.column_names.index("checks_per_shift"), "checks_per_shift", pa.array(checks))


def _closure_rows(span: Horizon, where: Places) -> pa.Table:
    closures = where.closures
    n = len(closures)
    first = np.array([c.first for c in closures])
    last = np.array([c.last for c in closures])
    starts, ends = span.moment(first, np.zeros(n, np.int64)), span.moment(last + 1, np.zeros(n, np.int64))
    kinds, sources = ("closed", "limited"), sorted({c.source for c in closures})
    announced = starts - np.where(np.arange(n) % 2 == 0, DAY, 6 * 3_600)
    return pa.table(
        {
            "closure_id": [f"closure-{i:04d}" for i in range(n)],
            "place": chosen(np.array([c.post for c in closures]), [p.post for p in where.posts]),
            "place_kind": ["post"] * n,
            "until_at": instants(ends),
            "kind": chosen(np.array([kinds.index(c.kind) for c in closures]), kinds),
            "source": chosen(np.array([sources.index(c.source) for c in closures]), sources),
            "happened_at": instants(starts),
            "known_at": instants(announced),
        }
    )
