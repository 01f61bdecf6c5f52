"""Pictures of many explanations: which reasons drive scores at each place this week, and how they drift."""

from __future__ import annotations

from typing import Any, Literal

from features.groups import GROUPS
from serving.drawing import Look, Spec, finished
from serving.drivers import Week
from serving.places import name_of

PLACES = 15  # with a row of their own, the busiest first
_ROW = 30


def drift(week: Week, look: Look) -> Spec | None:
    """Each group's share of what moved: a ring for the month before, a disc for this week; None without scores."""
    now, before = week.now.shares, week.before.shares
    if not now:
        return None
    import altair as alt

    say, code = look.language.say, look.language.code
    names = {"now": look.text(say("drivers.now")), "before": look.text(say("drivers.before"))}
    titles = {g: look.text(GROUPS[g][code]) for g in now}
    rows = [
        {"group": title, "share": shares.get(g, 0.0), "when": names[when]}
        for when, shares in (("before", before), ("now", now))
        for g, title in titles.items()
        if shares
    ]
    moved = [{"group": title, "from": before.get(g, 0.0), "to": now[g]} for g, title in titles.items() if before]
    y = alt.Y("group:N", sort=list(titles.values()), title=None).axis(
        ticks=False, domain=False, labelColor=look.colour("ink"), grid=True, labelLimit=185 if look.narrow else 190
    )
    top = 1.08 * max([*now.values(), *before.values()])
    scale = alt.Scale(domain=[0, top], reverse=look.rtl, nice=False)
    hundredth = look.language.share(0.01).replace("1", "' + format(100 * datum.value, 'd') + '")
    axis = alt.Axis(
        labelExpr=f"'{hundredth}'",
        tickCount=3 if look.narrow else 5,
        orient="bottom",
        title=None if look.narrow else look.text(say("drivers.share")),
    )
    lines = (
        alt.Chart(alt.InlineData(values=moved))
        .mark_rule(strokeWidth=3, color=look.colour("accent"), opacity=0.45)
        .encode(y=y, x=alt.X("from:Q", scale=scale, axis=axis), x2="to:Q")
    )
    fill = alt.Fill("when:N", title=None).scale(
        domain=[names["before"], names["now"]], range=[look.colour("card"), look.colour("accent")]
    )
    dots = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_point(size=110, stroke=look.colour("accent"), strokeWidth=2, opacity=1)
        .encode(y=y, x=alt.X("share:Q", scale=scale, axis=axis), fill=fill)
    )
    chart = alt.layer(lines, dots).properties(
        width=look.width - (190 if look.narrow else 200), height=_ROW * len(titles)
    )
    return finished(chart, look, say("drivers.drift.title"))


def by_place(week: Week, kind: Literal["post", "office"], look: Look) -> Spec | None:
    """Each place's shares as a table of darker and lighter cells; on a phone names stand above their rows.

    None where no place has enough events.
    """
    places = list(week.places)[:PLACES]
    if not places:
        return None
    import altair as alt

    language = look.language
    titles = {g: look.text(GROUPS[g][language.code]) for g in week.now.shares}
    names = {place: look.text(name_of(place, kind, language)) for place in places}
    rows = [
        {
            "place": names[place],
            "group": titles[g],
            "share": share,
            "words": language.number(100 * share, decimals=0),
        }
        for place in places
        for g, share in week.places[place].shares.items()
    ]
    most = max(share for place in places for share in week.places[place].shares.values())
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        y=alt.Y("place:N", sort=list(names.values()), title=None).axis(
            ticks=False, domain=False, labelColor=look.colour("ink"), labelLimit=340, labels=not look.narrow
        ),
        x=alt.X("group:N", sort=list(titles.values()), title=None)
        .scale(reverse=look.rtl)
        .axis(
            orient="top",
            ticks=False,
            domain=False,
            labelAngle=(90 if look.rtl else -90) if look.narrow else (35 if look.rtl else -35),
            labelAlign="right" if look.rtl else "left",
            labelLimit=200,
            labelColor=look.colour("ink"),
        ),
    )
    # Darker by opacity over the page's own colour, so that one drawing serves light and dark.
    dark = alt.Opacity("share:Q", legend=None).scale(domain=[0, most], range=[0.05, 0.9])
    down = 11 if look.narrow else 0  # where names stand above
    shape: dict[str, Any] = {"height": 22, "yOffset": down} if look.narrow else {}
    cells = base.mark_rect(color=look.colour("accent"), cornerRadius=3, **shape).encode(opacity=dark)
    words = base.mark_text(fontSize=12, dy=down).encode(
        text="words:N",
        color=alt.condition(
            f"datum.share > {0.7 * most}", alt.value(look.colour("card")), alt.value(look.colour("ink"))
        ),
    )
    layers = [cells, words]
    if look.narrow:
        above = alt.Chart(alt.InlineData(values=[{"place": name} for name in names.values()]))
        above = above.mark_text(
            align="right" if look.rtl else "left",
            dy=-12,
            fontSize=12,
            color=look.colour("ink"),
            x=look.width if look.rtl else 0,
        )
        layers.append(above.encode(y=alt.Y("place:N", sort=list(names.values())), text="place:N"))
    room, row = (0, 48) if look.narrow else (340, _ROW)
    chart = alt.layer(*layers).properties(width=look.width - room, height=row * len(places))
    return finished(chart, look, language.say("drivers.places.title"))
