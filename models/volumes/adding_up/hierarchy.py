"""Which counts add up to which: nodes over series, declared as paths of columns.

"mode > post > direction" declares three levels, each inside the one before it; several paths may cut the same series in
other ways. A total over all series and the series themselves are always nodes. A series without a label (an office that
is no post, say) has no node from there on down, so trees need not be balanced.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from models.volumes.counts.panel import Panel
from records.errors import BadInput

TOTAL = "total"
SERIES = "series"


@dataclass(frozen=True)
class Hierarchy:
    """K nodes over n series, coarsest first, the series themselves last.

    `names` say each node's labels, as in "mode=sea > post=Zarzis"; `levels` which level a node is of: "total",
    "mode > post", "series". `parts` (K, n) is true where a node contains a series.
    """

    names: tuple[str, ...]
    levels: tuple[str, ...]
    parts: np.ndarray

    @property
    def series(self) -> tuple[str, ...]:
        """The names of the series."""
        return self.names[-self.parts.shape[1] :]

    @cached_property
    def distinct(self) -> np.ndarray:
        """Places of the nodes that are not another name for the same series, ascending; a series keeps its own."""
        _, first = np.unique(self.parts[::-1], axis=0, return_index=True)
        return np.sort(len(self.parts) - 1 - first)

    @cached_property
    def among_distinct(self) -> np.ndarray:
        """Where each node (K,) stands among the distinct ones."""
        same = (self.parts[:, None] == self.parts[self.distinct][None]).all(axis=2)
        return np.asarray(same.argmax(axis=1))

    def add_up(self, series: np.ndarray) -> np.ndarray:
        """Sums (K, ...) of every node's series, from (n, ...)."""
        return np.tensordot(self.parts.astype(float), series, axes=1)


def declared(panel: Panel, paths: Sequence[str]) -> Hierarchy:
    """The hierarchy of a panel's series. BadInput for a path with a column that the panel was not read with."""
    n = len(panel.ids)
    nodes: dict[str, tuple[str, np.ndarray]] = {TOTAL: (TOTAL, np.ones(n, bool))}
    for columns in _levels(paths):
        absent = [column for column in columns if column not in panel.labels]
        if absent:
            raise BadInput(
                f"The level {' > '.join(columns)!r} names the column {absent[0]!r}, with which this panel was not "
                f"read. It has {', '.join(panel.labels) or 'none'}; name the column among the hierarchy columns."
            )
        codes = np.stack([panel.groups[column] for column in columns], axis=1)
        for row in np.unique(codes, axis=0):
            labels = [str(panel.labels[column][code]) for column, code in zip(columns, row, strict=True)]
            if all(labels):
                name = " > ".join(f"{column}={label}" for column, label in zip(columns, labels, strict=True))
                nodes[name] = (" > ".join(columns), (codes == row).all(axis=1))
    return Hierarchy(
        (*nodes, *panel.ids),
        (*(level for level, _ in nodes.values()), *[SERIES] * n),
        np.concatenate([np.stack([members for _, members in nodes.values()]), np.eye(n, dtype=bool)]),
    )


def of_nodes(panel: Panel, hierarchy: Hierarchy) -> Panel:
    """The panel whose series are the distinct nodes: what members forecast before anything is reconciled.

    A node's count is the sum of its series' counts, and missing where one of them is; a series counts for nothing
    before its first count and after its last row. A group or a column known ahead that differs inside a node becomes a
    group of its own, or the sum.
    """
    parts = hierarchy.parts[hierarchy.distinct]
    step = np.arange(panel.values.shape[1])
    seen = np.isfinite(panel.values)
    begun = np.maximum.accumulate(seen, axis=1)
    alive = begun & (panel.start + step <= panel.last[:, None])
    return replace(
        panel,
        ids=tuple(hierarchy.names[place] for place in hierarchy.distinct),
        values=_sums(parts, np.where(alive, panel.values, 0.0), alive),
        last=np.array([panel.last[members].max() for members in parts]),
        groups={name: _shared(parts, codes) for name, codes in panel.groups.items()},
        known={name: _sums(parts, np.nan_to_num(column), np.isfinite(column)) for name, column in panel.known.items()},
    )


def columns_of(paths: Sequence[str]) -> tuple[str, ...]:
    """The columns that paths name, each once."""
    return tuple(dict.fromkeys(column for level in _levels(paths) for column in level))


def _levels(paths: Sequence[str]) -> list[tuple[str, ...]]:
    """Every beginning of every path, shorter ones first."""
    split = [tuple(column.strip() for column in path.split(">")) for path in paths]
    beginnings = [path[:depth] for path in split for depth in range(1, len(path) + 1)]
    return sorted(dict.fromkeys(beginnings), key=len)


def _sums(parts: np.ndarray, values: np.ndarray, counted: np.ndarray) -> np.ndarray:
    """Sums (D, T) of what counts; NaN where nothing does or one that counts is missing."""
    missing = counted & ~np.isfinite(values)
    total = parts.astype(float) @ np.where(missing, 0.0, values)
    return np.where((parts @ counted > 0) & ~(parts @ missing > 0), total, np.nan)


def _shared(parts: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """The code that all series of a node have, else one more than any."""
    other = codes.max() + 1
    return np.array([inside[0] if (inside == inside[0]).all() else other for inside in map(codes.__getitem__, parts)])
