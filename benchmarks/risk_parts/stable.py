"""Flags in the top 5% that change when the same model is grown again: with other seeds, and on redrawn rows.

As risk_stability.py does it: 6,000 test rows at most, and the mean of members 1 to 5 beside that of members 6 to 10,
each member on a draw of its own. Beside that, which no bar asks for: the whole model, its choice among candidates
included, on one draw of the rows that all its members share.
"""

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.risk_parts.bars import bar
from benchmarks.risk_parts.sets import judged, prepared
from models.risk.learners import Trees, grow
from models.risk.profiles import PROFILES, Part, Search, fit

ROWS, SHARE = 6000, 0.05
SEEDS = range(1, 11)
BARRED = ("customs", "london")


def changed(a: np.ndarray, b: np.ndarray) -> float:
    """Share of the top 5% of one score that is not in the top 5% of another."""
    places = int(SHARE * len(a))
    return 1 - len(set(np.argsort(-a)[:places]) & set(np.argsort(-b)[:places])) / places


def member(found: Search, learn: Part, stop: Part, seed: int) -> Trees:
    """One model, grown as was chosen."""
    rounds = PROFILES["shipped"].rounds
    return grow(found.candidate, learn, stop, seeds=[seed], rounds=rounds, monotone=found.monotone)


def drawn(part: Part, seed: int) -> Part:
    """As many rows, drawn with replacement."""
    rows = np.random.default_rng(seed).integers(0, len(part[1]), len(part[1]))
    return part[0].rows(rows), part[1][rows]


def lines(*, short: bool) -> Iterator[dict[str, Any]]:
    for name in BARRED:
        learn, stop, test = prepared(name)
        found = judged(name, short=short)[0].search
        assert found is not None
        shown = test[0].rows(np.sort(np.random.default_rng(1).permutation(len(test[1]))[:ROWS]))
        by_seed = [member(found, learn, stop, seed).raw(shown) for seed in SEEDS]
        by_draw = [member(found, drawn(learn, seed), stop, seed).raw(shown) for seed in SEEDS]
        told = {
            kind: changed(np.mean(scores[:5], axis=0), np.mean(scores[5:], axis=0))
            for kind, scores in (("seed", by_seed), ("bootstrap", by_draw))
        }
        singles = {
            f"single_{kind}": float(np.mean([changed(a, b) for a, b in itertools.pairwise(scores)]))
            for kind, scores in (("seed", by_seed), ("bootstrap", by_draw))
        }
        yield {"set": name, "flags_changed": told, **singles, "chosen": found.chosen}
        if not short:
            whole = fit(drawn(learn, 1), stop, PROFILES["shipped"])
            apart = changed(found.trees.raw(shown), whole.trees.raw(shown))
            yield {"set": name, "flags_changed_by_one_draw_of_everything": apart, "chosen_then": whole.chosen}
        for kind, share in told.items():
            yield bar(f"risk_flags_changed_by_{kind}_{name}", share)
