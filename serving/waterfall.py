"""The picture of one explanation: from the usual probability, reason by reason, to this case's.

Steps are as long as what they add to the log-odds, where contributions add up exactly; the page names only the two
probabilities and each reason's share, since log-odds mean nothing to a reader.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from features.groups import GROUPS
from serving.assessment import Assessment
from serving.drawing import Look, Spec, finished
from serving.languages import Language

MOST = 6  # reasons with a step of their own; what is left is one step
_ROW = 34


def waterfall(assessment: Assessment, look: Look) -> Spec | None:
    """None where there is no score to explain, or it may not be seen yet."""
    if assessment.blind or assessment.base is None or assessment.raw is None or not assessment.reasons:
        return None
    import altair as alt

    wide = not look.narrow
    rows = _rows(assessment, look)
    order = [row["name"] for row in rows]
    base = alt.Chart(alt.InlineData(values=rows))
    y = alt.Y("name:N", sort=order, title=None).axis(
        ticks=False,
        domain=False,
        labelColor=look.colour("ink"),
        labelFontSize=13 if wide else 12,
        labelLimit=190 if wide else 180,
    )
    edges = [row["after"] for row in rows]
    span = max(edges) - min(edges)
    before, behind = (0.22, 0.22) if wide else (0.25, 0.75)  # room for the words beside the steps
    scale = alt.Scale(
        domain=[min(edges) - before * span, max(edges) + behind * span], reverse=look.rtl, nice=False, zero=False
    )
    x = alt.X("before:Q", scale=scale, axis=None)
    kinds = ["raises", "lowers", "usual", "case"]
    colour = alt.Color("kind:N", legend=None).scale(
        domain=kinds, range=[look.colour(c) for c in ("raises", "lowers", "faint", "ink")]
    )
    steps = (
        base.mark_bar(height=18, cornerRadius=2)
        .encode(y=y, x=x, x2="after:Q", color=colour, opacity=alt.Opacity("opacity:Q", scale=None, legend=None))
        .transform_filter("datum.share > 0")
    )
    ends = base.mark_tick(thickness=4, height=22).encode(y=y, x=x, color=colour).transform_filter("datum.share == 0")
    joined = base.mark_rule(strokeDash=[2, 3], color=look.colour("faint"), opacity=0.6).encode(
        x=alt.X("after:Q", scale=scale, axis=None), y=alt.Y("name:N", sort=order, bandPosition=0.5), y2="next:N"
    )
    joined = joined.transform_filter("isValid(datum.next)")
    words = [
        base.mark_text(
            align="left" if look.onward(side) > 0 else "right",
            dx=look.onward(8 * side),
            fontSize=13 if wide else 12,
            color=look.colour("ink"),
        )
        .encode(y=y, x=alt.X("after:Q", scale=scale, axis=None), text="words:N")
        .transform_filter(f"datum.side == {side}")
        for side in (1, -1)
    ]
    chart = alt.layer(joined, steps, ends, *words).properties(
        width=look.width - (190 if wide else 188), height=_ROW * len(rows)
    )
    # What the picture says, for those who do not see it.
    return finished(chart, look, ", ".join(f"{row['name']} {row['words']}" for row in rows))


def how_to_read(assessment: Assessment, reader: Language) -> str:
    """What the steps are and where they lead, from the usual probability to this one."""
    usual, score = (reader.per_hundred(each or 0.0) for each in (assessment.usual, assessment.score))
    return reader.say("waterfall.how", usual=usual, score=score)


def _rows(assessment: Assessment, look: Look) -> list[dict[str, Any]]:
    say, language = look.language.say, look.language
    shown, rest = assessment.reasons[:MOST], assessment.reasons[MOST:]
    steps = [(look.text(GROUPS[r.group][language.code]), r.push, r.share, r.certain) for r in shown]
    if rest:
        name = look.text(say("waterfall.rest", count=len(rest)))
        steps.append((name, sum(r.push for r in rest), sum(r.share for r in rest), all(r.certain for r in rest)))
    at = assessment.base or 0.0
    rows = [_end(say("waterfall.usual"), at, assessment.usual, "usual", look)]
    for name, push, share, certain in steps:
        words = language.share(share)
        if not certain and not look.narrow:  # a phone has room for a fainter step and no words
            words += f" · {say('reasons.less_certain.short')}"
        rows.append(
            {
                "name": name,
                "before": at,
                "after": at + push,
                "share": share,
                "kind": "raises" if push > 0 else "lowers",
                "opacity": 1.0 if certain else 0.5,
                "side": 1 if push > 0 else -1,
                "words": look.text(words),
            }
        )
        at += push
    rows.append(_end(say("waterfall.case"), assessment.raw or at, assessment.score, "case", look))
    for row, following in pairwise(rows):
        row["next"] = following["name"]
    return rows


def _end(name: str, at: float, probability: float | None, kind: str, look: Look) -> dict[str, Any]:
    language = look.language
    words = language.say("score.per_hundred", score=language.per_hundred(probability or 0.0))
    place = {"before": at, "after": at, "share": 0.0, "opacity": 1.0, "side": 1}
    return {"name": look.text(name), **place, "kind": kind, "words": look.text(words)}
