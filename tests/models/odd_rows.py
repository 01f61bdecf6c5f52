"""Rows with cells that LightGBM reads in ways of its own: missing, nearly zero, negative codes, codes never seen."""

import numpy as np

ODD = np.array([np.nan, 0.0, -0.0, 1e-36, -1e-36, -0.5, -1.0, 0.5, 3.7, 31.0, 32.0, 1e9, -1e9, 1e300, np.inf, -np.inf])


def odd_rows(table: np.ndarray, rows: int, seed: int = 0) -> np.ndarray:
    """Rows like those of `table`, one cell in five odd."""
    random = np.random.default_rng(seed)
    chosen = table[random.integers(0, len(table), rows)].copy()
    at = random.random(chosen.shape) < 0.2
    chosen[at] = random.choice(ODD, at.sum())
    return chosen
