"""The published catalogue, from the declarations; `make docs` writes it to `docs/features.md`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Final

from features.catalogue import features
from features.declaration import Feature, SubjectKind
from features.groups import GROUPS
from features.lineage import reads
from features.wording import in_words, looks_back, ways

_TITLES: Final[dict[SubjectKind, str]] = {"crossing": "Features of a crossing", "permit": "Features of a permit"}
_ROLES: Final = {"model": "models and rules", "fact": "rules: a fact, which no model reads"}

_OPENING: Final = """# Features

Made from the declarations in `features/crossings` and `features/permits`; do not edit it. `make docs` writes it again.

What is on record about a subject, as of a moment, in numbers that a model learns from and a rule reads. One declaration
makes each of them, for a training table of millions of rows as for one traveller at a booth.

- **As of a moment.** A value rests on rows that had happened before the moment and were known by then. A late record
  counts from when it was known; a correction replaces what it corrects from when it was known. Rows at the very moment
  are not seen.
- **What is announced** is seen ahead of its time where a window says so: a row known before it happens, from when it is
  known until it is corrected or lies too far back.
- **Missing is not no.** Where nothing can be said, the value is missing: a rule then answers *undecided*. Counts are 0
  where nothing is on record.
- **A fact** states what is on record for a rule; no model reads it. A **tier** above *free* narrows who may read it. No
  feature reads who someone is, or what the engine itself put out, at any depth: each entry ends with every column that
  it comes from.
- **Made of** is the declaration in words. `ratio(a, b)` is the formula `ratio` of other values; a window counts back
  from the moment; *the same post* is that of the event asked about.

`basira features explain NAME --event ID` shows a value with the very rows it was computed from."""


def published() -> str:
    """Markdown that explains every feature: an index by reason group, then what each says, what it is made of, how it
    is read aloud, and every column it comes from."""
    parts = [_OPENING, "## Index"]
    for kind in _TITLES:
        parts += [f"### Of a {kind}", *(_listed(group, held) for group, held in _grouped(kind))]
    for kind, title in _TITLES.items():
        parts.append(f"## {title}")
        for group, held in _grouped(kind):
            parts += [f"### {_group(group)}", *map(_entry, held)]
    return "\n\n".join(parts) + "\n"


def _grouped(kind: SubjectKind) -> Iterator[tuple[str, list[Feature]]]:
    """Features by reason group, in the order of the groups and then of the declarations."""
    listed = sorted(features(kind).values(), key=lambda f: list(GROUPS).index(f.group))
    return ((group, list(held)) for group, held in groupby(listed, key=lambda f: f.group))


def _group(group: str) -> str:
    return " · ".join(GROUPS[group][language] for language in ("en", "fr", "ar"))


def _listed(group: str, held: list[Feature]) -> str:
    rows = [
        f"| {_link(f.name, f.subject_kind)} | {f.unit} | {looks_back(f, features(f.subject_kind))} | {f.role} |"
        for f in held
    ]
    return "\n".join([f"| {_group(group)} | unit | looks back | for |", "|---|---|---|---|", *rows])


def _link(name: str, kind: SubjectKind) -> str:
    return f"[{name}](#{kind}-{name})"


def _entry(feature: Feature) -> str:
    kind, known = feature.subject_kind, features(feature.subject_kind)
    spoken = " · ".join(feature.texts[language] for language in ("en", "fr", "ar"))
    comes_from = [
        f"  - {way.removeprefix(f'{feature.name} → ')}: {', '.join(f'`{column}`' for column in columns)}"
        for way, columns in ways(reads(feature.name, kind, known)).items()
    ]
    return "\n".join(
        [
            f'#### <a id="{kind}-{feature.name}"></a>`{feature.name}`',
            "",
            feature.doc,
            "",
            f"- Made of: {in_words(feature.expression, lambda name: _link(name, kind))}",
            f"- Value: {feature.type}, {feature.unit}; for {_ROLES[feature.role]}; tier {feature.tier.value}"
            + ("; may be named as what would have changed a score" if feature.showable else ""),
            f"- Read aloud: {spoken}",
            "- Comes from:",
            *comes_from,
        ]
    )
