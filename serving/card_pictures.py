"""Pictures of a model card, drawn from its fields alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Final

from models.risk.card import Card
from models.risk.card_parts import Field, Word
from serving.drawing import Drawn, Look, Spec, altair, drawn, finished, inline
from serving.languages import Language

WIDE: Final = 660  # pixels: what a page of A4 has room for between its margins
HEIGHT: Final = 240
COLOURS: Final = {"chosen": "accent", "best": "raises", "other": "faint"}


def pictures(card: Card, reader: Language, form: Callable[[Spec], str] = inline) -> Mapping[str, Drawn]:
    """Field to its picture, for those that have one."""
    of = {one.key: one for one in card.fields if one.key == "frontier" and one.rows}
    found = {key: drawn(partial(frontier, one), reader, width=WIDE, form=form) for key, one in of.items()}
    return {key: picture for key, picture in found.items() if picture is not None}


def frontier(one: Field, look: Look) -> Spec | None:
    """Candidates by how well they order and how evenly they select, the best by order and the chosen one marked."""
    say = look.language.say
    cells = [dict(zip(one.head, row, strict=True)) for row in one.rows]
    roles = {role: look.text(say(f"card.role.{role}")) for role in COLOURS}
    rows = [
        {"level": cell["level"], "parity": cell["parity"], "role": roles[role.name]}
        for cell in cells
        if isinstance(role := cell["role"], Word)
    ]
    alt = altair()
    x = alt.X(
        "level:Q", title=look.text(say("card.head.level")), scale=alt.Scale(zero=False, reverse=look.rtl, padding=12)
    )
    y = alt.Y("parity:Q", title=look.text(say("card.head.parity")), scale=alt.Scale(zero=False, padding=12))
    there = [name for name in roles if any(row["role"] == roles[name] for row in rows)]
    by = alt.Scale(domain=[roles[name] for name in there], range=[look.colour(COLOURS[name]) for name in there])
    base = alt.Chart(alt.InlineData(values=rows)).encode(x=x.axis(format=".3~f", tickCount=5), y=y.axis(tickCount=5))
    line = base.mark_line(strokeWidth=1, color=look.colour("line"))
    points = base.mark_point(filled=True, size=110, opacity=1).encode(color=alt.Color("role:N", title=None, scale=by))
    chart = alt.layer(line, points).properties(width=look.width - 90, height=HEIGHT)
    return finished(chart, look, say("card.frontier.picture"))
