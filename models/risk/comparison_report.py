"""A comparison as text for a terminal: figures, words, calibration, stability, groups, cost."""

from __future__ import annotations

from collections.abc import Iterator

from evidence.intervals import Interval
from models.risk.comparison import Comparison, Standing, verdict
from models.risk.report import figure, table


def text(comparison: Comparison) -> str:
    """All tables of a comparison, one below the other."""
    parts = [_folds(comparison), _figures(comparison), _words(comparison), _bands(comparison), _held(comparison)]
    parts += list(_groups(comparison))
    parts += [_said(standing) for standing in comparison.standings if standing.said]
    return "\n\n".join(part for part in parts if part)


def _folds(comparison: Comparison) -> str:
    rows = [
        (str(n), fold.valid_from, fold.test_from, *(f"{count:,}" for count in fold.rows), f"{fold.positives:,}")
        for n, fold in enumerate(comparison.folds, 1)
    ]
    heads = ("fold", "validation from", "test from", "train rows", "validation rows", "test rows", "positives")
    return f"{comparison.subject}: everybody on the same folds\n" + table(heads, rows)


def _figures(comparison: Comparison) -> str:
    everybody = comparison.standings
    rows = [
        (title, *(figure(standing.figures[name]) for standing in everybody))
        for name, (title, _) in comparison.metrics.items()
    ]
    rows.append(("Calibration slope", *(figure(standing.slope) for standing in everybody)))
    rows.append(("Folds judged on", *(f"{standing.folds}" for standing in everybody)))
    return table(("mean of folds, 95% intervals by day", *(standing.name for standing in everybody)), rows)


def _words(comparison: Comparison) -> str:
    return "\n".join(
        verdict(standing, comparison.reference, name, comparison.metrics)
        for standing in comparison.standings
        for name in standing.gains
    )


def _bands(comparison: Comparison) -> str:
    rows = [
        (
            f"{band.least:.0%} to {band.below:.0%}",
            standing.name,
            f"{band.rows:,}",
            f"{band.promised:.3f}",
            figure(band.found),
        )
        for standing in comparison.standings
        for band in standing.bands
    ]
    return table(("promised", "by", "rows", "mean promise", "share found"), rows) if rows else ""


def _held(comparison: Comparison) -> str:
    rows = []
    for standing in comparison.standings:
        held, cost = standing.held, standing.cost
        if held is None or cost is None:
            continue
        shares = (held.seed, held.bootstrap, held.month, held.reasons)
        rows.append(
            (
                standing.name,
                *("" if share is None else f"{share:.1%}" for share in shares),
                f"{cost.seconds:.1f}",
                f"{cost.rows_per_second:,.0f}",
            )
        )
    heads = (
        f"flags at {comparison.capacity:.4g} that change",
        "by seed",
        "by bootstrap",
        "by a month more",
        "same first 3 reasons",
        "CPU s to learn",
        "rows/s scored",
    )
    return table(heads, rows)


def _groups(comparison: Comparison) -> Iterator[str]:
    """For each attribute: selection rate and missed risk of each group, by contestant, and the lowest over the highest
    selection rate."""
    first = comparison.standings[0]
    for place, shown in enumerate(first.groups):
        rows = []
        for standing in comparison.standings:
            of = standing.groups[place]
            for row in of.rows:
                shares = (row.selection_rate, row.confirmation_rate, row.true_positive_rate, row.false_positive_rate)
                cells = ("", "", "", row.note) if row.note else tuple(figure(share) for share in shares)
                rows.append((standing.name, row.group, f"{row.rows:,}", *cells))
            rows.append((standing.name, "lowest over highest", "", figure(of.selection_ratio), "", "", ""))
        heads = ("by", shown.attribute, "rows", "selected", "confirmed", "true positive", "false positive")
        yield f"By {shown.attribute}, {100 * shown.capacity:g}% selected (never a feature)\n" + table(heads, rows)


def _said(standing: Standing) -> str:
    return f"{standing.name}:\n" + "\n".join(f"  {line}" for line in standing.said)


def plain_figures(comparison: Comparison) -> dict[str, float | None]:
    """Every figure by contestant and name, as a tracker takes them: values alone, with no row behind them."""
    found: dict[str, float | None] = {}
    for standing in comparison.standings:
        named: dict[str, Interval] = {**standing.figures, "calibration_slope": standing.slope}
        found |= {f"{standing.name} {name}": of.value for name, of in named.items()}
        found |= {f"{standing.name} over {comparison.reference} {n}": of.value for n, of in standing.gains.items()}
        if standing.held is not None:
            found |= {f"{standing.name} flags changed by seed": standing.held.seed}
            found |= {f"{standing.name} flags changed by bootstrap": standing.held.bootstrap}
            found |= {f"{standing.name} flags changed by a month more": standing.held.month}
        if standing.cost is not None:
            found |= {f"{standing.name} seconds to learn": standing.cost.seconds}
    return found
