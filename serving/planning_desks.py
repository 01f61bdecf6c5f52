"""Booths of a post, and the caseload of an office, as planners' pages show them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

import pyarrow as pa
import pyarrow.compute as pc

from models.volumes.desks.posts import SHIFT_HOURS, SHIFT_STARTS
from models.volumes.publishing.published import Run
from serving import flows
from serving.languages import Language
from serving.places import name_of
from serving.planning_words import between_in_words, count_in_words, row_in_words


def staffing(run: Run, reader: Language, post: str | None, day: date | None) -> dict[str, Any]:
    """Booths and officers of one post and day, by hour and by shift, and what its promise costs."""
    table = run.table("staffing")
    posts = sorted((name_of(p, "post", reader), p) for p in table["post"].unique().to_pylist())
    here = post or (_busiest(table, "post", "travellers") if posts else None)
    of_post = table.filter(pc.equal(table["post"], here or ""))
    days = sorted({moment.date() for moment in of_post["ds"].to_pylist()})
    on = day if day in days else (days[0] if days else None)
    hours: dict[datetime, dict[str, float]] = {}
    for row in (flows.of_day(of_post, on) if on else of_post).sort_by("ds").to_pylist():
        hour = hours.setdefault(row["ds"], {"travellers": 0.0, "booths": 0, "officers": 0, "share": 1.0})
        for name in ("travellers", "booths", "officers"):
            hour[name] += row[name]
        hour["share"] = min(hour["share"], row["share_in_time"])
    curve = run.table("curve", where=[("post", "=", here or "")]).sort_by("share_in_time").to_pylist()
    return {
        "posts": [(p, name) for name, p in posts],
        "post": here,
        "title": name_of(here, "post", reader) if here else None,
        "days": [(d.isoformat(), reader.short_weekday(d), d == on) for d in days],
        "day": reader.weekday(on) if on else None,
        "address": urlencode({"post": here or "", **({"day": on.isoformat()} if on else {})}),
        "hours": [
            (
                f"{at:%H:%M}",
                count_in_words(h["travellers"], reader),
                int(h["booths"]),
                int(h["officers"]),
                reader.share(h["share"]),
            )
            for at, h in hours.items()
        ],
        "shifts": [_shift(hours, begin, reader) for begin in SHIFT_STARTS] if hours else [],
        "curve": [(reader.share(row["share_in_time"], 1), count_in_words(row["booth_hours"], reader)) for row in curve],
    }


def _shift(hours: Mapping[datetime, Mapping[str, float]], begin: int, reader: Language) -> tuple[str, ...]:
    """One shift: its hours, the most booths and officers that one of them needs, and all travellers."""
    end = begin + SHIFT_HOURS[0]
    of = [h for at, h in hours.items() if begin <= at.hour < end]
    booths, officers = (
        count_in_words(max((h[name] for h in of), default=0), reader) for name in ("booths", "officers")
    )
    return (
        f"{begin:02}:00–{end:02}:00",
        count_in_words(sum(h["travellers"] for h in of), reader),
        booths,
        officers,
    )


def offices(run: Run, reader: Language, office: str | None) -> dict[str, Any]:
    """Caseload of one office day by day, its applications by kind, renewals that fall due, and foreigners present."""
    caseload = run.table("caseload")
    found = sorted((name_of(o, "office", reader), o) for o in caseload["office"].unique().to_pylist())
    here = office or (_busiest(caseload, "office", "backlog_mean") if found else "")
    days = caseload.filter(pc.equal(caseload["office"], here)).sort_by("ds").to_pylist()
    coming = run.table("offices", where=[("office", "=", here)]).sort_by([("ds", "ascending"), ("kind", "ascending")])
    return {
        "offices": [(o, name) for name, o in found],
        "office": here,
        "title": name_of(here, "office", reader) if here else None,
        "days": [
            {
                "when": reader.short_weekday(row["ds"].date()),
                "backlog": count_in_words(row["backlog_mean"], reader),
                "between": between_in_words(row["backlog_q0.1"], row["backlog_q0.9"], reader),
                "median": count_in_words(row["days_median"], reader),
                "slow": count_in_words(row["days_p90"], reader),
                "late": row["promised_days"] is not None
                and row["days_p90"] is not None
                and row["days_p90"] > row["promised_days"],
                "promised": count_in_words(row["promised_days"], reader),
                "officers": count_in_words(row["officers"], reader),
                "needed": count_in_words(row["officers_needed"], reader),
            }
            for row in days
        ],
        "applications": [
            (reader.short_weekday(row["ds"].date()), flows.word_of(row["kind"], reader), *row_in_words(row, reader))
            for row in coming.to_pylist()
        ],
        "renewals": [
            (
                flows.moment_in_words(row["ds"], "month", reader),
                flows.word_of(row["category"], reader),
                *row_in_words(row, reader),
            )
            for row in run.table("renewals").sort_by([("ds", "ascending"), ("category", "ascending")]).to_pylist()
        ],
        "stock": [(_group(row["group"], reader), *row_in_words(row, reader)) for row in run.table("stock").to_pylist()],
    }


def _busiest(table: pa.Table, place: str, measure: str) -> str:
    """The place with most of something over all days: the one to show where nobody asked for another."""
    summed = table.group_by(place).aggregate([(measure, "sum")])
    return str(summed.sort_by([(f"{measure}_sum", "descending"), (place, "ascending")])[place][0])


def _group(name: str, reader: Language) -> str:
    """A group of foreigners present: a regime, or one of those who came through one post, as `regime|post`."""
    regime, mark, post = name.partition("|")
    return flows.word_of(regime, reader) + (reader.say("flows.comma") + name_of(post, "post", reader) if mark else "")
