"""What an explanation is made of, whatever its form: titled sections of sentences, and tables of words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from features.localtime import ZONE
from serving import shown
from serving.assessment import Assessment, Value
from serving.languages import Language
from serving.places import name_of
from serving.sentences import said


@dataclass(frozen=True)
class Section:
    """`key` says what it is about in every language; `rows` are a table below the sentences, with a `head` or none."""

    key: str
    title: str
    sentences: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True)
class Document:
    """One explanation in one language for one audience."""

    title: str
    sections: tuple[Section, ...]

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Document:
        return cls(
            written["title"],
            tuple(
                Section(
                    s["key"], s["title"], tuple(s["sentences"]), tuple(s["head"]), tuple(tuple(r) for r in s["rows"])
                )
                for s in written["sections"]
            ),
        )


def section(
    key: str,
    reader: Language,
    *sentences: str | None,
    head: tuple[str, ...] = (),
    rows: tuple[tuple[str, ...], ...] = (),
) -> Section:
    """The section `key` under its title; sentences that are None are left out."""
    return Section(key, reader.say(f"dossier.{key}"), tuple(s for s in sentences if s), head, rows)


def facts(assessment: Assessment, reader: Language, *, without: tuple[str, ...] = ()) -> Section:
    """What happened where and when, and the facts of the event that a page names."""
    permit = assessment.event_kind == "permit"
    kind: Literal["post", "office"] = "office" if permit else "post"
    rows = [
        (reader.say("case.reference"), isolated(assessment.event)),
        (reader.say(f"dossier.place.{assessment.event_kind}"), name_of(assessment.place, kind, reader)),
    ]
    if not permit:
        at = assessment.happened_at.astimezone(ZONE)
        rows.append(
            (reader.say("dossier.day"), reader.say("dossier.at", day=reader.day(at.date()), time=f"{at:%H:%M}"))
        )
    rows += [
        (reader.say(f"fact.{name}"), _fact(name, value, reader))
        for name, value in shown.facts(assessment).items()
        if name not in without
    ]
    return section("facts", reader, rows=tuple(rows))


def isolated(text: str) -> str:
    """Letters and digits of no language, kept in their order inside a sentence of any (Unicode FSI and PDI)."""
    return f"\u2068{text}\u2069"


def _fact(name: str, value: Value, reader: Language) -> str:
    return name_of(str(value), "governorate", reader) if name == "address_governorate" else said(value, reader)
