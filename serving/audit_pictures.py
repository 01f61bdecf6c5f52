"""Pictures of an audit by group: each rate of each group with its interval, side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from evidence.groups import GroupTable
from evidence.intervals import Interval
from serving.drawing import Look, Spec, finished

_ROW: Final = 26
_LABELS: Final = 150  # pixels for the names of groups
SHARES: Final[Mapping[str, str]] = {
    "selection": "selection_rate",
    "confirmation": "confirmation_rate",
    "missed_risk": "missed_risk_rate",
    "false_positive": "false_positive_rate",
    "long_wait": "long_wait_rate",
}


def share_of(row: Any, rate: str) -> Interval:
    """The figure of one rate in a row of a table."""
    found: Interval = getattr(row, SHARES[rate])
    return found


def rates(table: GroupTable, named: Mapping[str, str], titles: Mapping[str, str], look: Look) -> Spec | None:
    """A panel per rate of `titles` that is known of some group; `named` are the groups' names to read. None where
    nothing is known of anyone."""
    shown = [rate for rate in titles if any(share_of(row, rate).value is not None for row in table.rows)]
    if not shown:
        return None
    import altair as alt

    order = [look.text(named[row.group]) for row in table.rows if row.shown]
    width = (look.width - _LABELS) // len(shown) - 24
    panels = [
        _panel(alt, table, rate, named, order, look).properties(
            width=width, height=_ROW * len(order), title=look.text(titles[rate])
        )
        for rate in (reversed(shown) if look.rtl else shown)
    ]
    chart = alt.hconcat(*panels, spacing=16)
    spec = finished(chart, look, look.language.say("audit.picture", what=", ".join(titles[r] for r in shown)))
    spec["config"]["title"] = {"anchor": "middle", "fontSize": 13, "color": look.colour("ink")}
    return spec


def _panel(alt: Any, table: GroupTable, rate: str, named: Mapping[str, str], order: Sequence[str], look: Look) -> Any:
    rows = [
        {"group": look.text(named[row.group]), "share": found.value, "low": found.low, "high": found.high}
        for row in table.rows
        if row.shown and (found := share_of(row, rate)).value is not None
    ]
    y = alt.Y("group:N", sort=order, title=None, scale=alt.Scale(domain=order)).axis(
        ticks=False, domain=False, grid=True, labelColor=look.colour("ink")
    )
    x = alt.X("low:Q", title=None, scale=alt.Scale(reverse=look.rtl, zero=True), axis=alt.Axis(format="%", tickCount=4))
    base = alt.Chart(alt.InlineData(values=rows)).encode(y=y)
    bars = base.mark_rule(strokeWidth=3, color=look.colour("accent"), opacity=0.45).encode(x=x, x2="high:Q")
    dots = base.mark_point(filled=True, size=80, color=look.colour("accent"), opacity=1).encode(x="share:Q")
    return bars + dots
