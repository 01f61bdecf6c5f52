"""A schedule known ahead, given to members that cannot read one: they forecast the load of a flight, not the hour.

Counts over what the schedule carried are the load; a member forecasts it as if it were a flow, and its answer times the
coming schedule is the answer. Where nothing is carried, what came in such steps before answers: mostly nobody.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from models.volumes.counts.history import History
from models.volumes.counts.panel import Note, Panel
from models.volumes.rhythm import LEVELS

FOLLOWS = 0.6
"""Rank correlation with the counts from which a known column is taken for a schedule that carries them."""


def by_load(member: Callable[[History], np.ndarray]) -> Callable[[History], np.ndarray]:
    """The member's quantiles (S, H, 15) of the load times the schedule; its own answer where no schedule is known."""

    def loaded(history: History) -> np.ndarray:
        schedule = carrying(history)
        if schedule is None:
            return member(history)
        past, ahead = schedule[:, : history.length], schedule[:, history.length :, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            load = np.where(past > 0, history.values / past, np.nan)
        plain = replace(history, known={})
        idle = _idle(np.where(past > 0, np.nan, history.values))[:, None, :]
        answer = np.where(ahead > 0, member(replace(plain, values=load)) * ahead, idle)
        return np.where(np.isfinite(ahead) & np.isfinite(answer), answer, member(plain))

    return loaded


def carrying(history: History) -> np.ndarray | None:
    """The known column (S, N + H) that counts follow most, None where none carries them."""
    rated = {name: _together(history.values, column[:, : history.length]) for name, column in history.known.items()}
    best = max(rated, key=lambda name: rated[name], default=None)
    return None if best is None or rated[best] < FOLLOWS else history.known[best]


def lacking(panel: Panel, cutoffs: Sequence[int], horizon: int) -> tuple[Note, ...]:
    """What a reader must know: series whose named columns end within a horizon, and hours without any schedule."""
    if not panel.known:
        hours = Note("", "no schedule known ahead is named (as flights per hour), which would narrow hours the most")
        return (hours,) if panel.rhythm.unit == "h" else ()
    notes = []
    for name, column in panel.known.items():
        absent = np.zeros(len(panel.ids), int)
        for cutoff in cutoffs:
            ahead = column[:, cutoff + 1 - panel.start :][:, :horizon]
            absent += horizon - np.isfinite(ahead).sum(axis=1)
        notes += [
            Note(panel.ids[row], f"{name} is not known for {absent[row]} steps ahead; they are forecast without it")
            for row in np.flatnonzero(absent)
        ]
    return tuple(notes)


def _idle(counts: np.ndarray) -> np.ndarray:
    """Quantiles (S, 15) of counts (S, N) that came without a schedule; zero where none was ever seen."""
    return np.stack(
        [np.quantile(row[np.isfinite(row)], LEVELS) if np.isfinite(row).any() else 0 * LEVELS for row in counts]
    )


def _together(values: np.ndarray, carried: np.ndarray) -> float:
    """Mean over series of the rank correlation, as far as both are known; -1 where a column runs below zero."""
    if np.nanmin(carried, initial=0.0) < 0:
        return -1.0
    rates = []
    for counts, column in zip(values, carried, strict=True):
        both = np.isfinite(counts) & np.isfinite(column)
        if both.sum() >= 20 and np.ptp(column[both]) > 0 and np.ptp(counts[both]) > 0:
            ranks = np.stack([np.unique(part[both], return_inverse=True)[1] for part in (counts, column)])
            rates.append(float(np.asarray(np.corrcoef(ranks))[0, 1]))
    return float(np.mean(rates)) if rates else -1.0
