"""Pictures of a watch: evidence day by day, what was found beside what was promised, and inputs that shifted most."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from evidence.intervals import wilson
from models.risk.watching import ALARM, PERIOD_DAYS
from serving.drawing import Look, Spec, altair, finished, time_axis
from serving.watches import CLAIMED, MOST, Row, Standing, beyond, input_in_words, periods

COLOURS: Final = {"calibration": "accent", "prevalence": "raises"}
INPUTS: Final = 12  # with a row of their own
_ROW: Final = 26


def evidence(found: Standing, look: Look) -> Spec:
    """Evidence against each claim by day, on a scale of powers, with the line at which there is an alarm."""
    alt, say = altair(), look.language.say
    names = {what: look.text(say(key)) for what, key in CLAIMED.items()}
    # Below a thousandth is as good as nothing, beyond a million as good as proven: the line runs along the edge.
    values = [
        {"at": _day(row["day"]), "claim": names[claim.what], "evidence": min(max(row["evidence"], 1e-3), MOST)}
        for claim in found.claims
        for row in claim.rows
    ]
    top = max(4 * ALARM, *(row["evidence"] for row in values))
    y = alt.Y("evidence:Q", title=None, scale=alt.Scale(type="log", domain=[1e-3, top])).axis(
        values=[1e-3, 1e-2, 1e-1, 1, 10, ALARM, 1e3, 1e4, 1e5, 1e6], format=",~f"
    )
    colour = alt.Color("claim:N", title=None, legend=_legend(look)).scale(
        domain=list(names.values()), range=[look.colour(COLOURS[what]) for what in names]
    )
    lines = (
        alt.Chart(alt.InlineData(values=values))
        .mark_line(strokeWidth=2, interpolate="step-after")
        .encode(x=time_axis("day", look), y=y, color=colour)
    )
    bar = alt.Chart(alt.InlineData(values=[{"evidence": ALARM, "words": look.text(say("watch.evidence.alarm"))}]))
    rule = bar.mark_rule(strokeDash=[6, 3], color=look.colour("ink")).encode(y=y)
    edge = look.width - _margin(look) if look.rtl else 0
    words = bar.mark_text(
        align="right" if look.rtl else "left",
        dx=look.onward(6),
        dy=-4,
        baseline="bottom",
        fontSize=13,
        color=look.colour("ink"),
    ).encode(y=y, x=alt.value(edge), text="words:N")
    return _dressed(alt.layer(rule, lines, words), look, 240, say("watch.evidence.title"))


def by_period(found: Standing, look: Look) -> Spec | None:
    """Of 100 cases of each four weeks: found (a dot with its interval), promised (a dash), and what was found before
    allows (a band). None before the first finding."""
    alt, language = altair(), look.language
    calibration, prevalence = found.claims
    rows = []
    for first, findings, confirmed, expected in periods(calibration, PERIOD_DAYS):
        if findings:
            range_ = wilson(confirmed, findings)
            shares = {"found": range_.value, "low": range_.low, "high": range_.high, "promised": expected / findings}
            middle = first + timedelta(days=PERIOD_DAYS // 2)
            rows.append({"at": _day(middle)} | {name: 100 * (share or 0.0) for name, share in shares.items()})
    if not rows:
        return None
    keys = {"found": "watch.found.found", "promised": "watch.found.promised"}
    said = {name: look.text(language.say(key)) for name, key in keys.items()}
    base = alt.Chart(alt.InlineData(values=rows))
    y = alt.Y("found:Q", title=look.text(language.say("watch.found.share")), scale=alt.Scale(domainMin=0))
    colour = alt.Color("series:N", title=None, legend=_legend(look)).scale(
        domain=list(said.values()), range=[look.colour("accent"), look.colour("raises")]
    )
    allowed = {"low": 100 * prevalence.now["low"], "high": 100 * prevalence.now["high"]}
    band = (
        alt.Chart(alt.InlineData(values=[allowed]))
        .mark_rect(opacity=0.13, color=look.colour("faint"))
        .encode(y=alt.Y("low:Q"), y2="high:Q")
    )
    at = time_axis("day", look, 14)
    layers = [base.mark_rule(strokeWidth=2, color=look.colour("accent")).encode(x=at, y="low:Q", y2="high:Q")]
    dot = {"filled": True, "size": 90}
    dash = {"shape": "stroke", "size": 420, "strokeWidth": 3}
    for name, axis, mark in (("found", y, dot), ("promised", alt.Y("promised:Q"), dash)):
        of = base.transform_calculate(series=repr(said[name])).mark_point(opacity=1, **mark)
        layers.append(of.encode(x=at, y=axis, color=colour))
    # Nothing was found before that could be compared with: the whole page would be a band.
    drawn = [band, *layers] if prevalence.now["needed"] is not None or allowed["high"] < 50 else layers
    return _dressed(alt.layer(*drawn), look, 240, language.say("watch.found.title"))


def shifts(found: Standing, look: Look) -> Spec | None:
    """The inputs that shifted most: their distance as a bar, and a tick at what chance reaches. None without any."""
    alt, language = altair(), look.language
    most: list[Row] = sorted(found.inputs, key=beyond, reverse=True)[:INPUTS]
    if not most:
        return None
    names = [look.text(input_in_words(row, found.kind, language)["title"]) for row in most]
    rows = [{"input": n, "psi": row["psi"], "limit": row["psi_limit"]} for n, row in zip(names, most, strict=True)]
    base = alt.Chart(alt.InlineData(values=rows))
    top = 1.05 * max(max(row["psi"], row["limit"]) for row in rows)
    scale = alt.Scale(domain=[0, top], reverse=look.rtl, nice=False)
    x = alt.X("psi:Q", scale=scale, title=look.text(language.say("watch.inputs.distance"))).axis(
        tickCount=3 if look.narrow else 5
    )
    y = alt.Y("input:N", sort=names, title=None).axis(
        ticks=False, domain=False, labelColor=look.colour("ink"), labelLimit=150 if look.narrow else 330
    )
    bars = base.mark_bar(color=look.colour("accent"), opacity=0.75).encode(y=y, x=x)
    ticks = base.mark_tick(color=look.colour("raises"), thickness=3, size=_ROW - 6).encode(
        y=y, x=alt.X("limit:Q", scale=scale)
    )
    chart = alt.layer(bars, ticks).properties(width=look.width - (165 if look.narrow else 340), height=_ROW * len(rows))
    return finished(chart, look, language.say("watch.inputs.title"))


def _margin(look: Look) -> int:
    """Pixels that labels of an axis take."""
    return 65 if look.narrow else 110


def _legend(look: Look) -> Any:
    return altair().Legend(labelLimit=0, columns=1 if look.narrow else 0)


def _day(day: Any) -> str:
    return f"{day:%Y-%m-%d}T00:00Z"


def _dressed(chart: Any, look: Look, height: int, title: str) -> Spec:
    return finished(chart.properties(width=look.width - _margin(look), height=height), look, title)
