"""What was found at an actor before: smoothed label rates and counts, strictly point in time.

A training row sees the findings of strictly earlier days. A validation row sees those before validation began, a test
row those before the test began: both are frozen at the start of their split, as they would be for a model in service
between two trainings. Leaving only the row itself out, instead of its whole present and future, leaks its label.
"""

from __future__ import annotations

import numpy as np

SMOOTHING = 20.0  # an actor with twenty findings counts half its own rate, half the base rate


def rate(positives: np.ndarray, found: np.ndarray, prior: float) -> np.ndarray:
    """Smoothed share of positives among `found` findings."""
    return (positives + SMOOTHING * prior) / (found + SMOOTHING)


def expanding(codes: np.ndarray, days: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Positives and findings of the same code on strictly earlier days, per row.

    `codes` (n,) integers, `days` (n,) sortable, `labels` (n,) float with NaN for "not found out".
    """
    order = np.lexsort((days, codes))
    code, day = codes[order], days[order]
    known = ~np.isnan(labels[order])
    positives = np.concatenate([[0.0], np.cumsum(np.where(known, labels[order], 0.0))])
    found = np.concatenate([[0.0], np.cumsum(known)])
    new_code = np.concatenate([[True], code[1:] != code[:-1]])
    new_day = new_code | np.concatenate([[True], day[1:] != day[:-1]])
    rows = np.arange(len(code))
    code_start = np.maximum.accumulate(np.where(new_code, rows, 0))
    day_start = np.maximum.accumulate(np.where(new_day, rows, 0))
    result = np.empty((2, len(code)))
    result[:, order] = (positives[day_start] - positives[code_start], found[day_start] - found[code_start])
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
