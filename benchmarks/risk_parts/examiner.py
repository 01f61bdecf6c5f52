"""Food inspections with who inspected averaged out, beside the same without the column: what is left of the signal."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from benchmarks.risk_parts.bars import bar
from benchmarks.risk_parts.sets import options, source
from models.risk.backtest import backtest

WHO = "inspector_group"


def lines(*, short: bool) -> Iterator[dict[str, Any]]:
    asked = replace(options("food"), draws=50 if short else 200)
    without = replace(asked, columns=replace(asked.columns, exclude=(*asked.columns.exclude, WHO)))
    averaged = replace(asked, columns=replace(asked.columns, examiner=WHO))
    plain, report = (backtest(source("food"), each) for each in (without, averaged))
    told = report.examined
    yield {
        "set": "food",
        "chosen": report.chosen,
        "pr_auc": report.figures["model"]["pr_auc"].value,
        "low": report.figures["model"]["pr_auc"].low,
        "high": report.figures["model"]["pr_auc"].high,
        "column_left_out": plain.figures["model"]["pr_auc"].value,
        "share_of_signal": told and told.share.value,
        "told_by_columns": told and told.told,
        "shared_by_score": told and told.carried,
    }
    yield bar("risk_food_examiner_averaged_pr_auc", report.figures["model"]["pr_auc"].value)
