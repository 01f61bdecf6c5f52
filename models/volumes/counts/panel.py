"""A long table of counts, checked and laid on one grid of series by steps. What is missing stays missing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from models.volumes.rhythm import Rhythm, moments, rhythm_of, steps
from records.errors import BadInput

REFUSED_SHARE = 0.1
"""A series with a larger share of unusable rows is refused: what is left would be a guess."""


@dataclass(frozen=True)
class Note:
    """Something a reader must know about one series. A refused series is not forecast; the rest are."""

    series: str
    problem: str
    refused: bool = False


@dataclass(frozen=True)
class Panel:
    """Counts of S series on a grid of T steps; NaN where nothing is known.

    `last` is the last step of which a series has any row, even one whose count is missing: later steps are not late
    counts, the series has ended. `known` columns reach as far as the table does. `groups` hold codes (S,) by column,
    `labels` what each code stands for.
    """

    rhythm: Rhythm
    ids: tuple[str, ...]
    start: int
    values: np.ndarray
    last: np.ndarray
    groups: dict[str, np.ndarray]
    known: dict[str, np.ndarray]
    notes: tuple[Note, ...]
    zone: str | None = None
    labels: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """The last step of the grid."""
        return self.start + int(self.values.shape[1]) - 1

    def since(self, step: int) -> "Panel":
        """The same panel from a step on."""
        drop = max(0, step - self.start)
        known = {name: column[:, drop:] for name, column in self.known.items()}
        return replace(self, start=self.start + drop, values=self.values[:, drop:], known=known)

    def until(self, step: int) -> "Panel":
        """The same panel up to and with a step, without columns known ahead of it."""
        keep = step - self.start + 1
        known = {name: column[:, :keep] for name, column in self.known.items()}
        return replace(self, values=self.values[:, :keep], known=known)

    def only(self, ids: Sequence[str]) -> "Panel":
        """The same panel with the named series; BadInput for one that neither is there nor has been refused."""
        at = {name: row for row, name in enumerate(self.ids)}
        refused = {note.series for note in self.notes if note.refused}
        absent = [name for name in ids if name not in at and name not in refused]
        if absent:
            raise BadInput(f"Series {', '.join(map(repr, absent[:5]))} ({len(absent)} in all) are not in the table.")
        rows = np.array(sorted(at[name] for name in set(ids) if name in at), int)
        wanted = set(ids)
        return replace(
            self,
            ids=tuple(self.ids[row] for row in rows),
            values=self.values[rows],
            last=self.last[rows],
            groups={name: codes[rows] for name, codes in self.groups.items()},
            known={name: column[rows] for name, column in self.known.items()},
            notes=tuple(note for note in self.notes if note.series in wanted or not note.series),
        )


def read_table(source: Path | str | pd.DataFrame | pa.Table) -> pd.DataFrame:
    """A long table from Parquet, CSV, Arrow or pandas; BadInput where it cannot be read."""
    if isinstance(source, pd.DataFrame):
        return source
    if isinstance(source, pa.Table):
        frame: pd.DataFrame = source.to_pandas()
        return frame
    path = Path(source)
    if not path.is_file():
        raise BadInput(f"There is no file {path}. Name a Parquet or CSV table with the columns unique_id, ds, y.")
    try:
        return pd.read_csv(path) if path.suffix.lower() == ".csv" else pd.read_parquet(path)
    except (ValueError, OSError) as error:
        raise BadInput(f"{path} cannot be read as {'CSV' if path.suffix == '.csv' else 'Parquet'}: {error}") from error


def read_panel(
    source: Path | str | pd.DataFrame | pa.Table,
    freq: str,
    hierarchy: Sequence[str] = (),
    known_ahead: Sequence[str] = (),
    judged_until: Callable[[np.ndarray], int] | None = None,
) -> Panel:
    """Check a long table (unique_id, ds, y and the named columns) and lay it on a grid.

    Troubles of single series become notes, and the series is refused where what is left would be a guess. BadInput
    where the table as a whole cannot be used. `judged_until` gets the last step (S,) of every series and says up to
    which step counts may speak against a series: later ones must not change a forecast made before them.
    """
    rhythm = rhythm_of(freq)
    table = read_table(source)
    needed = ["unique_id", "ds", "y", *hierarchy, *known_ahead]
    absent = [name for name in needed if name not in table.columns]
    if absent:
        raise BadInput(
            f"The table has no column {', '.join(absent)}. Its columns are {', '.join(map(str, table.columns))}; "
            "a long table needs unique_id, ds and y, and every column that an option names."
        )
    if table.empty:
        raise BadInput("The table has no rows, so there is nothing to forecast.")
    taken = [name for name in (*hierarchy, *known_ahead) if name in ("unique_id", "ds", "y")]
    if taken:
        raise BadInput(
            f"{taken[0]} is neither a level of a hierarchy nor known ahead. Name other columns, for instance flights."
        )
    table = table.loc[:, list(dict.fromkeys(needed))]
    notes: list[Note] = []
    nameless = int(table["unique_id"].isna().sum())
    if nameless:
        notes.append(Note("", f"{nameless} rows without a unique_id were left out"))
        table = table[table["unique_id"].notna()]
    table = table.assign(unique_id=table["unique_id"].astype(str))
    days, zone = _wall_clock(table["ds"])
    table = table.assign(ds=days, y=_numbers(table["y"], "y"))
    for column in known_ahead:
        table[column] = _numbers(table[column], column)

    judged = None
    if judged_until is not None:
        last = table.groupby("unique_id")["ds"].max().dropna()
        judged = judged_until(steps(last.to_numpy(), rhythm)) if len(last) else None
    parts: list[pd.DataFrame] = []
    for name, rows in table.groupby("unique_id", sort=True):
        checked, found = _check_series(str(name), rows.sort_values("ds", kind="stable"), rhythm, judged)
        notes.extend(found)
        if checked is not None:
            parts.append(checked)
    if not parts:
        said = "; ".join(f"{note.series}: {note.problem}" for note in notes[:3])
        raise BadInput(f"No series can be forecast as {freq}. {said}")
    return _lay_out(
        pd.concat(parts), rhythm, hierarchy=hierarchy, known_ahead=known_ahead, notes=tuple(notes), zone=zone
    )


def _wall_clock(column: pd.Series) -> tuple[pd.Series, str | None]:
    """Moments without a zone, as clocks at the post show them, and the zone they were in.

    A zone makes an hour that is told twice in autumn one clock hour: the two rows meet as duplicates and are reported.
    """
    if pd.api.types.is_numeric_dtype(column.dtype):
        raise BadInput("Column ds holds numbers. Write dates as 2024-05-01 or 2024-05-01T13:00.")
    text = column.dtype == object or pd.api.types.is_string_dtype(column.dtype)
    try:
        # 03/04/2024 is March to some and April to others: text must be ISO 8601.
        parsed = pd.to_datetime(column, format="ISO8601") if text else pd.to_datetime(column)
    except (ValueError, TypeError, OverflowError) as error:
        why = str(error).splitlines()[0]
        raise BadInput(
            f"Column ds cannot be read as dates: {why} Write them as 2024-05-01 or 2024-05-01T13:00."
        ) from error
    if not isinstance(parsed.dtype, pd.DatetimeTZDtype) and not pd.api.types.is_datetime64_dtype(parsed.dtype):
        raise BadInput("Column ds mixes time zones. Give every row the local time of its post, or one zone for all.")
    zone = str(parsed.dt.tz) if isinstance(parsed.dtype, pd.DatetimeTZDtype) else None
    return parsed.dt.tz_localize(None), zone


def _numbers(column: pd.Series, name: str) -> pd.Series:
    try:
        return pd.to_numeric(column).astype(float)
    except (ValueError, TypeError) as error:
        raise BadInput(f"Column {name} must hold numbers: {error}") from error


def _check_series(
    name: str, rows: pd.DataFrame, rhythm: Rhythm, judged: int | None
) -> tuple[pd.DataFrame | None, list[Note]]:
    notes: list[Note] = []

    def said(problem: str, refused: bool = False) -> None:
        notes.append(Note(name, problem, refused))

    undated = int(rows["ds"].isna().sum())
    if undated:
        said(f"{undated} rows without a date were left out")
        rows = rows[rows["ds"].notna()]
    if rows.empty:
        said("no row has a date", refused=True)
        return None, notes
    stamps = rows["ds"].to_numpy().astype("datetime64[us]")
    index = steps(stamps, rhythm)
    off = int((moments(index, rhythm) != stamps).sum())
    if off:
        said(
            f"{off} of {len(stamps)} dates do not begin a step of {rhythm.freq} (mixed frequency?); "
            "write each as the start of its month, day or hour",
            refused=True,
        )
        return None, notes

    y = rows["y"].to_numpy(copy=True)
    negative, infinite = int((y < 0).sum()), int(np.isinf(y).sum())
    for count, problem in ((negative, "negative counts"), (infinite, "counts that are not finite")):
        if count:
            said(f"{count} {problem} are taken as missing")
    early = np.ones(len(index), bool) if judged is None else index <= judged
    bad = int((((y < 0) | np.isinf(y)) & early).sum())
    y[(y < 0) | ~np.isfinite(y)] = np.nan
    rows = rows.assign(y=y, step=index)

    first = ~rows["step"].duplicated(keep="first").to_numpy()
    repeated = len(rows) - int(first.sum())
    if repeated:
        spread = rows.groupby("step")["y"].agg(["nunique", "size"])
        clash = spread.index[spread["nunique"] > 1]
        conflicting = len(clash)
        bad += conflicting if judged is None else int((clash.to_numpy() <= judged).sum())
        when = moments(clash.to_numpy()[:1], rhythm)
        said(
            f"{repeated} repeated dates"
            + (f"; {conflicting} with different counts are taken as missing (first {when[0]})" if conflicting else "")
        )
        rows = rows[first]
        rows.loc[rows["step"].isin(clash), "y"] = np.nan
    if bad > REFUSED_SHARE * early.sum():
        said(f"{bad} of {int(early.sum())} rows cannot be used, so what is left would be a guess", refused=True)
        return None, notes
    seen = rows["step"].to_numpy()[rows["y"].notna().to_numpy()]
    if not len(seen):
        said("no row has a usable count", refused=True)
        return None, notes
    gaps = int(seen[-1] - seen[0] + 1 - len(seen))
    if gaps:
        said(f"{gaps} of {int(seen[-1] - seen[0] + 1)} steps have no count; they stay missing")
    if len(seen) < 2 * rhythm.season:
        said(f"only {len(seen)} counts, under two seasons of {rhythm.season}: the answer is wide")
    if not rows["y"].fillna(0).any():
        said("every count is zero")
    return rows, notes


def _lay_out(
    table: pd.DataFrame,
    rhythm: Rhythm,
    *,
    hierarchy: Sequence[str],
    known_ahead: Sequence[str],
    notes: tuple[Note, ...],
    zone: str | None,
) -> Panel:
    ids, row = np.unique(table["unique_id"].to_numpy(str), return_inverse=True)
    step = table["step"].to_numpy()
    start = int(step.min())
    shape = (len(ids), int(step.max()) - start + 1)

    def grid(name: str) -> np.ndarray:
        values = np.full(shape, np.nan)
        values[row, step - start] = table[name].to_numpy(float)
        return values

    last = np.full(len(ids), -1, np.int64)
    np.maximum.at(last, row, step)
    # A group is read from the first row of its series: later rows may not say anything about earlier moments.
    firsts = table.groupby("unique_id", sort=True).head(1).sort_values("unique_id")
    groups, labels = {}, {}
    for name in hierarchy:
        labels[name], groups[name] = np.unique(firsts[name].astype(str).fillna("").to_numpy(str), return_inverse=True)
    latest = int(last.max())
    ended = tuple(
        Note(str(ids[i]), f"ends on {moments(last[i], rhythm)}, before the others; not forecast beyond that")
        for i in np.flatnonzero(last < latest)
    )
    return Panel(
        rhythm,
        tuple(map(str, ids)),
        start,
        grid("y"),
        last,
        groups,
        {name: grid(name) for name in known_ahead},
        notes + ended,
        zone,
        labels,
    )
