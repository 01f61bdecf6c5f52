"""Pictures for planners, as Vega-Lite specifications in the reader's language: fans, booths, costs, backlogs.

Days and months are written by the specification's own locale; moments are clocks of the place, written as they are.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from models.volumes.publishing.published import Word
from models.volumes.rhythm import COLUMNS, MEDIAN, quantiles_in
from serving import movers
from serving.drawing import Look, Spec, altair, finished, time_axis

FANS = (("q0.025", "q0.975", 0.16), ("q0.1", "q0.9", 0.24), ("q0.3", "q0.7", 0.34))
"""Ranges of a fan, the widest first, and how dark each is drawn over the others."""
MARGIN = 90
"""Pixels of a picture that its axis takes."""


def fan(table: pa.Table, step: str, look: Look, under: np.ndarray | None = None, came: pa.Table | None = None) -> Spec:
    """The forecast of one flow: median and ranges of 40, 80 and 95%, after what `came` (ds, y) before it. With `under`,
    quantiles (H, 15) of a scenario, the fan is the scenario's, and the published median and 80% range are dashed."""
    alt = altair()
    published = _rows(table, None)
    base = alt.Chart(alt.InlineData(values=published if under is None else _rows(table, under)))
    at = time_axis(step, look)
    colour = look.colour("accent") if under is None else look.colour("raises")
    title = look.language.say("flows.persons")
    fans = [
        base.mark_area(opacity=dark, color=colour, interpolate="monotone").encode(
            x=at, y=alt.Y(f"{_name(low)}:Q", title=title), y2=f"{_name(high)}:Q"
        )
        for low, high, dark in FANS
    ]
    layers = [*fans, base.mark_line(color=colour, strokeWidth=2, interpolate="monotone").encode(x=at, y="median:Q")]
    if under is not None:
        before = alt.Chart(alt.InlineData(values=published))
        for name, dash in (("median", [6, 3]), (_name("q0.1"), [2, 3]), (_name("q0.9"), [2, 3])):
            drawn = before.mark_line(
                color=look.colour("faint"), strokeDash=dash, strokeWidth=1.5, interpolate="monotone"
            )
            layers.append(drawn.encode(x=at, y=f"{name}:Q"))
    if came is not None and came.num_rows:
        past = [{"at": _clock(row["ds"]), "came": row["y"]} for row in came.to_pylist()]
        line = alt.Chart(alt.InlineData(values=past)).mark_line(
            color=look.colour("ink"), strokeWidth=1.5, point={"color": look.colour("ink"), "size": 12}
        )
        layers.append(line.encode(x=at, y="came:Q"))
    return _dressed(alt.layer(*layers), look, 280, title)


def moved(word: Word, look: Look) -> Spec:
    """What moved a forecast, as bars that begin where the one before them ended."""
    alt = altair()
    rows, at = [], 0.0
    for part, value in word.parts.items():
        said = look.language.number(value, decimals=0)
        label = movers.name_of(part, look.language)
        rows.append({"part": label, "from": at, "to": at + value, "up": value >= 0, "said": said})
        at += value
    colours = alt.Scale(domain=[True, False], range=[look.colour("accent"), look.colour("raises")])
    bars = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_bar()
        .encode(
            y=alt.Y("part:N", sort=[row["part"] for row in rows], title=None),
            x=alt.X("from:Q", title=look.language.say("flows.persons"), scale=alt.Scale(reverse=look.rtl)),
            x2="to:Q",
            color=alt.Color("up:N", legend=None, scale=colours),
            tooltip=["part:N", "said:N"],
        )
    )
    return _dressed(bars, look, 30 * len(rows), look.language.say("flows.moved"))


def hours(table: pa.Table, look: Look) -> Spec:
    """Booths (filled) and officers (line) by hour, for one post; rows of both directions add up."""
    alt = altair()
    summed = table.group_by("ds").aggregate([("booths", "sum"), ("officers", "sum")]).sort_by("ds").to_pylist()
    values = [{"at": _clock(r["ds"]), "booths": r["booths_sum"], "officers": r["officers_sum"]} for r in summed]
    step = "clock" if len({row["ds"].date() for row in summed}) == 1 else "hour"
    base, at = alt.Chart(alt.InlineData(values=values)), time_axis(step, look)
    most = max([1, *(row[name] for row in values for name in ("booths", "officers"))])
    whole = alt.Axis(tickCount=min(int(most), 6), format="d")  # of a few, no halves
    booths = base.mark_area(opacity=0.35, color=look.colour("accent"), interpolate="step-after").encode(
        x=at, y=alt.Y("booths:Q", title=look.language.say("staffing.booths_and_officers"), axis=whole)
    )
    officers = base.mark_line(color=look.colour("raises"), strokeWidth=2, interpolate="step-after").encode(
        x=at, y="officers:Q"
    )
    return _dressed(alt.layer(booths, officers), look, 220, look.language.say("staffing.booths_and_officers"))


def curve(table: pa.Table, look: Look) -> Spec:
    """What the promise costs at one post: booth-hours against the share of travellers in time."""
    alt = altair()
    values = table.select(["share_in_time", "booth_hours"]).to_pylist()
    drawn = (
        alt.Chart(alt.InlineData(values=values))
        .mark_line(point={"color": look.colour("accent"), "size": 45}, color=look.colour("accent"), strokeWidth=2)
        .encode(
            x=alt.X("share_in_time:Q", title=look.language.say("staffing.share"), scale=alt.Scale(zero=False)).axis(
                format="%", tickCount=5
            ),
            y=alt.Y("booth_hours:Q", title=look.language.say("staffing.booth_hours"), scale=alt.Scale(zero=False)),
            order="share_in_time:Q",
        )
    )
    return _dressed(drawn, look, 220, look.language.say("staffing.curve"))


def backlog(table: pa.Table, look: Look) -> Spec:
    """Open applications of one office, day by day, with their 80% range."""
    alt = altair()
    values = [
        {"at": _clock(r["ds"]), "mean": r["backlog_mean"], "low": r["backlog_q0.1"], "high": r["backlog_q0.9"]}
        for r in table.sort_by("ds").to_pylist()
    ]
    base, at = alt.Chart(alt.InlineData(values=values)), time_axis("day", look)
    title = look.language.say("offices.backlog")
    range_ = base.mark_area(opacity=0.25, color=look.colour("accent")).encode(
        x=at, y=alt.Y("low:Q", title=title), y2="high:Q"
    )
    return _dressed(
        alt.layer(range_, base.mark_line(color=look.colour("accent")).encode(x=at, y="mean:Q")), look, 220, title
    )


def _rows(table: pa.Table, under: np.ndarray | None) -> list[dict[str, object]]:
    values = quantiles_in(table) if under is None else under
    moments = [_clock(moment) for moment in table["ds"].to_pylist()]
    names = ["median" if place == MEDIAN else _name(column) for place, column in enumerate(COLUMNS)]
    return [
        {"at": at, **dict(zip(names, row, strict=True))}
        for at, row in zip(moments, values.round(2).tolist(), strict=True)
    ]


def _name(column: str) -> str:
    """A column's name without the point, which Vega-Lite would read as a field inside a field."""
    return column.replace(".", "_")


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M}Z"


def _dressed(chart: Any, look: Look, height: int, title: str) -> Spec:
    """A chart as wide as asked, as pictures here look, whose days and months are its reader's."""
    return finished(chart.properties(width=look.width - MARGIN, height=height), look, title)
