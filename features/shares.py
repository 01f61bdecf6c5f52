"""A part is answered some of its subjects at a time: what is computed of a share of them stays near the processor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from features.asked import Asked
from features.cells import cells
from features.columns import NULL, Ints
from features.histories import History
from features.kernels import grouping, numbering
from features.parts import Part
from features.people import People
from features.plan import Source
from records.tables import tables

SHARE_ROWS: Final = 1 << 17
"""How many events a share should ask about at most: a column of theirs takes a megabyte."""


@dataclass(frozen=True)
class Shares:
    """Subjects of a part dealt out, with the events asked about and all rows of theirs.

    `dealt` are the rows of a table, share by share, and those of linked subjects, which any share may need; None where
    they are the events themselves, as in most training sets.
    """

    part: Part
    asked: Asked
    number: int
    dealt: dict[str, tuple[Ints, Ints, Ints] | None] = field(default_factory=dict)

    def __iter__(self) -> Iterator[tuple[Ints, Source]]:
        """Which events a share asks about, subject by subject and each in order of time; and where its rows are."""
        subject, at = self.asked.cells("subject"), self.asked.at
        begins, order = numbering.dealt(np.where(subject == NULL, 0, subject), self.number)
        for share in range(self.number):
            events = order[begins[share] : begins[share + 1]]
            events = events[grouping.together(subject.take(events), at.take(events))]
            yield events, _Share(self, share, events)

    def rows(self, table: str, history: History, own: str, share: int, events: Ints) -> History:
        """The rows of one share. Events come in the order in which they are asked about: what is asked and what is
        looked up then lie side by side."""
        if table not in self.dealt:
            self.dealt[table] = self._dealt(history, own)
        dealt = self.dealt[table]
        if dealt is None:
            return history.take(events)
        if self.number == 1:
            return history
        begins, order, linked = dealt
        return history.take(np.concatenate([order[begins[share] : begins[share + 1]], linked]))

    def _dealt(self, history: History, own: str) -> tuple[Ints, Ints, Ints] | None:
        subject, known = history.columns[own], self.part.links.known.subjects
        if len(known):
            linked = np.isin(subject, cells(known))
            return *numbering.dealt(np.where(linked, NULL, subject), self.number), np.flatnonzero(linked)
        if np.array_equal(history.happened, self.asked.at) and np.array_equal(subject, self.asked.cells("subject")):
            return None
        return *numbering.dealt(subject, self.number), np.empty(0, np.int64)


@dataclass(frozen=True)
class _Share:
    """The rows of one share as a source; what no subject has is there as a whole."""

    shares: Shares
    number: int
    events: Ints
    read: dict[str, History] = field(default_factory=dict)

    def rows(self, table: str, columns: Sequence[str], by: str, keys: Ints, since: int) -> History:
        if table not in self.read:
            history = self.shares.part.rows(table, columns, by, keys, since)
            own = tables()[table].subject
            self.read[table] = self.shares.rows(table, history, own, self.number, self.events) if own else history
        return self.read[table]

    def people(self, asked: Asked) -> People | None:
        return self.shares.part.people(asked)
