"""Whose rows belong together: subjects that white links join, as known at each moment (`records.links`).

A later link or split changes nothing computed for an earlier moment, so one subject may be of several persons: one for
each set of subjects that it was joined with at some asked moment.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from features.cells import Ints, cells
from features.histories import History, joined
from records.links import Persons

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
        held = rows.columns["subject"]
        by_member = np.argsort(self.member, kind="stable")
        ordered = self.member[by_member]
        first, after = np.searchsorted(ordered, held), np.searchsorted(ordered, held, side="right")
        times = after - first
        chosen = np.repeat(np.arange(len(rows)), times)
        within = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
        copies = rows.take(chosen)
        persons = self.of[by_member[np.repeat(first, times) + within]]
        again = History(
            copies.happened, copies.known, copies.superseded, {**copies.columns, "subject": persons}, copies.texts
        )
        return joined(rows, again)


def people(subjects: pa.Array, as_of: pa.Array, known: Persons) -> People | None:
    """Who each asked row is about. subjects: strings; as_of: instants; None where nobody asked about was linked."""
    linked = np.flatnonzero(pc.is_in(subjects, value_set=known.subjects).to_numpy(zero_copy_only=False))
    rows = pa.array(linked)
    sets = known.together(subjects.take(rows), as_of.take(rows)) if len(linked) else []
    joint = [(row, members) for row, members in zip(linked.tolist(), sets, strict=True) if len(members) > 1]
    if not joint:
        return None
    person = cells(subjects).copy()
    different = list(dict.fromkeys(members for _, members in joint))
    called = dict(zip(different, cells(pa.array([_BETWEEN.join(m) for m in different])).tolist(), strict=True))
    for row, members in joint:
        person[row] = called[members]
    member = cells(pa.array([name for members in different for name in members]))
    of = np.repeat(np.array([called[m] for m in different]), [len(m) for m in different])
    return People(person, np.unique(np.concatenate([cells(subjects), member])), member, of)
