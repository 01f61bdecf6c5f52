"""The sample world on disk: supplies as an authority would receive them, and the hidden truth beside them.

Same scale, years and seed give the same bytes. Travellers are made in blocks of one kind, so memory does not grow with
the world; every block draws from its own stream of random numbers.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from records.errors import BadInput
from records.sample.blocks import Made, made
from records.sample.hidden import missing_exits, true_entries, true_permits
from records.sample.parameters import KINDS, PARAMETERS, Parameters
from records.sample.reference import reference_rows
from records.sample.services import service_rows
from records.sample.setting import Setting, setting
from records.sample.supplies import Supplies, Supply
from records.sample.writing import ParquetParts

_BLOCK_CROSSINGS = 120_000


@dataclass(frozen=True)
class World:
    """A world on disk. `supplies` in the order they should be ingested; `facts` is what world.json says."""

    folder: Path
    supplies: tuple[Supply, ...]
    facts: dict[str, Any]


def make_world(
    folder: Path,
    *,
    scale: float = 1.0,
    years: int = 3,
    seed: int = 7,
    progress: Callable[[int], None] | None = None,
    parameters: Parameters = PARAMETERS,
) -> World:
    """Write a sample world into the empty or new `folder`: about 300,000 crossings times `scale`, over `years` years.

    `progress` is called with the number of crossing records written since the last call. BadInput if the folder holds
    something already, or scale or years are out of range.
    """
    if folder.exists() and any(folder.iterdir()):
        raise BadInput(f"Folder {folder} is not empty. Name a new one, or remove what is there.")
    if not 0 < scale <= 400 or not 1 <= years <= 20 or seed < 0:
        raise BadInput(
            f"A sample world needs 0 < scale <= 400, 1 to 20 years and a seed of 0 or more, not scale {scale:g}, "
            f"{years} years, seed {seed}."
        )
    crossings = parameters.crossings_at_scale_1 * scale
    stage = setting(crossings, years, parameters, np.random.default_rng([seed, 0]))
    supplies = Supplies(folder, stage)
    size = min(1.0, crossings / years / parameters.real_crossings_a_year)
    for table, rows in reference_rows(stage.span, stage.where, size).items():
        supplies.add_reference(table, rows)
    supplies.add_services(service_rows(stage.plan, stage.where, stage.span))
    truths = ParquetParts(folder / "truth")
    tally: Counter[str] = Counter()
    for block in _blocks(crossings, stage, seed):
        written = supplies.add_block(block, np.random.default_rng([seed, 2, int(block.block.group.number[0])]))
        true = true_entries(block, stage)
        truths.add("entries", true)
        truths.add("missing_exits", missing_exits(block, stage))
        if (permits := true_permits(block, stage)) is not None:
            truths.add("permits", permits)
        tally["assessable_entries"] += true.num_rows
        tally["irregular_entries"] += int(true["irregular"].combine_chunks().true_count)
        if progress is not None:
            progress(written)
    listed = supplies.close()
    truths.close()
    hidden = {"over_checked": stage.over_checked, **tally}
    _write_json(folder / "truth" / "policy.json", hidden)
    facts = {
        "scale": scale,
        "years": years,
        "seed": seed,
        "parameters": parameters.hash,
        "first_day": stage.span.first.isoformat(),
        "last_day": parameters.last_day.isoformat(),
        "rows": dict(sorted(supplies.rows.items())),
        "bad_rows": supplies.bad_rows,
        "duplicates": supplies.duplicates,
        "corrections": supplies.corrections,
        "supplies": [s.told() for s in listed],
        "refused": supplies.refused,
    }
    _write_json(folder / "world.json", facts)
    return World(folder, listed, facts)


def open_world(folder: Path) -> World:
    """A world made earlier. BadInput if `folder` holds none."""
    try:
        facts = json.loads((folder / "world.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadInput(f"Folder {folder} holds no sample world. Make one: basira sample --out {folder}.") from None
    return World(folder, tuple(Supply.of(said) for said in facts["supplies"]), facts)


def world_summary(world: World) -> str:
    """What a world holds, in a few lines for a person."""
    facts = world.facts
    lines = [
        f"Sample world, seed {facts['seed']}: {facts['first_day']} to {facts['last_day']}, all of it invented.",
        *(f"  {table:<11}{rows:>12,} rows" for table, rows in facts["rows"].items()),
        f"  planted: {sum(sum(kinds.values()) for kinds in facts['bad_rows'].values())} bad rows, "
        f"{facts['duplicates']:,} duplicates, {facts['corrections']:,} corrections",
        f"  {len(world.supplies)} files in {world.folder / 'supplies'}; parameters {facts['parameters'][:12]}",
    ]
    return "\n".join(lines)


def _blocks(crossings: float, stage: Setting, seed: int) -> Iterator[Made]:
    """Every block, kind after kind. A stream of random numbers belongs to a block, whatever came before it."""
    years = stage.span.days / 365.25
    person = leg = journey = 0
    for number, kind in enumerate(KINDS):
        each = kind.crossings_per_household(years)
        left = max(2, round(crossings * kind.share / each))
        largest = max(2, round(_BLOCK_CROSSINGS / each))
        turn = 0
        while left:
            households = min(left, largest)
            stream = np.random.Generator(np.random.SFC64([seed, 1, number, turn]))
            block = made(
                number,
                households,
                first_person=person,
                first_leg=leg,
                first_journey=journey,
                setting=stage,
                rng=stream,
            )
            yield block
            left -= households
            turn += 1
            person += len(block.block.group.household)
            leg += 2 * len(block.block.legs)
            journey += len(block.block.journeys.household)


def _write_json(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
