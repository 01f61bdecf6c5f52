"""What is asked about: events, each with columns of its own and the moment whose knowledge counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

import pyarrow as pa

from features.cells import cells, numbers
from features.columns import Ints, Values, values
from features.declaration import SubjectKind
from records.errors import BadInput

_TELLING: Final[Mapping[str, SubjectKind]] = {"direction": "crossing", "valid_to": "permit"}


class Asked(Protocol):
    """The events asked about: columns of their own, one value per event."""

    @property
    def at(self) -> Ints: ...

    def cells(self, column: str) -> Ints: ...

    def values(self, column: str) -> Values: ...


def kind_of(spine: pa.Table) -> SubjectKind:
    """Which kind of subject a spine's rows are: crossings have a direction, permits an end of validity.

    BadInput for a spine of neither, or whose as_of is no instant.
    """
    kinds: list[SubjectKind] = [kind for column, kind in _TELLING.items() if column in spine.column_names]
    if not kinds:
        raise BadInput(
            "This spine has neither 'direction' nor 'valid_to', so its rows are neither crossings nor permits. "
            "Make it with features.spine.crossing_spine or permit_spine."
        )
    held = spine.schema.field("as_of").type
    if not pa.types.is_timestamp(held) or held.tz is None:
        raise BadInput(
            f"Column 'as_of' is {held}, which is no instant without a time zone. Make it timestamp[us, UTC]."
        )
    return kinds[0]


@dataclass(frozen=True)
class Spine:
    """A spine in Arrow as what is asked."""

    table: pa.Table
    held: dict[str, Ints] = field(default_factory=dict)

    @property
    def at(self) -> Ints:
        return self.cells("as_of")

    def cells(self, column: str) -> Ints:
        if column not in self.held:
            self.held[column] = cells(self._column(column))
        return self.held[column]

    def values(self, column: str) -> Values:
        return values(self._column(column))

    def _column(self, name: str) -> pa.ChunkedArray:
        if name not in self.table.column_names:
            raise BadInput(
                f"This spine has no column '{name}', which a feature reads. Columns: "
                f"{', '.join(self.table.column_names)}. Make it with features.spine."
            )
        return self.table.column(name)


@dataclass(frozen=True)
class Given:
    """Events given as cells, where there is no time for a table: for features that read no text of the event's own."""

    columns: Mapping[str, Ints]

    @property
    def at(self) -> Ints:
        return self.columns["as_of"]

    def cells(self, column: str) -> Ints:
        return self.columns[column]

    def values(self, column: str) -> Values:
        return numbers(self.columns[column])
