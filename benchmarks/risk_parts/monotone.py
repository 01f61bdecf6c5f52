"""Directions that were promised and not kept, in a million probes of shipped models."""

from collections.abc import Iterator
from typing import Any

from benchmarks.risk_parts.bars import bar
from benchmarks.risk_parts.sets import prepared
from models.risk.monotone import probe
from models.risk.profiles import PROFILES, fit

PROBED = ("london", "stops_nyc")  # where `advanced` breaks its promise


def lines(*, short: bool) -> Iterator[dict[str, Any]]:
    found = 0
    for name in PROBED:
        learn, stop, test = prepared(name)
        # A model that reads no history has no promise to keep.
        learn, stop, test = ((m.of(("number", "category", "rate", "count")), y) for m, y in (learn, stop, test))
        search = fit(learn, stop, PROFILES["shipped"])
        told = probe(search.trees.raw, test[0], search.monotone, probes=(20_000 if short else 1_000_000) // len(PROBED))
        yield {"set": name, "directions": len(search.monotone), "chosen": search.chosen, **vars(told)}
        found += told.found
    yield bar("risk_monotone_violations", found)
