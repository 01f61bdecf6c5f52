"""What a nightly run publishes: one folder per run, whole or not there at all. The newest is served.

The older ones are kept as they were, so that it can be asked how last month's did and what changed since. Tables are
Parquet, whose columns are declared here; alarms, words and the card are JSON. All moments `ds` are clocks of the place.
"""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.volumes.adding_up.hierarchy import TOTAL
from models.volumes.early_warning.alarms import Alarm, Kind, State
from models.volumes.rhythm import COLUMNS
from records.errors import BadInput
from records.placing import placed

LEVELS_OF_FLOWS: Final = ("nation", "mode", "governorate", "post", "flow")
"""From the top; a governorate stands inside its mode, so that a tree it is."""

_NUMBERS = [(name, pa.float64()) for name in ("mean", *COLUMNS)]
_MOMENT = ("ds", pa.timestamp("us"))
_FLOWS = pa.schema(
    [(name, pa.string()) for name in ("node", "level", "parent", "mode", "governorate", "post", "direction")]
    + [_MOMENT, ("closed", pa.bool_()), *_NUMBERS]
)
TABLES: Final[Mapping[str, pa.Schema]] = {
    "hours": _FLOWS,
    "days": _FLOWS,
    "months": _FLOWS,
    "came": pa.schema([("node", pa.string()), ("step", pa.string()), _MOMENT, ("y", pa.float64())]),
    "classes": pa.schema([("node", pa.string()), ("class", pa.string()), _MOMENT, *_NUMBERS]),
    "offices": pa.schema([("office", pa.string()), ("kind", pa.string()), _MOMENT, *_NUMBERS]),
    "caseload": pa.schema(
        [("office", pa.string()), _MOMENT]
        + [(f"backlog_{name}", pa.float64()) for name in ("mean", "q0.1", "q0.9")]
        + [("days_median", pa.float64()), ("days_p90", pa.float64())]
        + [(name, pa.int64()) for name in ("promised_days", "officers", "officers_needed")]
    ),
    "renewals": pa.schema([("category", pa.string()), _MOMENT, *_NUMBERS]),
    "stock": pa.schema([("group", pa.string()), *_NUMBERS]),
    "staffing": pa.schema(
        [(name, pa.string()) for name in ("post", "direction")]
        + [_MOMENT, ("travellers", pa.float64()), ("share_in_time", pa.float64())]
        + [(name, pa.int64()) for name in ("booths", "officers")]
    ),
    "curve": pa.schema([("post", pa.string()), ("share_in_time", pa.float64()), ("booth_hours", pa.float64())]),
}
"""Columns of each table. `node` names a flow: "mode=sea > governorate=TN-11 > post=GLT > direction=entry"; `parent` is
the node it is a part of (null: the nation). Labels that a node does not have are null, as are officers needed where all
desks are not enough. `closed` steps are exact zeros of an announced closure. `came` are the counts before the run, by
the `step` "hours", "days" or "months"; one that is missing is left out."""

RUNNING: Final = pa.schema(
    [(name, pa.string()) for name in ("node", "level", "parent", "mode", "governorate", "post", "direction", "period")]
    + [_MOMENT, ("until", pa.timestamp("us"))]
    + [(name, pa.float64()) for name in ("so_far", "forecast")]
    + [("silent", pa.int64()), ("uncounted", pa.int64()), *_NUMBERS]
)
"""Columns of a nowcast. `period` is "day" or "month" and begins at `ds`; `so_far` came before `until`, `forecast` is
the median that the run had published, and `silent` how many flows report nothing although by then they always do.
`uncounted` are the days before of which a flow has no count: `so_far` lacks them, what is expected does not."""

_STAMP = "%Y%m%dT%H%M%S%fZ"
_JSON = ("alarms", "words", "card")
PATHS: Final = "paths.npz"
NOWCASTS: Final = "nowcasts"


@dataclass(frozen=True)
class Word:
    """What moved the forecast of one node on one day: `parts` by name of `explained.PARTS`, which sum to `expected`."""

    node: str
    ds: date
    expected: float
    parts: Mapping[str, float]


@dataclass(frozen=True)
class Card:
    """What a reader must know of a run.

    made_at, as_of  when it was made, and the moment up to which the lake was read; both with a zone
    figures         losses of the pool and of seasonal naive from earlier origins, as {"days": {"post": {"wape": …}}}
    weights         of the pool's members, as {"days": {"trees": .4, …}}; `learnt_at` when they were learnt
    notes           troubles of single series, each with series, problem and refused
    uncertain_days  days whose holiday the moon decides
    did             how the runs before did on what came since: name, days, coverage_80, wape, bias
    changed         flows that moved most since the run before: name, before, after, reason, days
    compared        what this run read that the one before had not: reason, days; nothing where none was before
    counts          the days counted of each node, and the persons on them
    versions        of the lake's tables; `data_hash` of what was read
    settings        horizons, histories and numbers of paths that the run was made with
    seconds         that each part took
    """

    made_at: datetime
    as_of: datetime
    zone: str
    figures: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)
    weights: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    learnt_at: datetime | None = None
    notes: Sequence[Mapping[str, Any]] = ()
    uncertain_days: Sequence[date] = ()
    did: Sequence[Mapping[str, Any]] = ()
    changed: Sequence[Mapping[str, Any]] = ()
    compared: Mapping[str, Any] = field(default_factory=dict)
    counts: Mapping[str, tuple[int, float]] = field(default_factory=dict)
    versions: Mapping[str, int | str] = field(default_factory=dict)
    data_hash: str = ""
    settings: Mapping[str, int | float | str] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("made_at", "as_of"):
            if getattr(self, name).tzinfo is None:
                raise BadInput(f"{name} has no time zone. Write it with one, as in 2026-01-31T06:00+01:00.")


@dataclass(frozen=True)
class Paths:
    """Possible futures of the flows `nodes` (n,): `hours` (n, h, P) and `days` (n, d, P), from which sums over flows
    and plans of booths are read. They are kept of the newest run alone."""

    nodes: tuple[str, ...]
    hours: np.ndarray
    days: np.ndarray

    def inside(self, node: str) -> np.ndarray:
        """Which flows (n,) a node is the sum of."""
        return np.array([node in (TOTAL, flow) or flow.startswith(f"{node} > ") for flow in self.nodes])


@dataclass(frozen=True)
class Published:
    """All that one run publishes, before it is written."""

    tables: Mapping[str, pa.Table]
    alarms: Sequence[Alarm]
    words: Sequence[Word]
    card: Card
    paths: Paths | None = None


@dataclass(frozen=True)
class Run:
    """One published run, read as far as it is asked for."""

    made_at: datetime
    path: Path

    def table(self, name: str, columns: Sequence[str] | None = None, where: Any = None) -> pa.Table:
        """One table of TABLES; `where` as pyarrow's filters, as in [("level", "=", "post")]. A run from before a table
        was declared has it empty: a run lies there whole, so that a table which is not there never was."""
        if name not in TABLES:
            raise BadInput(f"A run has no table {name!r}. It has {', '.join(TABLES)}.")
        path = self.path / f"{name}.parquet"
        if self.path.is_dir() and not path.exists():
            empty = TABLES[name].empty_table()
            return empty.select(columns) if columns else empty
        try:
            return pq.read_table(path, columns=columns, filters=where)
        except (OSError, pa.ArrowInvalid) as error:
            raise BadInput(f"{path} cannot be read: {error}. Make a new run with `basira volumes nightly`.") from error

    def paths(self) -> Paths:
        """The run's possible futures; BadInput where a newer run has been published since."""
        path = self.path / PATHS
        if not path.is_file():
            raise BadInput(f"The possible futures of {self.path.name} are not kept: those of the newest run alone are.")
        held = np.load(path, allow_pickle=False)
        return Paths(
            tuple(str(node) for node in held["nodes"]), held["hours"].astype(float), held["days"].astype(float)
        )

    def alarms(self) -> tuple[Alarm, ...]:
        """Alarms that stand or were closed in this run, feeds before flows."""
        return tuple(_alarm(plain) for plain in self._json("alarms"))

    def words(self) -> tuple[Word, ...]:
        """What moved the forecasts of the first days."""
        return tuple(
            Word(w["node"], date.fromisoformat(w["ds"]), w["expected"], w["parts"]) for w in self._json("words")
        )

    def card(self) -> Card:
        """The run's card."""
        plain = dict(self._json("card"))
        for name in ("made_at", "as_of", "learnt_at"):
            plain[name] = datetime.fromisoformat(plain[name]) if plain[name] else None
        plain["uncertain_days"] = [date.fromisoformat(day) for day in plain["uncertain_days"]]
        plain["counts"] = {name: tuple(counted) for name, counted in plain.get("counts", {}).items()}
        return Card(**plain)

    def _json(self, name: str) -> Any:
        path = self.path / f"{name}.json"
        try:
            return json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise BadInput(f"{path} cannot be read: {error}. Make a new run with `basira volumes nightly`.") from error


def write(root: Path, published: Published) -> Run:
    """Publish a run in the folder `root` (the installation's home / "volumes"), under its moment of making.

    BadInput where a table lacks a column or has a hole in what must be known, and where a run of that moment is there.
    """
    made_at = published.card.made_at.astimezone(UTC)
    final = root / made_at.strftime(_STAMP)
    if final.exists():
        raise BadInput(f"A run made at {made_at.isoformat()} is published already. A published run is never changed.")
    tables = {name: _checked(name, published.tables.get(name)) for name in TABLES}
    with placed(final) as draft:
        for name, table in tables.items():
            pq.write_table(table, draft / f"{name}.parquet")
        for name in _JSON:
            part = getattr(published, name)
            plain = asdict(part) if isinstance(part, Card) else [asdict(one) for one in part]
            text = json.dumps(plain, default=_plain, ensure_ascii=False, indent=1, allow_nan=False)
            (draft / f"{name}.json").write_text(text, encoding="utf-8")
        if published.paths:
            told = published.paths
            hours, days = told.hours.astype(np.float32), told.days.astype(np.float32)
            np.savez(draft / PATHS, nodes=np.array(told.nodes, dtype=str), hours=hours, days=days)
        for path in draft.iterdir():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    for older in runs(root)[:-1]:
        (older.path / PATHS).unlink(missing_ok=True)
    return Run(made_at, final)


def runs(root: Path) -> list[Run]:
    """All published runs, the oldest first; none where nothing was published yet."""
    found = []
    for path in sorted(root.glob("[0-9]*Z")) if root.is_dir() else []:
        try:
            found.append(Run(datetime.strptime(path.name, _STAMP).replace(tzinfo=UTC), path))
        except ValueError:
            continue  # somebody's own folder
    return found


def newest(root: Path, before: datetime | None = None) -> Run:
    """The newest run, or the newest made before a moment: what planners had in hand then. BadInput where none was."""
    made = [run for run in runs(root) if before is None or run.made_at < before]
    if not made:
        when = f" before {before.isoformat()}" if before else ""
        raise BadInput(f"No forecast has been published{when} in {root}. Make one with `basira volumes nightly`.")
    return made[-1]


def write_nowcast(root: Path, made_at: datetime, table: pa.Table) -> Path:
    """Publish a nowcast beside the runs, under its moment of making; the older ones are kept."""
    final = root / NOWCASTS / f"{made_at.astimezone(UTC).strftime(_STAMP)}.parquet"
    final.parent.mkdir(parents=True, exist_ok=True)
    draft = final.with_suffix(".writing")
    pq.write_table(table.select(RUNNING.names).cast(RUNNING), draft)
    draft.rename(final)
    return final


def newest_nowcast(root: Path) -> pa.Table | None:
    """The newest nowcast, columns as in RUNNING; None before the first."""
    made = sorted((root / NOWCASTS).glob("[0-9]*Z.parquet"))
    return pq.read_table(made[-1], schema=RUNNING) if made else None


def _checked(name: str, table: pa.Table | None) -> pa.Table:
    schema = TABLES[name]
    if table is None:
        return schema.empty_table()  # an installation without offices publishes none
    absent = [column for column in schema.names if column not in table.column_names]
    if absent:
        raise BadInput(f"The table {name} lacks {', '.join(absent)}. It is published with {', '.join(schema.names)}.")
    told = table.select(schema.names).cast(schema)
    if "mean" in schema.names and any(told[column].null_count for column in ("mean", *COLUMNS)):
        raise BadInput(f"The table {name} has rows without a forecast. Leave such rows out.")
    return told


def _alarm(plain: Mapping[str, Any]) -> Alarm:
    days = {name: date.fromisoformat(plain[name]) for name in ("since", "raised_on", "until")}
    return Alarm(**{**plain, **days, "kind": Kind(plain["kind"]), "state": State(plain["state"])})


def _plain(value: object) -> object:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be published")
