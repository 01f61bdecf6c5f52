"""London by ethnicity at 10% capacity: the less discriminatory equal beside the candidate that is best by PR-AUC.

Both are chosen on the three months before the test, each month judged by models grown on what came before it, then
grown on everything before validation and stopped on validation, as the shipped profile is. The test rows are looked at
once: the lowest over the highest selection rate of groups of 5,000 rows or more, with the days redrawn for both.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.risk_parts.bars import bar
from benchmarks.risk_parts.sets import options, source
from evidence.intervals import redrawn_days
from evidence.metrics import pr_auc
from evidence.parity import more_even, worst_off
from models.risk.backtest import prepare
from models.risk.encoding import TEST, TRAIN, VALID
from models.risk.less_discriminatory import Equal, Window, fitted, search
from models.risk.profiles import PROFILES, fit

SET, ATTRIBUTE, CAPACITY, LEAST = "london", "prot_ethnicity", 0.10, 5_000
# Of each window: where the two weeks before it begin, which `prepare` would validate on, its first day, and its end.
MONTHS = (
    ("2018-06-16", "2018-07-01", "2018-08-01"),
    ("2018-07-18", "2018-08-01", "2018-09-01"),
    ("2018-08-18", "2018-09-01", "2018-10-01"),
)


def lines(*, draws: int) -> Iterator[dict[str, Any]]:
    profile = PROFILES["shipped"]
    windows, groups = [], []
    for before, first, end in MONTHS:
        window, told = month(before, first, end)
        windows.append(window)
        groups.append(told)
    ready = prepare(source(SET), options(SET))
    learn, stop = ready.part(TRAIN), ready.part(VALID)
    tuned = fit(learn, stop, profile)
    asked = worst_off({ATTRIBUTE: pa.chunked_array(groups)}, least=LEAST)
    found = search(windows, tuned.candidate, asked, capacity=CAPACITY, rounds=profile.rounds, monotone=tuned.monotone)
    matrix, labels = ready.part(TEST)
    test = ready.examples.part(TEST)

    def scores(equal: Equal) -> np.ndarray:
        return fitted(equal, learn, stop, profile.rounds, tuned.monotone).raw(matrix)

    chosen, best = scores(found.chosen), scores(found.best)
    days = redrawn_days(ready.examples.time[test].astype("datetime64[D]"), draws)
    ethnicity = ready.examples.table.column(ATTRIBUTE).filter(pa.array(test))
    even, other, gain = more_even(ethnicity, chosen, best, days, capacity=CAPACITY, least=LEAST)
    yield {
        "part": "less_discriminatory",
        "set": SET,
        "tried": found.tried,
        "equals": found.equals,
        "chosen": told_of(found.chosen),
        "best": told_of(found.best),
        "frontier": [told_of(each) for each in found.frontier],
        "test_pr_auc_chosen": pr_auc(labels, chosen),
        "test_pr_auc_best": pr_auc(labels, best),
        "test_ratio_chosen": [even.value, even.low, even.high],
        "test_ratio_best": [other.value, other.low, other.high],
        "test_ratio_gain": [gain.value, gain.low, gain.high],
        "test_ratio_shipped": more_even(
            ethnicity, tuned.trees.raw(matrix), best, days[:2], capacity=CAPACITY, least=LEAST
        )[0].value,
    }
    yield bar("risk_less_discriminatory_ratio_gain", gain.value)


def month(before: str, first: str, end: str) -> tuple[Window, pa.Array]:
    """All rows before `first` to grow on, those until `end` to be judged by, encoded as they were known then."""
    asked = replace(options(SET), valid_from=datetime.fromisoformat(before), test_from=datetime.fromisoformat(first))
    ready = prepare(source(SET), asked)
    examples = ready.examples
    inside = examples.part(TEST) & (examples.time < np.datetime64(end))
    earlier = examples.part(TRAIN) | examples.part(VALID)
    train = (ready.matrix.rows(earlier), examples.labels[earlier])
    told = examples.table.column(ATTRIBUTE).filter(pa.array(inside)).combine_chunks()
    return Window(train, (ready.matrix.rows(inside), examples.labels[inside])), told


def told_of(equal: Equal) -> dict[str, Any]:
    return {"members": equal.name, "pr_auc": equal.pr_auc, "level": equal.level, "parity": equal.parity}
