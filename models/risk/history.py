"""What was found at an actor before: smoothed label rates and counts, strictly point in time.

A training row sees the findings that were known on strictly earlier days. A validation row sees those known before
validation began, a test row those known before the test began: both are frozen at the start of their split, as they
would be for a model in service between two trainings. Leaving only the row itself out, instead of its whole present
and future, leaks its label.
"""

from __future__ import annotations

import numpy as np

SMOOTHING = 20.0  # an actor with twenty findings counts half its own rate, half the base rate


def rate(positives: np.ndarray, found: np.ndarray, prior: float) -> np.ndarray:
    """Smoothed share of positives among `found` findings."""
    return (positives + SMOOTHING * prior) / (found + SMOOTHING)


def expanding(
    codes: np.ndarray, days: np.ndarray, labels: np.ndarray, known: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Positives and findings of the same code that were known before the row's day, per row.

    `codes` (n,) integers, `days` (n,) integers, `labels` (n,) float with NaN for "not found out", `known` (n,) the days
    on which they were (the rows' own if None).
    """
    known = days if known is None else known
    first, last = min(days.min(initial=0), known.min(initial=0)), max(days.max(initial=0), known.max(initial=0))
    span = int(last - first) + 1
    told, asked = codes * span + (known - first), codes * span + (days - first)
    order = np.argsort(told, kind="stable")
    found = ~np.isnan(labels[order])
    totals = np.zeros((2, len(codes) + 1))
    totals[0, 1:] = np.cumsum(np.where(found, labels[order], 0.0))
    totals[1, 1:] = np.cumsum(found)
    start, end = (np.searchsorted(told[order], key) for key in (codes * span, asked))
    result = totals[:, end] - totals[:, start]
    return result[0], result[1]


def frozen(codes: np.ndarray, labels: np.ndarray, asked: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positives and findings in all of the history (`codes`, `labels`), for each code of `asked`; -1 is nobody."""
    known = ~np.isnan(labels) & (codes >= 0)
    size = int(max(codes.max(initial=-1), asked.max(initial=-1))) + 1
    positives = np.bincount(codes[known], weights=labels[known], minlength=size)
    found = np.bincount(codes[known], minlength=size).astype(np.float64)
    somebody = asked >= 0
    at = np.where(somebody, asked, 0)
    if size == 0:
        return np.zeros(len(asked)), np.zeros(len(asked))
    return np.where(somebody, positives[at], 0.0), np.where(somebody, found[at], 0.0)
