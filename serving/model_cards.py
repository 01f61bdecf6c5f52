"""A model's card, and what its gates answered, in words: the keys and values of `models` said in one language."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from evidence.intervals import Interval
from features.groups import GROUPS
from models.risk.card import Card
from models.risk.card_parts import Field, Line, Value, Word
from models.risk.gates import RATIO, Gate, gap_parts
from models.risk.report import table
from serving.attributes import attribute_said, group_said
from serving.card_pictures import pictures
from serving.champions import DEMONSTRATION
from serving.dossier_parts import Section
from serving.drawing import svg
from serving.languages import Language
from serving.places import name_of
from serving.sentences import isolated
from serving.templates import templates

NOT_KNOWN = "–"
STYLE = Path(__file__).parent / "static" / "dossier.css"
WIDTH = 100  # letters of a line of text
MARKS: Mapping[int, None] = dict.fromkeys(range(0x2066, 0x206A))
"""Marks that isolate figures and names inside sentences: where all runs from the left, they are only in the way."""


def sections(card: Card, reader: Language) -> tuple[Section, ...]:
    """Every field of the card that is not empty, under its heading."""
    return tuple(_section(one, reader) for one in card.fields if not one.empty)


def title(card: Card, reader: Language) -> str:
    return reader.say("card.title", model=reader.say(f"model.{card.name}"))


def as_text(card: Card, reader: Language) -> str:
    """The card for a terminal; what is empty is named at the end."""
    told = [title(card, reader), "=" * len(title(card, reader))]
    for section in sections(card, reader):
        told += ["", section.title, "-" * len(section.title)]
        told += [line for sentence in section.sentences for line in textwrap.wrap(sentence, WIDTH)]
        if section.rows:
            told.append(table(section.head, section.rows))
    if card.lacking:
        told += ["", reader.say("models.lacking", fields=fields_said(card.lacking, reader))]
    text = "\n".join(told)
    return text if reader.direction == "rtl" else text.translate(MARKS)


def as_page(card: Card, reader: Language, *, mode: str, alone: bool) -> str:
    """The card as one HTML page that prints on A4. `alone` puts its style inside, for a file that is opened by itself:
    a page that this server sends may only link to one."""
    return (
        templates()
        .get_template("model_card.html")
        .render(
            title=title(card, reader),
            sections=sections(card, reader),
            lacking=fields_said(card.lacking, reader),
            pictures=pictures(card, reader, svg),
            t=reader.say,
            language=reader,
            mode=mode,
            style=STYLE.read_text(encoding="utf-8") if alone else None,
        )
    )


def as_json(card: Card, reader: Language) -> dict[str, Any]:
    """The card for a program: what it says in one language, and below `figures` its keys and values."""
    return {
        "name": card.name,
        "model": card.model,
        "language": reader.code,
        "title": title(card, reader),
        "sections": [asdict(section) for section in sections(card, reader)],
        "lacking": list(card.lacking),
        "figures": card.as_json()["fields"],
    }


def gate_said(gate: Gate, reader: Language) -> dict[str, Any]:
    """One gate: its title, whether it was passed, its figure, and what would mend a refusal."""
    values = {name: _value_of(name, value, reader) for name, value in gate.values.items()}
    return {
        "name": gate.name,
        "title": reader.say(f"gate.{gate.name}"),
        "passed": gate.passed,
        "verdict": reader.say("models.passed" if gate.passed else "models.refused"),
        "said": reader.say(f"gate.{gate.name}.{gate.why}", None, **values),
        "mend": None if gate.passed else reader.say(f"gate.{gate.name}.{gate.why}.mend"),
    }


def fields_said(keys: Sequence[str], reader: Language) -> str:
    """Headings of fields, parted by semicolons."""
    return reader.say("semicolon").join(reader.say(f"card.{key}") for key in keys)


def _section(one: Field, reader: Language) -> Section:
    about = {name: said(name, value, reader) for name, value in one.about.items()}
    return Section(
        one.key,
        reader.say(f"card.{one.key}", None, **about),
        tuple(_line(line, reader) for line in one.lines),
        tuple(reader.say(f"card.head.{key}") for key in one.head) if one.rows else (),
        tuple(tuple(said(key, value, reader) for key, value in zip(one.head, row, strict=True)) for row in one.rows),
    )


def _line(line: Line, reader: Language) -> str:
    values = {name: said(name, value, reader) for name, value in line.values.items()}
    return reader.say(f"card.{line.key}", None, **values)


def said(name: str, value: Value, reader: Language) -> str:
    """One value in words; a number whose name ends in `share` is a percentage."""
    match value:
        case None:
            told = NOT_KNOWN
        case Word():
            told = _word(value, reader)
        case Interval():
            told = _interval(value, reader)
        case tuple():
            told = " + ".join(_line(line, reader) for line in value)
        case date():
            told = reader.day(value)
        case int():
            told = reader.number(value, 0)
        case float():
            told = reader.share(value) if name.endswith("share") else reader.number(value, 3)
        case _:
            told = isolated(value) if value else ""
    return told


def _value_of(name: str, value: Any, reader: Language) -> str:
    """A value of a gate; names of fields and origins are words of the language."""
    if name == "fields":
        return fields_said(str(value).split(", "), reader)
    if name == "learnt_from":
        return reader.say(f"origin.{value}")
    if name == "gaps" and not isinstance(value, str):  # as answers on record from before gaps were told in words are
        return reader.say("semicolon").join(_gap(gap, reader) for gap in value)
    return said(name, value, reader)


def _gap(gap: Mapping[str, Any], reader: Language) -> str:
    """A gap beyond its bound: how far, and by which name it is signed off; or who accepted it, and why."""
    view, attribute, group, rate = gap_parts(gap["gap"])
    named = reader.say(
        "gate.gap.ratio" if rate == RATIO else "gate.gap.rate",
        None,
        attribute=attribute_said(attribute, reader),
        group=group_said(attribute, group, reader) if group else "",
        rate=reader.say(f"rate.{rate}") if group else "",
        view=reader.say(f"view.{view}"),
        value=isolated(reader.number(gap["value"], 2) if rate == RATIO else reader.signed(100 * gap["value"])),
    )
    if "reason" in gap:
        why = isolated(gap["reason"])
        if gap["reason"] == DEMONSTRATION:
            why = reader.say("gate.gap.demonstration")
        return reader.say("gate.gap.signed", None, gap=named, by=isolated(gap["by"]), reason=why)
    return reader.say("gate.gap.wide", None, gap=named, name=isolated(gap["gap"]))


def _interval(value: Interval, reader: Language) -> str:
    if value.value is None:
        return NOT_KNOWN
    told = reader.number(value.value, 3)
    if value.low is not None and value.high is not None:
        told += f" [{reader.number(value.low, 3)}; {reader.number(value.high, 3)}]"
    return f"\u2066{told}\u2069"  # a figure reads from the left in Arabic, too


def _word(word: Word, reader: Language) -> str:
    match word.kind:
        case "model_purpose" | "model_label":
            told = reader.say(f"model.{word.name}.{word.kind.removeprefix('model_')}")
        case "group":
            titles: Mapping[str, str] = GROUPS[word.name]
            told = titles[reader.code]
        case "post" | "office":
            told = name_of(word.name, word.kind, reader)
        case "metric" if "_0." in word.name:
            metric, _, capacity = word.name.rpartition("_")
            told = reader.say(f"metric.{metric}", share=reader.share(float(capacity)))
        case "attribute":
            told = attribute_said(word.name, reader)
        case "group_of":
            attribute, _, group = word.name.partition("/")
            told = group_said(attribute, group, reader)
        case "thin" if word.name:
            told = reader.say("card.thin", gap=reader.number(float(word.name), 3))
        case kind:
            told = reader.say(f"{kind}.{word.name}")
    return told
