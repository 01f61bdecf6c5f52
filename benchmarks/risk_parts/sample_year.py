"""One year of checks in the sample world, whose hidden truth tells what every choice of whom to check would have found.

The first year has no checks, in the second officers and rules choose as the world's biased policy does (its random
control is left out, so that nobody starts with one), and the third is simulated: every eight weeks a learner is fitted
on all that was found so far and says whom to check, as many as the world's officers checked in those weeks. Arms differ
in two things alone: whether 7.5% of the checks are drawn before and independently of scores, and whether who looked is
estimated as a nuisance and left out of scores. Examiners differ here, which the world's own do not, and as widely as
the inspector groups of the food set: the logarithm of the share of irregularities that each finds has a standard
deviation of .76, half of its variance a habit of their post.

Found are true irregularities among those checked, whether or not the examiner saw them. Ratios of selection compare the
groups that the historical policy over-checks with everyone else, at equal true risk (bands of it, weighted by the
group's members).
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from scipy.stats import t as student

from benchmarks.risk_parts.bars import bar
from features.catalogue import features
from features.engine import compute
from features.spine import crossing_spine
from models.risk.catalogue import declaration
from models.risk.encoding import CATEGORY_ROWS, Matrix, is_text, levels
from models.risk.examiners import separate
from models.risk.learners import Candidate, grow
from models.risk.model import Input, read_input
from pipelines.steps.ingesting import ingest_world
from pipelines.steps.moments import known_until
from records.lake import Lake
from records.sample import make_world
from records.settings import quiet_dependencies, settings
from risk_rules.rule import ASSESSED_REGIMES

SEEDS, SHORT_SEEDS = 10, 2
SCALE = 0.4
PERIOD = np.timedelta64(56, "D")
CONTROL = 0.075  # of each period's checks
MEMBERS, ROUNDS = 3, 100
TREES = Candidate(
    "explainable trees",
    ("number", "category"),
    {
        "learning_rate": 0.06,
        "num_leaves": 31,
        "max_depth": 6,
        "min_data_in_leaf": 40,
        "feature_fraction": 0.6,
        "lambda_l2": 10,
    },
)
EXAMINERS = 2  # at each post: in a world this small each still does only some forty checks a year
HABITS = (0.5, 1.16)  # log-odds of finding out what there is: mean, and the spread of posts and of their examiners
RISKS = (0.0, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.0)
ARMS = {"neither": (0.0, False), "control": (CONTROL, False), "control and examiners": (CONTROL, True)}


@dataclass(frozen=True)
class Year:
    """Entries of two years, in order of time: what is known of each, and what is true.

    `matrix` of inputs; `day` (n,) datetime64[D]; `irregular`, `seen` (whether its examiner finds it out), `chosen` (by
    officers and rules, in the world as it was) (n,) booleans; `who` (n,) examiner; `risk` (n,); `groups` by name.
    """

    matrix: Matrix
    day: np.ndarray
    irregular: np.ndarray
    seen: np.ndarray
    chosen: np.ndarray
    checked: np.ndarray
    who: np.ndarray
    risk: np.ndarray
    groups: dict[str, np.ndarray]


def year(seed: int) -> Year:
    """The last two years of a sample world, taken in and computed as the product does."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        make_world(folder / "world", scale=SCALE, seed=seed)
        truth = pq.read_table(folder / "world" / "truth" / "entries.parquet")
        place = settings(folder / "home", {"BASIRA_BUCKETS": "2"})
        quiet_dependencies(place)
        ingest_world(place, folder / "world")
        lake = Lake.open(place.lake)
        at = known_until(lake)
        spine = crossing_spine(lake, at - timedelta(days=731), at)
        regime = pc.is_in(spine["regime"], value_set=pa.array(ASSESSED_REGIMES))
        entry = pc.and_(regime, pc.and_(pc.equal(spine["under_18"], False), pc.equal(spine["direction"], "entry")))
        spine = spine.filter(pc.and_(entry, pc.is_in(spine["event"], value_set=truth["crossing_id"])))
        declared = declaration("secondary_check")
        # What the world's own checks found in the simulated year is not what these arms find.
        names = [n for n in declared.inputs() if features("crossing")[n].group != "findings"]
        with ThreadPoolExecutor(1) as workers:
            values = compute(spine, names, lake, executor=workers)
        checks = lake.as_known("checks", at, ["event", "selected_by"])
    order = pc.sort_indices(values, [("as_of", "ascending"), ("event", "ascending")])
    values, spine = values.take(order), spine.take(pc.index_in(values["event"].take(order), spine["event"]))
    return _joined(values, spine["post"], names, truth, checks, np.random.default_rng([seed, 5]))


def _joined(
    values: pa.Table, posts: pa.ChunkedArray, names: list[str], truth: pa.Table, checks: pa.Table, random: Any
) -> Year:
    known = features("crossing")
    texts = {n: levels(values[n], CATEGORY_ROWS) if is_text(values[n].type) else () for n in names}
    inputs = [Input(n, known[n].type, known[n].group, texts[n]) for n in names]
    matrix = Matrix(
        np.column_stack([read_input(i, values[i.name]) for i in inputs]),
        tuple(names),
        tuple("category" if i.type == "string" else "number" for i in inputs),
    )
    true = truth.take(pc.index_in(values["event"], truth["crossing_id"]))

    def column(name: str) -> np.ndarray:
        return np.asarray(true[name].to_numpy(zero_copy_only=False))

    by_chance = checks.filter(pc.equal(checks["selected_by"], "random"))["event"]
    drawn = np.asarray(pc.is_in(values["event"], value_set=by_chance.combine_chunks()).to_numpy(zero_copy_only=False))
    post = np.asarray(pc.dictionary_encode(posts.combine_chunks()).indices.to_numpy())
    who = post * EXAMINERS + random.integers(0, EXAMINERS, len(post))
    irregular, checked = column("irregular").astype(bool), column("checked").astype(bool)
    return Year(
        matrix,
        np.asarray(values["as_of"].to_numpy(zero_copy_only=False)).astype("datetime64[D]"),
        irregular,
        irregular & found_out(who, random),
        checked & ~drawn,
        checked,
        who,
        column("risk").astype(float),
        {"marked": column("marked").astype(bool), "young men": column("young_man").astype(bool)},
    )


def found_out(who: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Whether the examiner `who` (n,) of each entry would find out what is irregular about it."""
    post = who // EXAMINERS
    habits = random.normal(size=post.max() + 1)[post] + random.normal(size=who.max() + 1)[who]
    return np.asarray(random.random(len(who)) < 1 / (1 + np.exp(-(HABITS[0] + HABITS[1] * habits))))


def simulated(data: Year, control: float, examiners: bool, random: np.random.Generator) -> np.ndarray:
    """Which entries of the last year are checked (n,), by one arm."""
    start = data.day.max() - np.timedelta64(364, "D")
    checked, selected = data.chosen & (data.day < start), np.zeros(len(data.day), dtype=bool)
    while start <= data.day.max():
        now = np.flatnonzero((data.day >= start) & (data.day < start + PERIOD))
        places = int(data.checked[now].sum())
        score = learnt(data, np.flatnonzero(checked), examiners).raw(data.matrix.rows(now))
        drawn = random.random(len(now)) < control * places / max(len(now), 1)
        order = np.lexsort([-score, ~drawn])  # the draw first, whatever its scores; then by score
        chosen = now[order[:places]]
        selected[chosen] = checked[chosen] = True
        start += PERIOD
    return selected


def learnt(data: Year, rows: np.ndarray, examiners: bool) -> Any:
    """The trees that one arm learns from the rows it has checked."""
    matrix, labels = data.matrix.rows(rows), data.seen[rows].astype(float)
    if examiners:
        names = [str(number) for number in range(data.who.max() + 1)]
        effects, _ = separate(data.who[rows], names, (matrix, labels))
        matrix = Matrix(matrix.values, matrix.names, matrix.kinds, effects.offset(data.who[rows]))
    return grow(TREES, (matrix, labels), None, seeds=range(1, MEMBERS + 1), rounds=ROUNDS)


def ratio(selected: np.ndarray, group: np.ndarray, risk: np.ndarray) -> float:
    """How many times as often members of the group are selected as others of the same true risk."""
    band = np.digitize(risk, RISKS[1:-1])
    size = len(RISKS) - 1
    members, others = np.bincount(band[group], minlength=size), np.bincount(band[~group], minlength=size)
    chosen = np.bincount(band[~group], selected[~group].astype(float), size)
    expected = float((members * chosen / np.maximum(others, 1)).sum())
    return float(selected[group].sum()) / expected if expected > 0 else float("nan")


def lines(*, short: bool = False) -> Iterator[dict[str, Any]]:
    """One line per seed, one for all with intervals over seeds, then the bar."""
    told = []
    for seed in range(1, (SHORT_SEEDS if short else SEEDS) + 1):
        data = year(seed)
        last = data.day > data.day.max() - np.timedelta64(365, "D")
        arms = {name: simulated(data, *how, np.random.default_rng([seed, 6])) for name, how in ARMS.items()}
        arms["world's own policy"] = data.checked & last
        row: dict[str, Any] = {"part": "sample_year", "seed": seed, "entries": int(last.sum())}
        row |= {"checks": int(arms["neither"].sum()), "irregular": int(data.irregular[last].sum())}
        for name, selected in arms.items():
            row[name] = {"found": int(data.irregular[selected].sum())} | {
                group: ratio(selected[last], inside[last], data.risk[last]) for group, inside in data.groups.items()
            }
        told.append(row)
        yield row
    yield {
        "part": "sample_year",
        "seeds": len(told),
        **{name: _compared(told, name) for name in told[0] if name in ARMS},
    }
    yield bar("risk_sample_year_gain", _compared(told, "control and examiners")["gain"][0])


def _compared(told: list[dict[str, Any]], arm: str) -> dict[str, Any]:
    """An arm's mean figures, each as (mean, low, high) over seeds; `gain` is its share of finds above `neither`."""
    found = {group: np.array([row[arm][group] for row in told]) for group in told[0][arm]}
    before = np.array([row["neither"]["found"] for row in told])
    return {"gain": _mean(found["found"] / before - 1)} | {name: _mean(values) for name, values in found.items()}


def _mean(values: np.ndarray) -> tuple[float, float, float]:
    half = float(student.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return float(values.mean()), float(values.mean()) - half, float(values.mean()) + half
