"""Every feature there is, found by walking `features/crossings` and `features/permits`.

A feature is a module variable that does not begin with an underscore; its name is the variable's, its reason group the
module's `GROUP`.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import MappingProxyType

from features.declaration import LANGUAGES, Feature, SubjectKind
from features.groups import GROUPS
from features.lineage import HOME, reads, refuse_prohibited, tier, type_of
from features.sound import refuse_unsound
from records.errors import BadInput
from records.schema import Tier


@cache
def features(kind: SubjectKind) -> Mapping[str, Feature]:
    """Name → feature, in the order of files and of their lines. BadInput where a declaration cannot be used."""
    package = importlib.import_module(f"features.{HOME[kind]}")
    declared: dict[str, Feature] = {}
    for module in sorted(m.name for m in pkgutil.iter_modules(package.__path__)):
        held = vars(importlib.import_module(f"{package.__name__}.{module}"))
        for name, thing in held.items():
            if not isinstance(thing, Feature) or name.startswith("_"):
                continue
            if name in declared:
                raise BadInput(
                    f"Feature '{name}' is declared in '{module}' and in group '{declared[name].group}'. Keep one."
                )
            declared[name] = replace(thing, group=held.get("GROUP", ""))
    assembled = assemble(declared, kind)
    for name in assembled:
        refuse_prohibited(name, reads(name, kind, assembled))
    return assembled


def assemble(declared: Mapping[str, Feature], kind: SubjectKind) -> Mapping[str, Feature]:
    """The declarations with their name, type, tier and what they read.

    BadInput for one without docstring, unit, texts or group, for an unknown column, a cycle, a value that would say
    nothing (`sound`) or is not a number, a boolean or a string; ProhibitedInput for one that reads the engine's own
    output.
    """
    named = {name: replace(feature, name=name, subject_kind=kind) for name, feature in declared.items()}
    whole: dict[str, Feature] = {}
    for name, feature in named.items():
        _refuse_incomplete(feature)
        read = reads(name, kind, named)
        refuse_unsound(feature)
        value = type_of(feature.expression, kind)
        if value not in ("number", "boolean", "string"):
            raise BadInput(
                f"Feature '{name}' would be {'an' if value == 'instant' else 'a'} {value}; a model or rule reads "
                "numbers, booleans and texts. Declare how many days lie between it and as_of instead."
            )
        whole[name] = replace(
            feature, type=value, tier=tier(read), reads=tuple(dict.fromkeys(sorted(r.source for r in read)))
        )
        _refuse_shown(whole[name])
    return MappingProxyType(whole)


def _refuse_shown(feature: Feature) -> None:
    if feature.showable and (feature.role != "model" or feature.tier is not Tier.FREE):
        raise BadInput(
            f"Feature '{feature.name}' is marked showable, but is a {feature.role} of tier {feature.tier.value}. Only "
            "what a model may read and anyone may know can be named as what would have changed a score. Take the mark "
            "away."
        )


def _refuse_incomplete(feature: Feature) -> None:
    lacking = [part for part in ("doc", "unit") if not getattr(feature, part).strip()]
    lacking += [f"texts[{language!r}]" for language in LANGUAGES if not feature.texts.get(language, "").strip()]
    if lacking:
        raise BadInput(
            f"Feature '{feature.name}' has no {', '.join(lacking)}. A feature is published and read aloud: give it all "
            "of them."
        )
    if feature.group not in GROUPS:
        raise BadInput(
            f"Feature '{feature.name}' is in reason group '{feature.group}', which is not one of {', '.join(GROUPS)}. "
            "Set GROUP in its file, or add the group to features/groups.py."
        )
