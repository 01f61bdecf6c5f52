"""What the catalogue and a single value have to say, as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from features.by_hand import said
from features.catalogue import features
from features.declaration import Feature, SubjectKind
from features.explained import Explained
from features.groups import GROUPS
from features.lineage import reads
from features.wording import in_words, looks_back, ways
from models.risk.catalogue import declarations
from models.risk.report import table
from records.errors import BadInput
from records.mapping import nearest
from risk_rules.rulebook import Rulebook


def feature_named(name: str, kind: SubjectKind) -> Feature:
    """BadInput with the nearest names where no file declares it."""
    known = features(kind)
    if name not in known:
        raise BadInput(f"There is no {kind} feature '{name}'. {nearest(name, known)}")
    return known[name]


def catalogue_text(kind: SubjectKind, group: str | None = None) -> str:
    """One line per feature of a kind, or of one of its reason groups."""
    if group is not None and group not in GROUPS:
        raise BadInput(f"There is no reason group '{group}'. {nearest(group, GROUPS)}")
    chosen = [f for f in features(kind).values() if group in (None, f.group)]
    rows = [(f.name, f.group, f.unit, f.role) for f in chosen]
    return table(("feature", "group", "unit", "for"), rows) + f"\n{len(rows)} {kind} features"


def feature_text(feature: Feature, rulebook: Rulebook) -> str:
    """Everything its declaration says, who reads it, and each column at the end of each way to it."""
    kind = feature.subject_kind
    known = features(kind)
    told = {
        "value": f"{feature.type}, {feature.unit}; of a {kind}",
        "group": f"{feature.group} ({GROUPS[feature.group]['en']})",
        "for": "models and rules" if feature.role == "model" else "rules; a fact, which no model reads",
        "read by": ", ".join(_readers(feature, rulebook)) or "nobody yet",
        "tier": feature.tier.value,
        "looks back": looks_back(feature, known) or "no; it has no window",
        "made of": in_words(feature.expression),
        **{f"in {language}": text for language, text in feature.texts.items()},
    }
    comes_from = [f"    {way}: {', '.join(names)}" for way, names in ways(reads(feature.name, kind, known)).items()]
    return "\n".join([f"{feature.name}: {feature.doc}", *_aligned(told), "  comes from", *comes_from])


def _readers(feature: Feature, rulebook: Rulebook) -> Iterator[str]:
    """Models whose inputs it is among, and rules in force whose condition names it."""
    for name, model in declarations().items():
        if model.subject_kind == feature.subject_kind and feature.name in model.inputs():
            yield f"model {name}"
    for rule in rulebook.readers(feature.subject_kind, feature.name):
        yield f"rule {rule.id}"


def _aligned(told: dict[str, str]) -> list[str]:
    width = max(map(len, told))
    return [f"  {name:<{width}}  {text}" for name, text in told.items()]


def explained_text(found: Explained, feature: Feature, about: str, rows: int) -> str:
    """The value and, step by step, what it follows from; `rows` of each table at the most, the newest."""
    first, *others = _steps(found, rows, 0, set())
    return "\n".join([f"{first} ({feature.unit})", f"  {about}", f"  {feature.doc}", "", *others])


def _steps(found: Explained, rows: int, depth: int, told: set[str]) -> Iterator[str]:
    """What a value follows from, each under what it leads to; what was told before is only named again."""
    indent = "  " * depth
    again = found.words in told and bool(found.rows or found.parts)
    told.add(found.words)
    called = found.how if found.parts else found.words
    yield f"{indent}{found.name or called} = {said(found.value)}" + (" (see above)" if again else "")
    if again:
        return
    details = [called if found.name else "", found.rule if found.parts else found.how]
    details += [f"{entity}: {' with '.join(map(said, names))}" for entity, names in found.asked.items()]
    yield from (f"{indent}  {line}" for line in [*filter(None, details), *_rows(found, rows)])
    for part in found.parts:
        yield from _steps(part, rows, depth + 1, told)


def _rows(found: Explained, most: int) -> Iterator[str]:
    if not found.rows:
        return
    shown = found.rows[-most:]
    if len(shown) < len(found.rows):
        yield f"older rows before these: {len(found.rows) - len(shown):,}; --rows shows more"
    heads = tuple(found.rows[0])
    cells = [tuple("-" if row[name] is None else said(row[name]) for name in heads) for row in shown]
    yield from table((found.table, *heads), [("", *row) for row in cells]).splitlines()
