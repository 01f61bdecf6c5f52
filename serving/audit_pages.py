"""The page for oversight: who is checked, missed and held up more than others, in tables of groups and pictures."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from markupsafe import Markup

from evidence.gaps import Gap
from evidence.groups import FEW, TIMES, GroupRow, GroupTable
from evidence.intervals import Interval
from evidence.proxies import TOGETHER, Proxy
from features.catalogue import features
from records import journal
from risk_rules.rule import PURPOSES
from serving import audits, store
from serving.attributes import attribute_said, group_said
from serving.audit_pictures import SHARES, rates, share_of
from serving.audits import Kept
from serving.capabilities import Capability
from serving.drawing import Look, inline
from serving.house import House
from serving.languages import Language
from serving.problems import Problem
from serving.sentences import titled
from serving.visitor import OnPage, Visitor, require
from serving.web import page_of, reader_of

_WIDE: Final = 980
_MOST: Final = 20  # gaps told in sentences


def add_audit_pages(app: FastAPI, house: House) -> None:
    @app.get("/groups", include_in_schema=False)
    def by_group(request: Request, who: OnPage, purpose: str = "secondary_check") -> Response:
        require(who, Capability.AUDIT)
        if purpose not in PURPOSES:
            raise Problem(400, "No such purpose", f"No model has the purpose '{purpose}'.", "Choose one on the page.")
        kept = _read(house, who, purpose)
        told = None if kept is None else in_words(kept, house.day(kept.made_at), reader_of(request))
        return page_of(
            request, house, who, "groups.html", here="groups", purposes=list(PURPOSES), purpose=purpose, told=told
        )


def _read(house: House, who: Visitor, purpose: str) -> Kept | None:
    """The newest audit, with the journal entry that says who read it, in one transaction."""
    with store.writing(house.engine) as connection:
        kept = audits.newest(connection, purpose)
        if kept is not None:
            seen = {"page": "groups", "purpose": purpose, "made_at": kept.made_at.isoformat()}
            journal.append(connection, kind="read", actor=who.actor, payload=seen)
    return kept


def in_words(kept: Kept, day: date, reader: Language) -> dict[str, Any]:
    """What the page shows of an audit that was made on this `day`."""
    audit, say = kept.audit, reader.say
    found = [gap for gap in audit.found if not gap.primary]
    wide = sorted(found, key=lambda gap: -abs(gap.gap.value or 0.0))
    told = wide[:_MOST]
    seen = {(gap.view, gap.attribute, gap.group, gap.rate): gap for gap in audit.gaps}
    return {
        "made": say("audit.made", by=kept.by, day=reader.day(day), model=kept.model[:12]),
        "tested": say("audit.tested", count=audit.looks),
        "primary": None
        if audit.primary is None
        else f"{gap_said(audit.primary, reader)} {_viewed(audit.primary.view, reader)}",
        "found": [
            (_viewed(view, reader), [gap_said(gap, reader) for gap in told if gap.view == view])
            for view in dict.fromkeys(gap.view for gap in told)
        ],
        "more": say("audit.more", count=len(wide) - _MOST) if len(wide) > _MOST else None,
        "proxies": [_proxy(proxy, kept.purpose, reader) for proxy in kept.proxies],
        "tables": [_table(table, seen, reader) for table in audit.tables if TIMES not in table.attribute],
        "crossings": [_table(table, seen, reader) for table in audit.tables if TIMES in table.attribute],
    }


def _table(table: GroupTable, seen: Mapping[tuple[str, str, str, str], Gap], reader: Language) -> dict[str, Any]:
    names = {row.group: group_said(table.attribute, row.group, reader) for row in table.rows}
    titles = {rate: reader.say(f"audit.rate.{rate}") for rate in SHARES}
    known = [rate for rate in SHARES if any(share_of(row, rate).value is not None for row in table.rows)] or [
        "selection"
    ]
    minutes = any(row.minutes.value is not None for row in table.rows)
    kept = any(row.calibration_gap.value is not None for row in table.rows)

    def cells(row: GroupRow) -> list[str]:
        figures = []
        for rate in known:
            gap = seen.get((table.view, table.attribute, row.group, rate))
            share = share_of(row, rate)
            figures.append(
                _few(gap.rows, gap.detectable, reader) if share.value is None and gap else _share(share, reader)
            )
        return (
            figures
            + ([_share(row.calibration_gap, reader, signed=True)] if kept else [])
            + ([_minutes(row.minutes, reader)] if minutes else [])
        )

    picture = rates(table, names, titles, Look(reader, width=_WIDE)) if TIMES not in table.attribute else None
    return {
        "title": reader.say("audit.by", attribute=attribute_said(table.attribute, reader)),
        "view": _viewed(table.view, reader),
        "heads": [titles[rate] for rate in known]
        + ([reader.say("audit.rate.calibration")] if kept else [])
        + ([reader.say("audit.minutes")] if minutes else []),
        "rows": [
            {
                "name": names[row.group],
                "rows": reader.number(row.rows) if row.rows else f"< {FEW}",
                "note": None if row.shown else _few(row.rows, row.detectable, reader),
                "cells": cells(row) if row.shown else [],
            }
            for row in table.rows
        ],
        "ratio": None
        if table.selection_ratio.value is None
        else reader.say("audit.ratio", ratio=_plain(table.selection_ratio, reader)),
        # Drawn here from our own texts, every one of them escaped by the drawer.
        "picture": Markup(inline(picture)) if picture else None,  # noqa: S704
        "words": picture["description"] if picture else "",
    }


def _proxy(proxy: Proxy, purpose: str, reader: Language) -> dict[str, str]:
    """What a column tells, and how even selections are with it and without. A column that is an input has its words
    as title, beside its name."""
    even = proxy.change.value is not None
    feature = features(PURPOSES[purpose]).get(proxy.column)
    return {
        "attribute": attribute_said(proxy.attribute, reader),
        "title": titled(feature, reader) if feature else "",
        "column": reader.say("audit.proxy.together") if proxy.column == TOGETHER else proxy.column,
        "group": group_said(proxy.attribute, proxy.group, reader),
        "told": _plain(proxy.told, reader),
        "with_it": _plain(proxy.with_it, reader) if even else "",
        "without": _plain(proxy.without, reader) if even else "",
        "change": _plain(proxy.change, reader) if even else "",
    }


def gap_said(gap: Gap, reader: Language) -> str:
    """One gap in a sentence: what was found, or what would have been."""
    few = _few(gap.rows, gap.detectable, reader)

    def said(key: str, **more: str) -> str:
        return reader.say(
            f"audit.gap.{key}",
            None,
            group=group_said(gap.attribute, gap.group, reader),
            rate=reader.say(f"audit.rate.{gap.rate}"),
            **more,
        )

    if gap.gap.value is None or gap.gap.low is None or gap.gap.high is None:
        return said("untold", few=few)
    points, low, high = (reader.signed(100 * end) for end in (gap.gap.value, gap.gap.low, gap.gap.high))
    if gap.found:
        return said("found", points=points, low=low, high=high)
    return said("chance", points=points, low=low, high=high, few=few)


def _viewed(view: str, reader: Language) -> str:
    """Among whom, and chosen by whom."""
    return reader.say(f"audit.view.{view}")


def _few(rows: int, detectable: float | None, reader: Language) -> str:
    n = f"= {reader.number(rows)}" if rows else f"< {FEW}"
    if detectable is None:
        return reader.say("audit.few.none", n=n)
    return reader.say("audit.few", n=n, points=reader.number(100 * detectable, decimals=0))


def _share(found: Interval, reader: Language, *, signed: bool = False) -> str:
    if found.value is None or found.low is None or found.high is None:
        return reader.say("audit.undefined")
    shown = reader.signed if signed else reader.number
    value, low, high = (shown(100 * part, 1) for part in (found.value, found.low, found.high))
    return reader.say("audit.share", value=value, low=low, high=high)


def _minutes(found: Interval, reader: Language) -> str:
    return reader.say("audit.undefined") if found.value is None else _plain(found, reader, decimals=1)


def _plain(found: Interval, reader: Language, decimals: int = 2) -> str:
    value, low, high = (reader.number(part or 0.0, decimals) for part in (found.value, found.low, found.high))
    return reader.say("audit.between", value=value, low=low, high=high)
