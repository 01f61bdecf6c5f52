"""A comparison of models as a page that stands alone: figures, what they mean in words, and pictures.

What is shown comes from `Comparison.as_json` alone: figures and tables of groups, and no row.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from features.groups import GROUPS
from serving.attributes import attribute_said, group_said
from serving.drawing import Look, Spec, altair, finished, svg
from serving.languages import Language
from serving.templates import templates

Told = Mapping[str, Any]
STYLE = Path(__file__).parent / "static" / "dossier.css"
SHOWN: Final = ("pr_auc", "precision_{}", "recall_{}", "value_{}", "precision_places", "calibration_error", "log_loss")
RATES: Final[Mapping[str, str]] = {
    "selected": "selection_rate",
    "confirmed": "confirmation_rate",
    "missed": "missed_risk_rate",
    "false_positive": "false_positive_rate",
}
COLOURS: Final = ("accent", "raises", "lowers", "ink", "faint", "line")
_NOTHING = "–"
_BY_VALUE, _WITHOUT, _STANDING = ", by expected value", "without ", " as it stands"


@dataclass(frozen=True)
class Picture:
    """A picture with its heading and how it is read."""

    name: str
    title: str
    how: str
    spec: Spec


def page(told: Told, reader: Language) -> str:
    """The whole comparison as one HTML page, its style and pictures inside."""
    look = Look(reader)
    return (
        templates()
        .get_template("comparison.html")
        .render(
            title=reader.say("compare.title", subject=_subject(told, reader)),
            intro=reader.say("compare.intro", reference=who(told["standings"][0]["name"], reader)),
            words=list(words(told, reader)),
            figures=figures(told, reader),
            groups=list(groups(told, reader)),
            held=_held(told, reader),
            said=[(who(s["name"], reader), s["said"]) for s in told["standings"] if s["said"]],
            pictures=[(p.title, p.how, svg(p.spec)) for p in pictures(told, look)],
            t=reader.say,
            language=reader,
            style=STYLE.read_text(encoding="utf-8"),
        )
    )


def words(told: Told, reader: Language) -> Iterator[str]:
    """For each contestant and metric, whether it differs from the reference by more than noise."""
    reference = who(told["standings"][0]["name"], reader)
    for standing in told["standings"]:
        for name, gain in standing["gains"].items():
            about = {"metric": metric(name, reader), "name": who(standing["name"], reader), "reference": reference}
            if gain["low"] is None:
                yield reader.say("compare.unknown", None, **about)
                continue
            span = {part: reader.signed(gain[part], 3) for part in ("value", "low", "high")}
            if gain["low"] <= 0 <= gain["high"]:
                yield reader.say("compare.noise", None, **about, **span)
            else:
                ahead = (gain["value"] > 0) == (told["metrics"][name][1] == "higher")
                yield reader.say("compare.better" if ahead else "compare.worse", None, **about, **span)


def figures(told: Told, reader: Language) -> tuple[list[str], list[list[str]]]:
    """Head and rows: one row per contestant, its main figures with their intervals."""
    names = [name.format(f"{told['capacity']:.4g}") for name in SHOWN]
    names = [name for name in names if name in told["metrics"]]
    head = [reader.say("compare.who"), *(metric(name, reader) for name in names), reader.say("compare.slope")]
    rows = [
        [who(s["name"], reader), *(_figure(s["figures"][name], reader) for name in names), _figure(s["slope"], reader)]
        for s in told["standings"]
    ]
    return head, rows


def groups(told: Told, reader: Language) -> Iterator[tuple[str, str | None, tuple[list[str], list[list[str]]]]]:
    """For each attribute its heading, how many groups show no figure, and a table: of each group that does, how every
    contestant selects in it; below, the lowest over the highest share selected."""
    for place, first in enumerate(told["standings"][0]["groups"]):
        attribute, of = first["attribute"], {s["name"]: s["groups"][place] for s in told["standings"]}
        rows = [
            [
                group_said(attribute, row["group"], reader),
                who(name, reader),
                reader.number(row["rows"], 0),
                *(_figure(row[rate], reader) for rate in RATES.values()),
            ]
            for group in dict.fromkeys(row["group"] for table in of.values() for row in table["rows"])
            for name, table in of.items()
            for row in table["rows"]
            if row["group"] == group and row["shown"]
        ]
        rows += [
            [
                reader.say("compare.groups.ratio"),
                who(name, reader),
                "",
                _figure(table["selection_ratio"], reader),
                "",
                "",
                "",
            ]
            for name, table in of.items()
        ]
        rates = [reader.say(f"card.head.{name}") for name in RATES]
        head = [reader.say("card.head.group"), reader.say("compare.who"), reader.say("card.head.rows"), *rates]
        few = sum(not row["shown"] for row in first["rows"])
        about = {"attribute": attribute_said(attribute, reader)}
        yield (
            reader.say("compare.groups.table", None, **about),
            reader.say("compare.groups.few", count=few) if few else None,
            (head, rows),
        )


def pictures(told: Told, look: Look) -> Iterator[Picture]:
    """Every picture there is something to draw for."""
    drawn = {
        "ranking": _ranking(told, look),
        "capacities": _capacities(told, look, "precision"),
        "values": _capacities(told, look, "value"),
        "calibration": _calibration(told, look),
        "stability": _stability(told, look),
    }
    for place, table in enumerate(told["standings"][0]["groups"]):
        drawn[f"groups.{table['attribute']}"] = _groups(told, look, place)
    for name, spec in drawn.items():
        if spec is not None:
            key, _, attribute = name.partition(".")
            about = {"attribute": attribute_said(attribute, look.language)}
            title = look.language.say(f"compare.{key}.title", None, **about)
            yield Picture(name, title, look.language.say(f"compare.{key}.how", None, **about), spec)


def who(name: str, reader: Language) -> str:
    """A contestant as the reader calls it."""
    if name.endswith(_BY_VALUE):
        return reader.say("compare.who.by_value", name=who(name.removesuffix(_BY_VALUE), reader))
    if name.endswith(_STANDING):
        return reader.say("compare.who.standing", model=name.removesuffix(_STANDING).split(" ")[-1])
    if name.startswith(_WITHOUT):
        groups = name.removeprefix(_WITHOUT).split(", ")
        listed = reader.say("flows.comma").join(GROUPS[g][reader.code] if g in GROUPS else g for g in groups)
        return reader.say("compare.who.without", groups=listed)
    return reader.say_or(f"compare.who.{name.replace(' ', '_')}", name)


def metric(name: str, reader: Language) -> str:
    """A metric as the reader calls it."""
    stem, _, share = name.rpartition("_")
    if share.replace(".", "", 1).isdigit():
        return reader.say(f"metric.{stem}", share=reader.share(float(share)))
    return reader.say(f"metric.{name}")


def _subject(told: Told, reader: Language) -> str:
    return reader.say_or(f"model.{told['subject']}", told["subject"])


def _figure(found: Told, reader: Language) -> str:
    if found["value"] is None:
        return _NOTHING
    if found["low"] is None:
        return reader.number(found["value"], 3)
    value, low, high = (reader.number(found[part], 3) for part in ("value", "low", "high"))
    return reader.say("compare.figure", value=value, low=low, high=high)


def _held(told: Told, reader: Language) -> tuple[list[str], list[list[str]]]:
    parts = ("seed", "bootstrap", "month", "reasons")
    head = [reader.say("compare.who"), *(reader.say(f"compare.held.{part}") for part in parts)]
    head += [reader.say("compare.seconds"), reader.say("compare.speed")]
    rows = []
    for standing in told["standings"]:
        held, cost = standing["held"], standing["cost"]
        if held is not None and cost is not None:
            shares = [_NOTHING if held[part] is None else reader.share(held[part]) for part in parts]
            spent = [reader.number(cost["seconds"]), reader.number(cost["rows_per_second"], 0)]
            rows.append([who(standing["name"], reader), *shares, *spent])
    return head, rows


def _ranking(told: Told, look: Look) -> Spec | None:
    rows = [
        {"who": look.text(who(s["name"], look.language)), **s["figures"]["pr_auc"]}
        for s in told["standings"]
        if s["figures"]["pr_auc"]["low"] is not None
    ]
    if not rows:
        return None
    alt = altair()
    base = alt.Chart(alt.InlineData(values=rows))
    y = alt.Y("who:N", sort=[row["who"] for row in rows], title=None)
    x = alt.X("low:Q", title=metric("pr_auc", look.language), scale=_scale(look, zero=False))
    span = base.mark_rule(strokeWidth=3, color=look.colour("faint")).encode(y=y, x=x, x2="high:Q")
    point = base.mark_point(filled=True, size=90, color=look.colour("accent"), opacity=1).encode(
        y=y, x=alt.X("value:Q", scale=_scale(look, zero=False))
    )
    return _dressed(alt.layer(span, point), look, 34 * len(rows), look.language.say("compare.ranking.title"))


def _capacities(told: Told, look: Look, stem: str) -> Spec | None:
    shares = sorted(
        float(n.split("_")[1]) for n in told["metrics"] if n.startswith(f"{stem}_") and n != f"{stem}_places"
    )
    rows = [
        {"who": look.text(who(s["name"], look.language)), "share": share, "found": found}
        for s in told["standings"]
        for share in shares
        if (found := s["figures"][f"{stem}_{share:.4g}"]["value"]) is not None
    ]
    if not rows:
        return None
    alt = altair()
    x = alt.X("share:Q", title=look.language.say("compare.capacity"), axis=alt.Axis(format=".0%", values=shares))
    chart = (
        alt.Chart(alt.InlineData(values=rows))
        .mark_line(point=True, strokeWidth=2)
        .encode(
            x=x.scale(_scale(look)),
            y=alt.Y("found:Q", title=look.language.say(f"compare.axis.{stem}"), axis=alt.Axis(format=".0%")),
            color=_by(rows, look),
        )
    )
    key = "capacities" if stem == "precision" else "values"
    return _dressed(chart, look, 280, look.language.say(f"compare.{key}.title"))


def _calibration(told: Told, look: Look) -> Spec | None:
    rows = [
        {"who": look.text(who(s["name"], look.language)), "promised": band["promised"], **band["found"]}
        for s in told["standings"]
        for band in s["bands"]
    ]
    if not rows:
        return None
    alt = altair()
    top = max(max(row["promised"], row["high"]) for row in rows)
    ends = alt.InlineData(values=[{"promised": 0, "value": 0}, {"promised": top, "value": top}])
    percent = alt.Axis(format=".0%")
    x = alt.X("promised:Q", title=look.language.say("compare.promised"), axis=percent, scale=_scale(look))
    base = alt.Chart(alt.InlineData(values=rows))
    y = alt.Y("value:Q", title=look.language.say("compare.found"), axis=percent)
    held = alt.Chart(ends).mark_line(strokeDash=[4, 4], color=look.colour("faint")).encode(x=x, y=y)
    lines = base.mark_line(point=True, strokeWidth=2).encode(x=x, y=y, color=_by(rows, look))
    spans = base.mark_rule(opacity=0.5).encode(x=x, y="low:Q", y2="high:Q", color=_by(rows, look))
    return _dressed(alt.layer(held, spans, lines), look, 300, look.language.say("compare.calibration.title"))


def _stability(told: Told, look: Look) -> Spec | None:
    rows = [
        {
            "who": look.text(who(s["name"], look.language)),
            "what": look.text(look.language.say(f"compare.held.{part}")),
            "share": s["held"][part],
        }
        for s in told["standings"]
        if s["held"] is not None
        for part in ("seed", "bootstrap", "month")
        if s["held"][part] is not None
    ]
    return _bars(rows, look, "compare.stability.title", "compare.changed") if rows else None


def _groups(told: Told, look: Look, place: int) -> Spec | None:
    attribute = told["standings"][0]["groups"][place]["attribute"]
    rows = [
        {
            "who": look.text(who(s["name"], look.language)),
            "what": look.text(group_said(attribute, row["group"], look.language)),
            "share": row["selection_rate"]["value"],
        }
        for s in told["standings"]
        for row in s["groups"][place]["rows"]
        if row["selection_rate"]["value"] is not None
    ]
    if not rows:
        return None
    named = attribute_said(attribute, look.language)
    return _bars(rows, look, "compare.groups.title", "compare.selected", attribute=named)


def _bars(rows: Sequence[Mapping[str, Any]], look: Look, title: str, axis: str, **about: str) -> Spec:
    alt = altair()
    names = list(dict.fromkeys(row["what"] for row in rows))
    people = list(dict.fromkeys(row["who"] for row in rows))
    chart = (
        alt.Chart(alt.InlineData(values=list(rows)))
        .mark_bar()
        .encode(
            y=alt.Y("what:N", sort=names, title=None),
            yOffset=alt.YOffset("who:N", sort=people),
            x=alt.X("share:Q", title=look.language.say(axis), axis=alt.Axis(format=".0%"), scale=_scale(look)),
            color=_by(rows, look),
        )
    )
    height = max(60, 14 * len(names) * len(people))
    return _dressed(chart, look, height, look.language.say(title, None, **about))


def _by(rows: Sequence[Mapping[str, Any]], look: Look) -> Any:
    """A colour for each contestant, in the order they are told."""
    alt = altair()
    people = list(dict.fromkeys(row["who"] for row in rows))
    colours = [look.colour(COLOURS[k % len(COLOURS)]) for k in range(len(people))]
    return alt.Color(
        "who:N",
        title=None,
        sort=people,
        legend=alt.Legend(columns=2, labelLimit=300),
        scale=alt.Scale(domain=people, range=colours),
    )


def _scale(look: Look, *, zero: bool = True) -> Any:
    return altair().Scale(reverse=look.rtl, zero=zero)


def _dressed(chart: Any, look: Look, height: int, description: str) -> Spec:
    return finished(chart.properties(width=look.width - 220, height=height), look, description)
