"""Names of posts, offices and governorates as the reader says them. A post and an office may share a short name."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Literal

from records.posts import governorates, offices, posts
from serving.languages import Language

Kind = Literal["post", "office", "governorate"]


@cache
def _names(kind: Kind) -> Mapping[str, Mapping[str, str]]:
    if kind == "post":
        return {p.post: {"ar": p.name_ar, "fr": p.name_fr, "en": p.name_en} for p in posts()}
    if kind == "office":
        return {o.office: {"ar": o.name_ar, "fr": o.name_fr, "en": o.name_en} for o in offices()}
    return {g.governorate: {"ar": g.name_ar, "fr": g.name_fr, "en": g.name_en} for g in governorates()}


def place_kind(event_kind: str) -> Literal["post", "office"]:
    """Where events of a kind take place."""
    return "post" if event_kind == "crossing" else "office"


def name_of(place: str | None, kind: Kind, language: Language) -> str:
    """The name of a place; its short name where it is not in the reference list."""
    if place is None:
        return language.say("word.unknown")
    return _names(kind).get(place, {}).get(language.code, place)
