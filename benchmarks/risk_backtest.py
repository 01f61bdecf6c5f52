"""Risk backtests on public sets, beside logistic regression and LightGBM as it comes, in one run.

    BASIRA_SHARED_DATA=FOLDER python benchmarks/risk_backtest.py [--short]

Prints one JSON object per set and model, then one per bar. The peers see the same columns, cuts and test rows; the
peer LightGBM has its default parameters, native categories and a hundred trees.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from evidence.metrics import pr_auc
from models.risk.backtest import Options, backtest
from models.risk.encoding import TEST, TRAIN, encode, is_number, is_text
from models.risk.learners import Candidate, grow
from models.risk.sources import Columns, Sources, load

DERIVED = """\
log_price: log1p(item_price)
log_mass: log1p(net_mass)
log_unit: log_price - log_mass
price_cents: round(item_price * 100) % 100
duty: item_price * tax_rate / 100
"""
DECISION = ("frisked", "searched", "inspected", "found_without_search")
WHO = ("prot_race", "prot_sex", "prot_age")
AS_IT_COMES = Candidate(
    "LightGBM default", ("number", "category", "actor"), {"bagging_fraction": 1.0, "bagging_freq": 0}
)


@dataclass(frozen=True)
class Set:
    file: str
    cuts: tuple[str, str]
    columns: Columns


SETS = {
    "customs": Set("customs", ("2020-10-01", "2021-01-01"), Columns("y", "event_time", "row_id", ("y_critical",))),
    "food": Set(
        "food_inspections", ("2013-10-01", "2014-01-01"), Columns("y", "event_time", "row_id", ("y_serious", "y_fail"))
    ),
    "stops_nyc": Set(
        "street_stops_nyc",
        ("2015-07-01", "2015-10-01"),
        Columns("y", "event_time", "row_id", ("y_weapon", "y_gun", *DECISION), WHO),
    ),
    "stops_nyc_weapon": Set(
        "street_stops_nyc",
        ("2015-07-01", "2015-10-01"),
        Columns("y_weapon", "event_time", "row_id", ("y", "y_gun", *DECISION), WHO),
    ),
    "london": Set(
        "searches_london",
        ("2018-09-01", "2018-10-01"),
        Columns(
            "y",
            "event_time",
            "row_id",
            ("y_arrest", "outcome"),
            ("prot_ethnicity", "prot_ethnicity_self", "prot_gender", "prot_age"),
        ),
    ),
}


def as_it_comes(source: Sources, options: Options) -> float | None:
    """PR-AUC on the test rows of one LightGBM model with default parameters."""
    examples = load(source, options.columns, valid_from=options.valid_from, test_from=options.test_from)
    c = options.columns
    named = {c.label, c.time, c.row_id, *c.exclude, *c.audit}
    features = {
        name: examples.table.column(name)
        for name in examples.table.column_names
        if name not in named
        and (is_number(examples.table.schema.field(name).type) or is_text(examples.table.schema.field(name).type))
    }
    matrix = encode(features, examples.time, examples.split, examples.labels)
    train, test = examples.part(TRAIN), examples.part(TEST)
    trees = grow(AS_IT_COMES, (matrix.rows(train), examples.labels[train]), None, seeds=[1], rounds=100)
    return pr_auc(examples.labels[test], trees.raw(matrix.rows(test)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="few redraws, under three minutes")
    short = parser.parse_args().short
    named = os.environ.get("BASIRA_SHARED_DATA")
    if not named:
        print("Set BASIRA_SHARED_DATA to the folder that holds risk/; without it nothing is measured.", file=sys.stderr)
        return 0
    folder = Path(named) / "risk"
    bars = []
    for name, spec in SETS.items():
        options = Options(
            spec.columns,
            *(datetime.fromisoformat(cut) for cut in spec.cuts),
            draws=20 if short else 200,
        )
        with tempfile.TemporaryDirectory() as written:
            if name == "customs":
                derivations = Path(written) / "derive.yaml"
                derivations.write_text(DERIVED, encoding="utf-8")
                options = replace(options, columns=replace(spec.columns, derive=derivations))
            source = Sources(folder / f"{spec.file}.parquet")
            started = time.process_time()
            report = backtest(source, options)
            spent = time.process_time() - started
            default = as_it_comes(source, options)
        for model, figures in report.figures.items():
            values = {key: None if f.value is None else round(f.value, 4) for key, f in figures.items()}
            print(json.dumps({"set": name, "model": model, **values}), flush=True)
        print(
            json.dumps({"set": name, "model": "LightGBM default", "pr_auc": default and round(default, 4)}), flush=True
        )
        print(json.dumps({"set": name, "chosen": report.chosen, "cpu_seconds": round(spent, 1)}), flush=True)
        mine, floor = (report.figures[m]["pr_auc"].value for m in ("model", "logistic regression"))
        for peer, other in (("logistic", floor), ("lightgbm_default", default)):
            assert mine is not None
            assert other
            ratio = mine / other
            bar = f"risk_backtest_{name}_pr_auc_over_{peer}"
            bars.append({"bar": bar, "value": round(ratio, 4), "must": 1.0, "met": ratio >= 1.0})
    for line in bars:
        print(json.dumps(line))
    return 0 if all(line["met"] for line in bars) else 1


if __name__ == "__main__":
    sys.exit(main())
