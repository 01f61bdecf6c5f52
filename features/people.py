"""Whose rows belong together: subjects that white links join, as known at each moment (`records.links`).

A later link or split changes nothing computed for an earlier moment, so one subject may be of several persons: one for
each set of subjects that it was joined with at some asked moment.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from features.cells import cells
from features.columns import Ints
from features.histories import History, joined, matched
from records.links import INSTANT, Persons

LINK_COLUMNS = ("first_subject", "second_subject", "state", "known_at")
_BETWEEN = "\x1f"  # in no subject, so that a person of several is called like no subject


@dataclass(frozen=True)
class People:
    """`person` has one cell per asked row: of its subject, or of the several it was joined with.

    `subjects` are the cells of all whose rows are wanted; `member[k]` is one of those who make up person `of[k]`.
    """

    person: Ints
    subjects: Ints
    member: Ints
    of: Ints

    def expanded(self, rows: History) -> History:
        """The rows, and those of each joined subject once more for each person it belongs to."""
        chosen, member = matched(rows.columns["subject"], self.member)
        copies = rows.take(chosen)
        return joined(rows, replace(copies, columns={**copies.columns, "subject": self.of[member]}))


def people(subjects: Ints, as_of: Ints, known: Persons) -> People | None:
    """Who each asked row is about; None where nobody asked about was linked. subjects: cells; as_of: microseconds."""
    if not len(known.subjects):
        return None
    linked = cells(known.subjects)
    by_cell = np.argsort(linked)
    place = by_cell[np.minimum(np.searchsorted(linked[by_cell], subjects), len(linked) - 1)]
    asked = np.flatnonzero(linked[place] == subjects)
    sets = known.together(known.subjects.take(pa.array(place[asked])), pa.array(as_of[asked]).cast(INSTANT))
    joint = [(row, members) for row, members in zip(asked.tolist(), sets, strict=True) if len(members) > 1]
    if not joint:
        return None
    person = subjects.copy()
    different = list(dict.fromkeys(members for _, members in joint))
    called = dict(zip(different, cells(pa.array([_BETWEEN.join(m) for m in different])).tolist(), strict=True))
    for row, members in joint:
        person[row] = called[members]
    member = cells(pa.array([name for members in different for name in members]))
    of = np.repeat(np.array([called[m] for m in different]), [len(m) for m in different])
    return People(person, np.unique(np.concatenate([subjects, member])), member, of)
