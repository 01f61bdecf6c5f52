"""The published catalogue, from the declarations; `make docs` writes it to `docs/features.md`."""

from __future__ import annotations

from itertools import groupby
from typing import Final

from features.catalogue import features
from features.declaration import Feature, SubjectKind
from features.groups import GROUPS

_TITLES: Final[dict[SubjectKind, str]] = {"crossing": "Features of a crossing", "permit": "Features of a permit"}
_ROLES: Final = {"model": "model, rule", "fact": "rule"}


def published() -> str:
    """Markdown that explains every feature: what it says, its unit, who reads it, and every column it rests on."""
    parts = [
        "# Features",
        "Made from the declarations in `features/crossings` and `features/permits`; do not edit it. `make docs` writes "
        "it again.",
        "A value as of a moment rests on rows that were known at that moment and had happened before it; a corrected "
        "row counts until its correction was known. A *fact* is read by rules alone. Where nothing can be said, the "
        "value is missing, which is not the same as no.",
    ]
    for kind, title in _TITLES.items():
        parts.append(f"## {title}")
        listed = sorted(features(kind).values(), key=lambda f: list(GROUPS).index(f.group))
        for group, held in groupby(listed, key=lambda f: f.group):
            parts.append(f"### {GROUPS[group]['en']}")
            parts.extend(_entry(feature) for feature in held)
    return "\n\n".join(parts) + "\n"


def _entry(feature: Feature) -> str:
    read = ", ".join(f"`{source}`" for source in feature.reads)
    facts = f"{feature.type}, {feature.unit}; read by {_ROLES[feature.role]}; tier {feature.tier.value}"
    spoken = " · ".join(feature.texts[language] for language in ("en", "fr", "ar"))
    return f"**`{feature.name}`** ({facts}). {feature.doc}\\\nRead aloud: {spoken}\\\nRests on: {read}"
