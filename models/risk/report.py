"""A backtest's report as text for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from evidence.groups import GroupTable
from evidence.intervals import Interval
from models.risk.backtest import Report


def text(report: Report) -> str:
    """All tables of a report, one below the other."""
    parts = [_rows(report), _learning(report)]
    if report.figures:
        parts += [_figures(report), _gain(report), *(_group(table) for table in report.groups)]
    else:
        parts.append("The test rows have no label: scores were written, and nothing was judged.")
    return "\n\n".join([*parts, f"{report.seconds:.0f} seconds"])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns as wide as their widest cell; the first is text, the others are figures."""
    cells = [list(head), *(list(row) for row in rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    ]
    return "\n".join([lines[0], "  ".join("-" * w for w in widths), *lines[1:]])


def figure(interval: Interval, digits: int = 3) -> str:
    """A figure with its interval, or what stands for an undefined one."""
    if interval.value is None:
        return "undefined"
    if interval.low is None or interval.high is None:
        return f"{interval.value:.{digits}f}"
    return f"{interval.value:.{digits}f} [{interval.low:.{digits}f}, {interval.high:.{digits}f}]"


def _part(share: float | None) -> str:
    return "undefined" if share is None else f"{share:.3f}"


def _rows(report: Report) -> str:
    rows = [
        (
            count.split,
            f"{count.rows:,}",
            f"{count.labelled:,}",
            f"{count.rows - count.labelled:,}",
            f"{count.positives:,}",
            f"{count.positives / count.labelled:.3f}" if count.labelled else "undefined",
        )
        for count in report.counts
    ]
    return table(("split", "rows", "with label", "without", "positives", "base rate"), rows)


def _learning(report: Report) -> str:
    lines = ["Columns: " + ", ".join(f"{count} {kind}" for kind, count in report.features.items())]
    lines += [f"Left out: {name} ({why})" for name, why in report.left_out.items()]
    if (told := report.examined) is not None:
        lines.append(
            f"Who looked: {told.examiners} in '{told.column}', averaged out of every score; share of the signal "
            f"{figure(told.share)}, told by the columns {_part(told.told)}, shared by the score {_part(told.carried)}"
        )
    lines += [f"WARNING: {warning}" for warning in (*report.warnings, *(told.warnings if told else ()))]
    lines.append("Validation log loss of a first try: " + ", ".join(f"{n} {v:.4f}" for n, v in report.tried.items()))
    lines.append(f"Chosen: {report.chosen}")
    lines += [] if report.fallback is None else [f"Places: {report.fallback}"]
    lines.append(
        f"Calibrator: {report.calibrators['model']} (cross-validated log loss on validation: "
        + ", ".join(f"{name} {loss:.4f}" for name, loss in report.calibration_losses.items())
        + ")"
    )
    return "\n".join(lines)


def _figures(report: Report) -> str:
    rows = [
        (metric.title, *(figure(figures[metric.name]) for figures in report.figures.values()))
        for metric in report.metrics
    ]
    return table(("test rows, 95% intervals by day", *report.figures), rows)


def _gain(report: Report) -> str:
    gain = report.gain
    if gain.value is None or gain.low is None or gain.high is None:
        return "PR-AUC over logistic regression: undefined"
    verdict = "more than noise" if gain.low > 0 else "less than logistic" if gain.high < 0 else "within noise"
    return f"PR-AUC over logistic regression: {figure(gain)}, {verdict}"


def _group(groups: GroupTable) -> str:
    rows = [
        (row.group, f"{row.rows:,}", row.note, "", "", "", "", "")
        if row.note
        else (
            row.group,
            f"{row.rows:,}",
            figure(row.base_rate),
            figure(row.selection_rate),
            figure(row.confirmation_rate),
            figure(row.true_positive_rate),
            figure(row.false_positive_rate),
            figure(row.calibration_gap),
        )
        for row in groups.rows
    ]
    head = (
        groups.attribute,
        "rows",
        "base rate",
        "selected",
        "confirmed",
        "true positive",
        "false positive",
        "calibration",
    )
    ratio = groups.selection_ratio
    return (
        f"By {groups.attribute}, {100 * groups.capacity:g}% selected (never a feature); lowest over highest selection "
        f"rate {figure(ratio)}\n" + table(head, rows)
    )
