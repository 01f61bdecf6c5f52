"""What an explanation is made of, whatever its form: titled sections of sentences, and tables of words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from features.localtime import ZONE
from serving import shown
from serving.assessment import Assessment
from serving.languages import Language
from serving.places import name_of, place_kind
from serving.sentences import fact_said, isolated


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

    def as_json(self) -> dict[str, Any]:
        return {"title": self.title, "sections": [vars(part) for part in self.sections]}

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
    heads: tuple[str, ...] = (),
    rows: Iterable[tuple[str, ...]] = (),
) -> Section:
    """The section `key` under its title; sentences that are None are left out, and `heads` where there is no row."""
    rows = tuple(rows)
    head = tuple(reader.say(f"dossier.head.{name}") for name in heads) if rows else ()
    return Section(key, reader.say(f"dossier.{key}"), tuple(s for s in sentences if s), head, rows)


def facts(assessment: Assessment, reader: Language, *, without: tuple[str, ...] = ()) -> Section:
    """What happened where and when, and the facts of the event that a page names."""
    kind = assessment.event_kind
    rows = [
        (reader.say("case.reference"), isolated(assessment.event)),
        (reader.say(f"dossier.place.{kind}"), name_of(assessment.place, place_kind(kind), reader)),
    ]
    if kind == "crossing":
        at = assessment.happened_at.astimezone(ZONE)
        rows.append(
            (reader.say("dossier.day"), reader.say("dossier.at", day=reader.day(at.date()), time=f"{at:%H:%M}"))
        )
    rows += [
        (reader.say(f"fact.{name}"), fact_said(name, value, reader))
        for name, value in shown.facts(assessment).items()
        if name not in without
    ]
    return section("facts", reader, rows=rows)
