"""Whose rows belong together: subjects that white links join, as known at each moment (`records.links`).

A later link or split changes nothing computed for an earlier moment, so one subject may be of several persons: one for
each set of subjects that it was joined with at some asked moment.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from records.links import Persons

Ints: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True)
class People:
    """`person` has one per asked row; `subjects[k]` belongs to the persons `of[start[k] : start[k + 1]]`."""

    person: Ints
    subjects: pa.Array
    start: Ints
    of: Ints


def people(subjects: pa.Array, as_of: pa.Array, known: Persons) -> People:
    """The person of each asked row. subjects: strings, no nulls; as_of: instants; one of each per row."""
    encoded = subjects.dictionary_encode()
    person = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    members: list[tuple[str, ...]] = [(name,) for name in encoded.dictionary.to_pylist()]
    numbers: dict[tuple[str, ...], int] = {}
    linked = np.flatnonzero(pc.is_in(subjects, value_set=known.subjects).to_numpy(zero_copy_only=False))
    rows = pa.array(linked)
    for row, together in zip(linked.tolist(), known.together(subjects.take(rows), as_of.take(rows)), strict=True):
        if len(together) > 1:
            if together not in numbers:
                numbers[together] = len(members)
                members.append(together)
            person[row] = numbers[together]
    return _gathered(person, members)


def _gathered(person: Ints, members: list[tuple[str, ...]]) -> People:
    asked = np.zeros(len(members), np.bool_)
    asked[person] = True
    names = [name for k, together in enumerate(members) if asked[k] for name in together]
    sizes = np.array([len(m) if a else 0 for m, a in zip(members, asked.tolist(), strict=True)], np.int64)
    belongs = np.repeat(np.arange(len(members)), sizes)
    encoded = pa.array(names, pa.string()).dictionary_encode()
    number = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    order = np.argsort(number, kind="stable")
    start = np.searchsorted(number[order], np.arange(len(encoded.dictionary) + 1))
    return People(person, encoded.dictionary, start, belongs[order])


def belonging(subject: pa.ChunkedArray, persons: People) -> tuple[Ints, Ints]:
    """Row numbers and persons: a row of a history once for each person it belongs to."""
    number = pc.index_in(subject, value_set=persons.subjects).combine_chunks()
    number = pc.fill_null(number, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    rows = np.flatnonzero(number >= 0)
    first, after = persons.start[number[rows]], persons.start[number[rows] + 1]
    times = after - first
    within = np.arange(times.sum()) - np.repeat(np.cumsum(times) - times, times)
    return np.repeat(rows, times), persons.of[np.repeat(first, times) + within]
