"""Means of counts of which some are missing."""

import numpy as np


def mean_known(values: np.ndarray, axis: int = -1) -> np.ndarray:
    """Mean along an axis, NaN left out; NaN, and no warning, where nothing is known."""
    count = np.isfinite(values).sum(axis=axis)
    return np.where(count > 0, np.nansum(values, axis=axis) / np.maximum(count, 1), np.nan)
