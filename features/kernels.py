"""The sliding-window kernels, compiled once and kept on disk.

A row is an interval: a query at t sees the rows that entered at or before t and leave after it. Every kernel is one
sweep over three streams, each sorted by (entity, time): rows by their entering, rows by their leaving, queries. What a
row brings comes twice, once in either order. Every row leaves after it enters, so at a query all entries can be taken
before all exits. Times are int64 microseconds.

Rows whose entity nobody asks about may be there; they are skipped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]


class Queries(NamedTuple):
    """Queries, sorted by entity and then by instant."""

    entity: Ints
    at: Ints


class Side(NamedTuple):
    """One end of every row's interval, sorted by entity and then by instant, and what the row brings."""

    entity: Ints
    at: Ints
    brought: Ints


F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Machine code for `function`, cached beside the package (or in the user's cache where that is read-only)."""
    return cast(F, numba.njit(function, cache=True, nogil=True, boundscheck=False))


@compiled
def merged(entity: Ints, at: Ints, one: Ints, other: Ints) -> Ints:
    """Row numbers of two lists, each in order of (entity, at), as one list in that order."""
    order = np.empty(len(one) + len(other), np.int64)
    i = j = 0
    for k in range(len(order)):
        if j == len(other):
            first = True
        elif i == len(one):
            first = False
        else:
            a, b = one[i], other[j]
            first = entity[a] < entity[b] or (entity[a] == entity[b] and at[a] <= at[b])
        if first:
            order[k] = one[i]
            i += 1
        else:
            order[k] = other[j]
            j += 1
    return order


@compiled
def totals(queries: Queries, entering: Side, leaving: Side) -> tuple[Ints, Ints]:
    """How many rows each query sees, and the sum of their values."""
    counts = np.zeros(len(queries.at), np.int64)
    sums = np.zeros(len(queries.at), np.int64)
    i = j = 0
    number = amount = 0
    n = len(entering.at)
    for k in range(len(queries.at)):
        entity, at = queries.entity[k], queries.at[k]
        if k == 0 or entity != queries.entity[k - 1]:
            number = amount = 0
            while i < n and entering.entity[i] < entity:
                i += 1
            while j < n and leaving.entity[j] < entity:
                j += 1
        while i < n and entering.entity[i] == entity and entering.at[i] <= at:
            number += 1
            amount += entering.brought[i]
            i += 1
        while j < n and leaving.entity[j] == entity and leaving.at[j] <= at:
            number -= 1
            amount -= leaving.brought[j]
            j += 1
        counts[k] = number
        sums[k] = amount
    return counts, sums


@compiled
def distincts(queries: Queries, entering: Side, leaving: Side, codes: int) -> Ints:
    """How many different codes (0 to codes - 1) the rows each query sees have."""
    different = np.zeros(len(queries.at), np.int64)
    held = np.zeros(codes, np.int64)
    i = j = began = number = 0
    n = len(entering.at)
    for k in range(len(queries.at)):
        entity, at = queries.entity[k], queries.at[k]
        if k == 0 or entity != queries.entity[k - 1]:
            for past in range(began, i):
                held[entering.brought[past]] = 0
            number = 0
            while i < n and entering.entity[i] < entity:
                i += 1
            while j < n and leaving.entity[j] < entity:
                j += 1
            began = i
        while i < n and entering.entity[i] == entity and entering.at[i] <= at:
            if held[entering.brought[i]] == 0:
                number += 1
            held[entering.brought[i]] += 1
            i += 1
        while j < n and leaving.entity[j] == entity and leaving.at[j] <= at:
            held[leaving.brought[j]] -= 1
            if held[leaving.brought[j]] == 0:
                number -= 1
            j += 1
        different[k] = number
    return different


@compiled
def _push(heap: Ints, size: int, rank: int) -> None:
    child = size
    while child > 0:
        parent = (child - 1) // 2
        if heap[parent] >= rank:
            break
        heap[child] = heap[parent]
        child = parent
    heap[child] = rank


@compiled
def _drop_top(heap: Ints, size: int) -> None:
    """Take the top of a heap of `size` away; what is left are the first size - 1."""
    size -= 1
    moving = heap[size]
    hole = 0
    while 2 * hole + 1 < size:
        child = 2 * hole + 1
        if child + 1 < size and heap[child + 1] > heap[child]:
            child += 1
        if heap[child] <= moving:
            break
        heap[hole] = heap[child]
        hole = child
    heap[hole] = moving


@compiled
def highest(queries: Queries, entering: Side, leaving: Side, ranks: int) -> Ints:
    """The highest rank (0 to ranks - 1, each row has its own) among the rows each query sees; -1 where it sees none.

    A heap of the ranks that entered; one that left stays until it comes to the top.
    """
    best = np.full(len(queries.at), -1, np.int64)
    n = len(entering.at)
    heap = np.empty(n, np.int64)
    gone = np.zeros(ranks, np.bool_)
    size = 0
    i = j = 0
    for k in range(len(queries.at)):
        entity, at = queries.entity[k], queries.at[k]
        if k == 0 or entity != queries.entity[k - 1]:
            size = 0
            while i < n and entering.entity[i] < entity:
                i += 1
            while j < n and leaving.entity[j] < entity:
                j += 1
        while i < n and entering.entity[i] == entity and entering.at[i] <= at:
            _push(heap, size, entering.brought[i])
            size += 1
            i += 1
        while j < n and leaving.entity[j] == entity and leaving.at[j] <= at:
            gone[leaving.brought[j]] = True
            j += 1
        while size > 0 and gone[heap[0]]:
            _drop_top(heap, size)
            size -= 1
        if size > 0:
            best[k] = heap[0]
    return best
