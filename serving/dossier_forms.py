"""An explanation as text for a terminal, as JSON for a program, and as a page that prints well on A4."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from serving import drawing
from serving.dossier_parts import Section, section
from serving.dossiers import Decision, Explanation, Look
from serving.languages import Language
from serving.readiness import Charter
from serving.second_opinion import in_words
from serving.sentences import isolated
from serving.waterfall import how_to_read, waterfall

STYLE = Path(__file__).parent / "static" / "dossier.css"
WIDTH = 100  # letters of a line of text
WIDE = 660  # pixels of a picture: what a page of A4 has room for between its margins


def as_text(told: Explanation) -> str:
    """Sections one below the other; cells of a table are joined by bars."""
    lines = [told.document.title, "=" * len(told.document.title)]
    for part in sections(told):
        lines += ["", part.title, "-" * len(part.title)]
        lines += [line for sentence in part.sentences for line in textwrap.wrap(sentence, WIDTH)]
        if part.head:
            lines.append(" | ".join(part.head))
        lines += [" | ".join(cell for cell in row if cell) for row in part.rows]
    return "\n".join(lines) + "\n"


def as_json(told: Explanation) -> dict[str, Any]:
    """The same as values of JSON; for all but the person concerned with the second opinion, for oversight with the
    figures, the picture as Vega-Lite, the digest, who saw it and what was decided.
    """
    written: dict[str, Any] = {
        "assessment": told.assessment,
        "audience": told.audience,
        "language": told.language.code,
        "mode": told.mode,
        "title": told.document.title,
        "sections": [asdict(part) for part in sections(told)],
    }
    if told.audience != "person":
        written["second_opinion"] = None if told.second is None else asdict(told.second)
    if told.audience == "oversight":
        written |= {
            "digest": told.digest,
            "frozen_at": told.frozen_at.isoformat() if told.frozen_at else None,
            "values": told.values,
            "picture": _picture(told),
            "looks": [asdict(look) | {"at": look.at.isoformat()} for look in told.looks],
            "decisions": [asdict(d) | {"at": d.at.isoformat()} for d in told.decisions],
        }
    return written


def as_page(told: Explanation, *, alone: bool) -> str:
    """One HTML page, right to left in Arabic. `alone` puts its style inside, for a file that is opened by itself."""
    from serving.templates import templates

    return (
        templates()
        .get_template("dossier.html")
        .render(
            told=told,
            t=told.language.say,
            language=told.language,
            sections=sections(told),
            picture=_drawn(told),
            how=how_to_read(told.pictured, told.language) if told.pictured else None,
            style=STYLE.read_text(encoding="utf-8") if alone else None,
        )
    )


def _picture(told: Explanation) -> drawing.Spec | None:
    """How the reasons lead to the score; None for whom it is not, and where there is nothing to draw."""
    return waterfall(told.pictured, drawing.Look(told.language, width=WIDE)) if told.pictured else None


def _drawn(told: Explanation) -> drawing.Drawn | None:
    """The same for a page, which is of paper: its colours follow no screen."""
    if told.pictured is None:
        return None
    return drawing.drawn(partial(waterfall, told.pictured), told.language, width=WIDE, form=drawing.svg)


def sections(told: Explanation) -> tuple[Section, ...]:
    """The frozen document, followed by what is not part of it."""
    reader = told.language
    beside: list[Section] = []
    if told.second is not None and told.pictured is not None:
        beside.append(section("second", reader, *in_words(told.second, told.pictured, reader)))
    elif told.second is not None:
        beside.append(section("second", reader, reader.say("dossier.second.person")))
    if told.audience == "oversight":
        beside += [_looks(told.looks, reader), _decisions(told.decisions, reader)]
        if told.digest and told.frozen_at:
            at = isolated(f"{told.frozen_at:%Y-%m-%d %H:%M}")
            line = reader.say("dossier.frozen.line", at=at, digest=isolated(told.digest))
            beside.append(section("frozen", reader, line))
    elif told.audience == "person":
        contact = told.contact or Charter()
        named = {"controller": contact.controller, "data_protection": contact.data_protection_contact}
        rows = tuple((reader.say(f"dossier.contact.{key}"), value) for key, value in named.items() if value)
        beside.append(section("contact", reader, None if rows else reader.say("dossier.contact.none"), rows=rows))
    return (*told.document.sections, *beside)


def _looks(looks: Iterable[Look], reader: Language) -> Section:
    rows = tuple(
        (
            isolated(f"{look.at:%Y-%m-%d %H:%M}"),
            isolated(f"{look.who} ({', '.join(look.roles)})"),
            reader.say(f"dossier.look.{look.what}") if reader.has(f"dossier.look.{look.what}") else isolated(look.what),
        )
        for look in looks
    )
    none = None if rows else reader.say("dossier.looks.none")
    return section("looks", reader, none, heads=("when", "who", "what"), rows=rows)


def _decisions(decisions: Iterable[Decision], reader: Language) -> Section:
    rows = tuple(
        (
            isolated(f"{made.at:%Y-%m-%d %H:%M}"),
            isolated(str(made.body["officer"])) if made.body.get("officer") else "",
            _check(made, reader) if made.kind == "checks" else _selection(made, reader),
        )
        for made in decisions
    )
    none = None if rows else reader.say("dossier.decisions.none")
    return section("decisions", reader, none, heads=("when", "who", "what"), rows=rows)


def _selection(made: Decision, reader: Language) -> str:
    chance = made.body.get("probability")
    return reader.say(
        "dossier.decision.selections",
        outcome=reader.say(f"dossier.outcome.{made.body.get('outcome') or 'none'}"),
        why=reader.say(f"dossier.why.{made.body.get('why') or 'none'}"),
        chance=reader.say("word.unknown") if chance is None else reader.number(chance, decimals=3),
    )


def _check(made: Decision, reader: Language) -> str:
    found = made.body.get("finding_kind") or made.body.get("finding") or "inconclusive"
    why = reader.say(f"dossier.why.{made.body.get('selected_by') or 'none'}")
    return reader.say("dossier.decision.checks", why=why, finding=reader.say(f"dossier.finding.{found}"))
