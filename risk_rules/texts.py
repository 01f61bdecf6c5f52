"""Texts in the product's three languages, as the YAML files hold them; serving makes sentences of them."""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any, TypeAlias

from records.errors import BadInput

LANGUAGES = ("ar", "fr", "en")
COUNTED = ("days",)
"""What a value may be said with in the plural of its language, as {name:days} is."""
Texts: TypeAlias = Mapping[str, str]


def texts(raw: Any, what: str) -> Texts:
    """`raw` as texts in ar, fr and en. BadInput if one is missing or empty, or the placeholders differ between them."""
    if not isinstance(raw, Mapping) or set(raw) != set(LANGUAGES):
        has = ", ".join(sorted(str(k) for k in raw)) if isinstance(raw, Mapping) else repr(raw)
        raise BadInput(
            f"{what} must be there in ar, fr and en, and in nothing else; it has {has}. Add what is missing."
        )
    for language in LANGUAGES:
        if not isinstance(raw[language], str) or not raw[language].strip():
            raise BadInput(f"{what} is empty in {language}. People read it in all three languages; write it.")
    if len({placeholders(raw[language], what) for language in LANGUAGES}) > 1:
        raise BadInput(
            f"{what} uses other {{placeholders}} in one language than in another. Use the same in all three."
        )
    return dict(raw)


def placeholders(template: str, what: str) -> frozenset[str]:
    """The names in braces. BadInput if the braces do not match, a name is not plain, or what is counted not known."""
    try:
        parts = [(name, counted) for _, name, counted, _ in string.Formatter().parse(template) if name is not None]
    except ValueError as error:
        raise BadInput(f"{what} has braces that do not match ({error}). Write {{name}}.") from error
    odd = sorted(name for name, _ in parts if not name.isidentifier())
    if odd:
        raise BadInput(f"{what} holds {{{odd[0]}}}, which is no plain name. Write {{name}} of a column or threshold.")
    if strange := sorted(f"{name}:{counted}" for name, counted in parts if counted and counted not in COUNTED):
        raise BadInput(f"{what} holds {{{strange[0]}}}; after the colon may stand: {', '.join(COUNTED)}.")
    return frozenset(name for name, _ in parts)
