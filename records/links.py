"""Which subjects are one person, as known at each moment.

White statements join, green and red ones part, yellow ones say nothing yet. Of several statements about one pair the
newest that was known decides; of two known at once, the one that parts. A later link or split changes nothing for an
earlier moment. Joining is transitive, and a person is called by the smallest subject they have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from records.errors import BadInput

INSTANT = pa.timestamp("us", tz="UTC")
Micros = npt.NDArray[np.int64]
Pair = tuple[str, str]

LINKER = "linker:"  # how `said_by` of a probabilistic linker begins
_PARTS = {"white": 0, "green": 1, "red": 1}
_ALWAYS = -(2**62)
_NEVER = 2**62


class _Statement(NamedTuple):
    """Ordered so that the greatest one in force decides."""

    known_at: int
    parts: int
    superseded_at: int


@dataclass(frozen=True)
class Persons:
    """Who is one person with whom, at any moment. Made once from the history of `links` by `persons`.

    Subject number k has a run of members for each time that a statement changed them: runs `start[k]` to
    `start[k + 1]`, each from `since` (microseconds) to the next. The first run of each subject begins before all time.
    """

    subjects: pa.Array
    start: Micros
    since: Micros
    members: Sequence[tuple[str, ...]]

    def of(self, subjects: pa.Array | pa.ChunkedArray, as_of: pa.Array | pa.ChunkedArray | datetime) -> pa.Array:
        """The person of each subject at its own moment, or at one for all, by the smallest subject they then have."""
        given = subjects.combine_chunks() if isinstance(subjects, pa.ChunkedArray) else subjects
        linked, run = self._runs(given, as_of)
        called = pa.array([self.members[r][0] for r in run.tolist()], pa.string())
        mask = np.zeros(len(given), dtype=np.bool_)
        mask[linked] = True
        return pc.replace_with_mask(given, pa.array(mask), called)

    def together(
        self, subjects: pa.Array | pa.ChunkedArray, as_of: pa.Array | pa.ChunkedArray | datetime
    ) -> list[tuple[str, ...]]:
        """All subjects of each subject's person at its own moment, or at one for all, itself among them, sorted."""
        found: list[tuple[str, ...]] = [(subject,) for subject in subjects.to_pylist()]
        for position, run in zip(*(part.tolist() for part in self._runs(subjects, as_of)), strict=True):
            found[position] = self.members[run]
        return found

    def _runs(
        self, subjects: pa.Array | pa.ChunkedArray, as_of: pa.Array | pa.ChunkedArray | datetime
    ) -> tuple[Micros, Micros]:
        """Positions of the subjects that a statement is about, and the run that holds for each."""
        number = np.asarray(pc.fill_null(pc.index_in(subjects, value_set=self.subjects), -1))
        linked = np.flatnonzero(number >= 0)
        if isinstance(as_of, datetime):
            as_of = pa.repeat(pa.scalar(as_of, INSTANT), len(subjects))
        at = _micros(as_of)[linked]
        number = number[linked].astype(np.int64)
        # Times give way to their rank, so that (subject, time) fits one integer and one search answers all.
        times = np.unique(self.since)
        owner = np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))
        runs = owner * len(times) + np.searchsorted(times, self.since)
        asked = number * len(times) + np.searchsorted(times, at, side="right") - 1
        return linked, np.searchsorted(runs, asked, side="right") - 1


def persons(history: pa.Table) -> Persons:
    """From the history of `links`: first_subject, second_subject, state, known_at, superseded_at (null if current)."""
    said = _statements(history)
    runs: dict[str, list[tuple[int, tuple[str, ...]]]] = {}
    for group in _components(pair for pair, about in said.items() if any(not s.parts for s in about)):
        pairs = {pair: said[pair] for pair in group}
        runs |= {subject: [(_ALWAYS, (subject,))] for pair in group for subject in pair}
        turns = {t for about in pairs.values() for s in about for t in (s.known_at, s.superseded_at)} - {_NEVER}
        for turn in sorted(turns):
            for members in _partition(pairs, turn):
                for subject in members:
                    if runs[subject][-1][1] != members:
                        runs[subject].append((turn, members))
    names = sorted(runs)
    return Persons(
        subjects=pa.array(names, pa.string()),
        start=np.cumsum([0, *(len(runs[name]) for name in names)], dtype=np.int64),
        since=np.array([since for name in names for since, _ in runs[name]], dtype=np.int64),
        members=[members for name in names for _, members in runs[name]],
    )


def same_unified_number(sightings: pa.Table) -> pa.Table:
    """Links between a person known by unified number and the same person known by a document alone.

    `sightings`: subject, key_kind ('unified_number' or 'document'), document, known_at. A document seen with one
    unified number ties the subject made from it to that number, from when both were seen.
    """
    first: dict[str, dict[str, dict[str, int]]] = {"unified_number": {}, "document": {}}
    seen = sightings.select(["subject", "key_kind", "document", "known_at"]).drop_null()
    for subject, kind, document, at in zip(*_columns(seen), strict=True):
        subjects = first[kind].setdefault(document, {})
        subjects[subject] = min(at, subjects.get(subject, at))
    claims = [
        (holder, named, max(held_at, named_at))
        for document, holders in first["unified_number"].items()
        for holder, held_at in holders.items()
        for named, named_at in first["document"].get(document, {}).items()
    ]
    return _links(claims, "rule:unified_number", "one unified number was given for this document")


def renewed_passports(renewals: pa.Table) -> pa.Table:
    """Links between the holder of a passport and of the one it names as its predecessor.

    `renewals`: subject, predecessor (both subjects) and known_at; rows with a null are left out.
    """
    named = renewals.select(["subject", "predecessor", "known_at"]).drop_null()
    claims = list(zip(*_columns(named), strict=True))
    return _links(claims, "rule:renewed_passport", "a renewed passport names its predecessor")


def guard_linker(rows: pa.Table) -> pa.Table:
    """`rows` of `links` as they are; BadInput if a probabilistic linker says more than 'yellow' in one of them."""
    linker = pc.starts_with(rows["said_by"], LINKER)
    bold = rows.filter(pc.and_(linker, pc.not_equal(rows["state"], "yellow")))
    if bold.num_rows:
        raise BadInput(
            f"{bold.num_rows} statements of {bold['said_by'][0]} are '{bold['state'][0]}'. A probabilistic linker may "
            "only suggest (yellow); a person says whether two are one (white) or not (green, red)."
        )
    return rows


def _links(claims: Iterable[tuple[str, str, int]], said_by: str, evidence: str) -> pa.Table:
    """One white statement per claim (holder, named subject, known_at); lake-shaped rows of `links`.

    A subject that two holders claim is nobody's for certain: from the moment the second claim was known, each claim to
    it is corrected to yellow, for a person to look at.
    """
    earliest: dict[str, dict[str, int]] = defaultdict(dict)
    for holder, named, at in claims:
        if holder != named:
            earliest[named][holder] = min(at, earliest[named].get(holder, at))
    rows: list[tuple[str, str, str, int]] = []
    for named, holders in sorted(earliest.items()):
        doubtful_from = sorted(holders.values())[1] if len(holders) > 1 else _NEVER
        for holder, at in sorted(holders.items()):
            if at < doubtful_from:
                rows.append((holder, named, "white", at))
            if doubtful_from < _NEVER:
                rows.append((holder, named, "yellow", max(at, doubtful_from)))
    at = pa.array([r[3] for r in rows], pa.int64()).cast(INSTANT)
    return pa.table(
        {
            "first_subject": pa.array([r[0] for r in rows], pa.string()),
            "second_subject": pa.array([r[1] for r in rows], pa.string()),
            "link_id": pa.array([f"{said_by}:{r[0]}:{r[1]}" for r in rows], pa.string()),
            "state": pa.array([r[2] for r in rows], pa.string()),
            "said_by": pa.array([said_by] * len(rows), pa.string()),
            "evidence": pa.array([evidence] * len(rows), pa.string()),
            "happened_at": at,
            "known_at": at,
        }
    )


def _statements(history: pa.Table) -> dict[Pair, list[_Statement]]:
    said: dict[Pair, list[_Statement]] = defaultdict(list)
    wanted = history.select(["first_subject", "second_subject", "state", "known_at", "superseded_at"])
    for one, other, state, known, superseded in zip(*_columns(wanted), strict=True):
        if state in _PARTS and one != other:
            until = _NEVER if superseded is None else superseded
            said[min(one, other), max(one, other)].append(_Statement(known, _PARTS[state], until))
    return said


def _components(pairs: Iterable[Pair]) -> list[list[Pair]]:
    """Pairs that touch each other, directly or through others, group by group."""
    listed = list(pairs)
    called = _union(listed)
    groups: dict[str, list[Pair]] = defaultdict(list)
    for pair in listed:
        groups[called[pair[0]]].append(pair)
    return list(groups.values())


def _partition(pairs: Mapping[Pair, list[_Statement]], at: int) -> list[tuple[str, ...]]:
    """The persons that the subjects of `pairs` make at a moment."""

    def joined(about: list[_Statement]) -> bool:
        in_force = [s for s in about if s.known_at <= at < s.superseded_at]
        return bool(in_force) and not max(in_force).parts

    called = _union([pair for pair, about in pairs.items() if joined(about)])
    found: dict[str, list[str]] = defaultdict(list)
    for subject in sorted({subject for pair in pairs for subject in pair}):
        found[called.get(subject, subject)].append(subject)
    return [tuple(members) for members in found.values()]


def _union(pairs: Iterable[Pair]) -> dict[str, str]:
    """Subject → smallest subject that the pairs join it with."""
    parent: dict[str, str] = {}

    def root(subject: str) -> str:
        parent.setdefault(subject, subject)
        while parent[subject] != subject:
            parent[subject] = parent[parent[subject]]
            subject = parent[subject]
        return subject

    for pair in pairs:
        one, other = sorted(map(root, pair))
        parent[other] = one
    return {subject: root(subject) for subject in list(parent)}


def _columns(rows: pa.Table) -> list[list[object]]:
    """Plain lists of the columns, moments as microseconds."""
    return [(c.cast(pa.int64()) if pa.types.is_timestamp(c.type) else c).to_pylist() for c in rows.columns]


def _micros(moments: pa.Array | pa.ChunkedArray) -> Micros:
    if moments.null_count:
        raise BadInput(
            "A moment is missing. Each subject needs its as_of, since links are known only from a moment on."
        )
    return np.asarray(moments.cast(INSTANT).cast(pa.int64()).to_numpy(), dtype=np.int64)
