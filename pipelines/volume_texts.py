"""What planners are told of their flows, as text for a terminal and for Prefect's artifacts."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from models.risk.report import table
from pipelines.summary import short_name


def running_text(running: pa.Table, level: str) -> str:
    """The running day and month of one level: what has come, what is expected in all, what the run had said."""
    lines = []
    for period in ("day", "month"):
        told = running.filter(pc.and_(pc.equal(running["level"], level), pc.equal(running["period"], period)))
        rows = [
            (
                short_name(row["node"])
                + (" (feed silent)" if row["silent"] else "")
                + (f" (uncounted days: {row['uncounted']})" if row["uncounted"] else ""),
                f"{row['so_far']:,.0f}",
                f"{row['mean']:,.0f}",
                f"{row['q0.1']:,.0f} to {row['q0.9']:,.0f}",
                "" if row["forecast"] is None else f"{row['forecast']:,.0f}",
            )
            for row in told.sort_by([("mean", "descending")]).to_pylist()
        ]
        if rows:
            first = told.slice(0, 1).to_pylist()[0]
            name = f"{first['ds']:%A %d %B %Y}" if period == "day" else f"{first['ds']:%B %Y}"
            head = (f"{name}, until {first['until']:%d %B %H:%M}", "so far", "expected", "80% range", "forecast was")
            lines.append(table(head, rows))
    return "\n\n".join(lines) or f"The newest run tells nothing at the level {level}."
