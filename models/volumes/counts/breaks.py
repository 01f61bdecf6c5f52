"""Shocks in the counts themselves: stops, reopenings, level shifts and outliers, recognised without being told.

A count is judged beside what the same season of trusted counts before it promised, at the level of then. Months of a
stop say nothing about ordinary months, so members do not learn from them, nor do widths; but a level that has stayed
is the new level, and is trusted from then on.
"""

from dataclasses import dataclass

import numpy as np

from models.volumes.counts.gaps import mean_known
from models.volumes.counts.panel import Note, Panel
from models.volumes.rhythm import Rhythm, moments

LOW, HIGH = 0.4, 2.5
"""Counts below or above this share of what was usual, and far outside the usual spread, are a shock."""
STAYS = {"M": 18, "D": 56, "h": 1344}
"""Steps after which an unusual level is the level."""
RUN = {"M": 2, "D": 7, "h": 72}
"""Unusual steps in a row that make a shock; fewer are outliers, such as a feast."""
SPREADS = 4.0
"""Usual deviations a count must lie away."""


@dataclass(frozen=True)
class Shock:
    """One run of unusual counts: steps begin <= t < end; `share` is its level beside the usual one."""

    series: int
    begin: int
    end: int
    share: float
    lasting: bool  # it had not ended with the counts, or it became the level


def trusted(values: np.ndarray, rhythm: Rhythm, *, shortest: int = 1) -> np.ndarray:
    """Which counts (S, N) may teach what is ordinary. Only earlier counts judge a count, so that nothing looks ahead.

    Runs of unusual counts shorter than `shortest` are trusted; a run that stays becomes the level and is trusted again.
    """
    unusual = _unusual(values, rhythm)[0]
    if shortest > 1:
        held = np.lib.stride_tricks.sliding_window_view(
            np.pad(unusual, ((0, 0), (shortest - 1,) * 2)), shortest, axis=1
        )
        whole = held.all(axis=2)
        unusual = np.asarray(np.lib.stride_tricks.sliding_window_view(whole, shortest, axis=1).any(axis=2))
    return np.asarray(~unusual)


def shocks(values: np.ndarray, rhythm: Rhythm) -> list[Shock]:
    """The runs of unusual counts, by series and time."""
    unusual, ratio = _unusual(values, rhythm)
    found = []
    for series, row in enumerate(unusual):
        edge = np.flatnonzero(np.diff(np.concatenate([[0], row.astype(int), [0]])))
        for begin, end in zip(edge[::2], edge[1::2], strict=True):
            share = float(np.nanmedian(ratio[series, begin:end]))
            lasting = end == values.shape[1] or end - begin >= STAYS[rhythm.unit]
            found.append(Shock(series, int(begin), int(end), share, lasting))
    return found


def shock_notes(panel: Panel) -> tuple[Note, ...]:
    """What a reader must know: where counts were left out of learning, and why. Single outliers are counted only."""
    notes = []
    runs = shocks(panel.values, panel.rhythm)
    for series, name in enumerate(panel.ids):
        own = [shock for shock in runs if shock.series == series]
        for shock in own:
            if shock.end - shock.begin < RUN[panel.rhythm.unit]:
                continue
            first, last = (moments(np.array(panel.start + t), panel.rhythm) for t in (shock.begin, shock.end - 1))
            span = f"{first.astype('datetime64[D]')} to {last.astype('datetime64[D]')}"
            kind = "a stop" if shock.share < 0.1 else "unusually few" if shock.share < 1 else "unusually many"
            then = "; it is taken as the new level" if shock.lasting else ""
            notes.append(Note(name, f"{span}: {kind} ({shock.share:.0%} of usual), left out of learning{then}"))
        single = sum(shock.end - shock.begin < RUN[panel.rhythm.unit] for shock in own)
        if single:
            notes.append(Note(name, f"{single} outliers count little in learning"))
    return tuple(notes)


def _unusual(values: np.ndarray, rhythm: Rhythm) -> tuple[np.ndarray, np.ndarray]:
    """Flags (S, N) and the share of the usual (S, N), stepped through time with all series side by side."""
    count, length = values.shape
    season = rhythm.season
    unusual = np.zeros(values.shape, bool)
    ratio = np.full(values.shape, np.nan)
    clean = values.copy()
    run = np.zeros(count, int)
    spread = np.full(count, 0.25)
    stays = STAYS[rhythm.unit]
    for t in range(season, length):
        past = clean[:, t - season :: -season][:, :3]
        usual, level = mean_known(past), mean_known(clean[:, t - season : t])
        with np.errstate(divide="ignore", invalid="ignore"):
            share = values[:, t] / usual
        ratio[:, t] = share
        noise = np.sqrt(spread**2 + 1.0 / np.maximum(usual, 1.0))
        away = np.abs(np.log((values[:, t] + 1.0) / (usual + 1.0)))  # a fall and a rise to the same factor are as far
        far = away > SPREADS * noise
        beyond = np.isfinite(share) & (usual > 5.0) & far & ((share < LOW) | (share > HIGH))
        beyond &= np.isfinite(level) & ((values[:, t] < 0.6 * level) | (values[:, t] > 1.7 * level))
        run = np.where(beyond, run + 1, np.where(np.isfinite(values[:, t]), 0, run))
        unusual[:, t] = beyond
        clean[beyond, t] = usual[beyond]
        stayed = run >= stays
        if stayed.any():
            begin = max(0, t - stays + 1)
            clean[stayed, begin : t + 1] = values[stayed, begin : t + 1]
            clean[stayed, :begin] = np.nan  # what was before the new level says nothing of what is usual
            run[stayed] = 0
        fine = np.isfinite(share) & ~beyond
        spread = np.where(fine, 0.95 * spread + 0.05 * 1.25 * np.minimum(away, 1.0), spread)
    return unusual, ratio
