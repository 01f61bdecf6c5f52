"""The sliding-window kernels, compiled once and kept on disk.

A row is an interval: it enters an entity's state at `in_at` and has left it at `out_at`. A query at t sees the rows
with in_at <= t < out_at. Every kernel is one sweep over three streams, each sorted by (entity, time): rows by their
entering, rows by their leaving, queries. What a row brings comes twice, once in either order. Every row leaves after it
enters, so at a query all entries can be taken before all exits. Times are int64 microseconds.

Rows whose entity nobody asks about may be there; they are skipped.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

Ints: TypeAlias = npt.NDArray[np.int64]
F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Machine code for `function`, cached beside the package (or in the user's cache where that is read-only)."""
    return cast(F, numba.njit(function, cache=True, nogil=True, boundscheck=False))


@compiled
def totals(
    ask_entity: Ints,
    ask_at: Ints,
    in_entity: Ints,
    in_at: Ints,
    in_value: Ints,
    out_entity: Ints,
    out_at: Ints,
    out_value: Ints,
) -> tuple[Ints, Ints]:
    """How many rows each query sees, and the sum of their values."""
    counts = np.zeros(len(ask_at), np.int64)
    sums = np.zeros(len(ask_at), np.int64)
    i = j = 0
    number = amount = 0
    n = len(in_at)
    for k in range(len(ask_at)):
        entity, at = ask_entity[k], ask_at[k]
        if k == 0 or entity != ask_entity[k - 1]:
            number = amount = 0
            while i < n and in_entity[i] < entity:
                i += 1
            while j < n and out_entity[j] < entity:
                j += 1
        while i < n and in_entity[i] == entity and in_at[i] <= at:
            number += 1
            amount += in_value[i]
            i += 1
        while j < n and out_entity[j] == entity and out_at[j] <= at:
            number -= 1
            amount -= out_value[j]
            j += 1
        counts[k] = number
        sums[k] = amount
    return counts, sums


@compiled
def distincts(
    ask_entity: Ints,
    ask_at: Ints,
    in_entity: Ints,
    in_at: Ints,
    in_code: Ints,
    out_entity: Ints,
    out_at: Ints,
    out_code: Ints,
    codes: int,
) -> Ints:
    """How many different codes (0 to codes - 1) the rows each query sees have."""
    different = np.zeros(len(ask_at), np.int64)
    held = np.zeros(codes, np.int64)
    i = j = began = 0
    number = 0
    n = len(in_at)
    for k in range(len(ask_at)):
        entity, at = ask_entity[k], ask_at[k]
        if k == 0 or entity != ask_entity[k - 1]:
            for past in range(began, i):
                held[in_code[past]] = 0
            number = 0
            while i < n and in_entity[i] < entity:
                i += 1
            while j < n and out_entity[j] < entity:
                j += 1
            began = i
        while i < n and in_entity[i] == entity and in_at[i] <= at:
            if held[in_code[i]] == 0:
                number += 1
            held[in_code[i]] += 1
            i += 1
        while j < n and out_entity[j] == entity and out_at[j] <= at:
            held[out_code[j]] -= 1
            if held[out_code[j]] == 0:
                number -= 1
            j += 1
        different[k] = number
    return different


@compiled
def highest(
    ask_entity: Ints,
    ask_at: Ints,
    in_entity: Ints,
    in_at: Ints,
    in_rank: Ints,
    out_entity: Ints,
    out_at: Ints,
    out_rank: Ints,
) -> Ints:
    """The highest rank (each row has its own, 0 to rows - 1) among the rows each query sees; -1 where it sees none.

    A heap of the ranks that entered; one that left stays until it comes to the top.
    """
    best = np.full(len(ask_at), -1, np.int64)
    n = len(in_at)
    heap = np.empty(n, np.int64)
    gone = np.zeros(n, np.bool_)
    size = 0
    i = j = 0
    for k in range(len(ask_at)):
        entity, at = ask_entity[k], ask_at[k]
        if k == 0 or entity != ask_entity[k - 1]:
            size = 0
            while i < n and in_entity[i] < entity:
                i += 1
            while j < n and out_entity[j] < entity:
                j += 1
        while i < n and in_entity[i] == entity and in_at[i] <= at:
            child = size
            size += 1
            while child > 0:
                parent = (child - 1) // 2
                if heap[parent] >= in_rank[i]:
                    break
                heap[child] = heap[parent]
                child = parent
            heap[child] = in_rank[i]
            i += 1
        while j < n and out_entity[j] == entity and out_at[j] <= at:
            gone[out_rank[j]] = True
            j += 1
        while size > 0 and gone[heap[0]]:
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
        if size > 0:
            best[k] = heap[0]
    return best
