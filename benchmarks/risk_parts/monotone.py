"""Directions that were promised and not kept, in a million probes of shipped models."""

from collections.abc import Iterator
from typing import Any

from benchmarks.risk_parts.bars import bar
from benchmarks.risk_parts.sets import prepared
from models.risk.learners import grow
from models.risk.monotone import probe
from models.risk.profiles import PROFILES, plain

PROBED = ("london", "stops_nyc")  # where `advanced` breaks its promise
READ = ("codes and rates", "native splits and rates")


def lines(*, short: bool) -> Iterator[dict[str, Any]]:
    found, profile = 0, PROFILES["shipped"]
    for name in PROBED:
        learn, stop, test = prepared(name)
        promised = {n: 1 for n, kind in zip(learn[0].names, learn[0].kinds, strict=True) if kind == "rate"}
        for way in READ:
            seeds = range(1, profile.members + 1)
            trees = grow(plain(profile, way), learn, stop, seeds=seeds, rounds=profile.rounds, monotone=promised)
            probes = (20_000 if short else 1_000_000) // len(PROBED) // len(READ)
            told = probe(trees.raw, test[0], promised, probes=probes)
            yield {"set": name, "directions": len(promised), "read": way, **vars(told)}
            found += told.found
    yield bar("risk_monotone_violations", found)
