"""Whose rows belong together: subjects that white links join, as known at each moment.

A pair's newest statement known at t decides: white joins, anything else does not. A later link or split changes nothing
computed for an earlier moment, so each (subject, as_of) has a person of its own making, and two moments between which
nothing was said about anyone they touch share it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Ints: TypeAlias = npt.NDArray[np.int64]
_Statement: TypeAlias = tuple[int, int, int, str]  # known_at, happened_at, superseded_at, state

NEVER = np.iinfo(np.int64).max


@dataclass(frozen=True)
class People:
    """`person` has one per asked row; `subjects[k]` belongs to the persons `of[start[k] : start[k + 1]]`."""

    person: Ints
    subjects: pa.Array
    start: Ints
    of: Ints


def people(subjects: pa.Array, as_of: Ints, links: pa.Table) -> People:
    """subjects (strings, no nulls) and as_of (microseconds) of the asked rows; links: the history of table `links`."""
    encoded = subjects.dictionary_encode()
    names: list[str] = encoded.dictionary.to_pylist()
    person = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    said = _statements(links)
    members: list[tuple[str, ...]] = [(name,) for name in names]
    numbers: dict[tuple[str, ...], int] = {}
    linked = [k for k, name in enumerate(names) if name in said]
    for row in np.flatnonzero(np.isin(person, linked)).tolist():
        together = _joined(names[person[row]], int(as_of[row]), said)
        if len(together) > 1:
            if together not in numbers:
                numbers[together] = len(members)
                members.append(together)
            person[row] = numbers[together]
    return _gathered(person, members)


def _statements(links: pa.Table) -> Mapping[str, Mapping[str, list[_Statement]]]:
    said: dict[str, dict[str, list[_Statement]]] = defaultdict(lambda: defaultdict(list))
    micros = {c: links.column(c).cast(pa.int64()).to_pylist() for c in ("known_at", "happened_at", "superseded_at")}
    for one, other, state, known, happened, superseded in zip(
        links.column("first_subject").to_pylist(),
        links.column("second_subject").to_pylist(),
        links.column("state").to_pylist(),
        micros["known_at"],
        micros["happened_at"],
        micros["superseded_at"],
        strict=True,
    ):
        statement = (known, happened, NEVER if superseded is None else superseded, state)
        said[one][other].append(statement)
        said[other][one].append(statement)
    return said


def _joined(subject: str, at: int, said: Mapping[str, Mapping[str, list[_Statement]]]) -> tuple[str, ...]:
    together, ahead = {subject}, [subject]
    while ahead:
        for other, statements in said.get(ahead.pop(), {}).items():
            known = [s for s in statements if s[0] <= at < s[2]]
            if other not in together and known and max(known)[3] == "white":
                together.add(other)
                ahead.append(other)
    return tuple(sorted(together))


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
