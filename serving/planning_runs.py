"""What a planners' page says of a published run: what changed since the one before, how runs did, what made it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.volumes.publishing.published import LEVELS_OF_FLOWS, Run
from serving import flows
from serving.flows import STEPS
from serving.languages import Language
from serving.planning_words import count_in_words, number_in_words, share_in_words


def run_in_words(run: Run, reader: Language) -> dict[str, Any]:
    """What changed since the run before, how runs did, and what this one was made of."""
    card = run.card()
    names = sorted({name for levels in card.figures.values() for told in levels.values() for name in told})
    return {
        "compared": _why(card.compared, reader) if card.compared else "",
        "changed": [
            {
                "flow": flows.flow_in_words(c["name"], reader),
                "before": count_in_words(c["before"], reader),
                "after": count_in_words(c["after"], reader),
                "reason": _why(c, reader),
            }
            for c in card.changed
        ],
        "did": [
            (
                reader.say_or(f"level.{d['name'] or 'nation'}", d["name"]),
                reader.number(d["days"], decimals=0),
                *(share_in_words(d[name], reader) for name in ("coverage_80", "wape", "bias")),
            )
            for d in card.did
        ],
        "figure_names": names,
        "figures": [
            (
                _step(step, reader),
                reader.say_or(f"level.{level}", level),
                *(number_in_words(told.get(name), reader) for name in names),
            )
            for step, levels in card.figures.items()
            for level, told in levels.items()
        ],
        "weights": [
            (
                _step(step, reader),
                reader.say("flows.comma").join(
                    f"{name} {reader.share(part)}" for name, part in parts.items() if part > 0
                ),
            )
            for step, parts in card.weights.items()
        ],
        "technical": [(n.get("series") or "", n.get("problem") or "") for n in card.notes],
        "versions": dict(card.versions),
        "hash": card.data_hash,
        "steps": list(STEPS),
        "levels": LEVELS_OF_FLOWS,
    }


def _why(changed: Mapping[str, Any], reader: Language) -> str:
    """Why forecasts moved, and by how many days of new counts."""
    key = changed["reason"]
    return reader.say(key, count=changed.get("days", 0)) if reader.has(key) else key


def _step(table: str, reader: Language) -> str:
    """The step of one of a run's tables: "hours" goes by the hour."""
    step = table.removesuffix("s")
    return reader.say_or(f"step.{step}", step)
