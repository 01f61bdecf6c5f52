"""Names of posts and offices in the language of the reader."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from records.posts import governorates, offices, posts
from serving.languages import Language


@cache
def _names() -> Mapping[str, Mapping[str, str]]:
    named = {p.post: p for p in posts()} | {o.office: o for o in offices()} | {g.governorate: g for g in governorates()}
    return {key: {"ar": n.name_ar, "fr": n.name_fr, "en": n.name_en} for key, n in named.items()}


def name_of(place: str | None, language: Language) -> str:
    """The name of a post, office or governorate; its short name where it is not in the reference list."""
    if place is None:
        return language.say("word.unknown")
    return _names().get(place, {}).get(language.code, place)
