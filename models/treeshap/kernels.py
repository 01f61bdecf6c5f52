"""What walks the trees: how they are laid out for it, numbers side by side in a register, and the walks themselves.

All in one file, as compiled kernels are kept on disk for as long as the file they are in stays as it is. The names are
those of the package's text.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final, NamedTuple, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, overload, register_model
from numpy.typing import NDArray

Numbers = NDArray[np.float64]
F = TypeVar("F", bound=Callable[..., Any])

LANES: Final = 8
POINTS: Final = 3  # trees that need no more are explained by a kernel of their own, without loops over points
TINY: Final = float(np.float32(1e-35))  # LightGBM reads what is nearer to zero as zero

NUMBER, NUMBER_OR_ZERO, CATEGORY = range(3)  # zero may be declared to mean missing
ALWAYS_LEFT, NEVER_LEFT = -np.inf, np.nan  # in a slot, whatever the threshold; "is it known?" has the threshold inf

# How a feature is read: `missing` is what stands for a missing number; a category is in the bit set or not.
SLOT: Final = np.dtype(
    [("feature", "u4"), ("kind", "u4"), ("first_word", "u4"), ("words", "u4"), ("missing", "f8")], align=True
)
# A split. Its sides are entries of its tree: splits first, in an order in which parents precede, then leaves. `above`
# is the number of the nearest split above that tests the same feature, or -1; `above_left` tells on which side of that
# one this split lies, `above_share` is s of the package's text.
SPLIT: Final = np.dtype(
    [
        *((name, "u4") for name in ("slot", "output", "left", "right")),
        ("above", "i4"),
        ("above_left", "u4"),
        *((name, "f8") for name in ("threshold", "share", "above_share")),
    ],
    align=True,
)
# A tree: its splits from `first` to `stop`, those from `twins` on having two leaves and no split above on their
# feature; its leaves begin at `leaf`, and the first `loose` of them belong to other splits.
TREE: Final = np.dtype([(name, "u8") for name in ("first", "twins", "stop", "leaf", "loose")])


class Forest(NamedTuple):
    """Trees explained with the same points (m,) and weights (m,) of the Gauss-Legendre rule on 0 to 1.

    Where they are tuples, their number is known when the kernels are compiled.
    """

    points: tuple[float, ...] | Numbers
    weights: tuple[float, ...] | Numbers
    slots: NDArray[np.void]
    words: NDArray[np.uint32]  # bit sets of categories
    trees: NDArray[np.void]
    splits: NDArray[np.void]
    leaves: Numbers


# --- lanes: numbers of LANES rows side by side in a vector register ---------------------------------------------------


class _Lanes(types.Type):  # type: ignore[misc]  # numba ships no types
    def __init__(self) -> None:
        super().__init__(name="Lanes")


_LANES: Final = _Lanes()
_VECTOR: Final = ir.VectorType(ir.DoubleType(), LANES)
_CONTRACT: Final = ("contract",)  # a product and a sum may be done as one, rounding once
register_model(_Lanes)(lambda manager, kind: models.PrimitiveModel(manager, kind, _VECTOR))


def _address(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    data = context.make_array(kind)(context, builder, value=array).data
    return builder.gep(builder.bitcast(data, _VECTOR.as_pointer()), [index])


def _load(_: Any, array: Any, index: Any) -> Any:
    """The lanes at `index` of a float64 array, counted in lanes."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load(_address(context, builder, signature.args[0], *values), align=8)

    return _LANES(array, index), write


def _store(_: Any, array: Any, index: Any, lanes: Any) -> Any:
    """Put lanes at `index` of a float64 array."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store(values[2], _address(context, builder, signature.args[0], *values[:2]), align=8)
        return context.get_dummy_value()

    return types.void(array, index, lanes), write


def _splat(_: Any, number: Any) -> Any:
    """The same number in every lane."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        nothing = ir.Constant(_VECTOR, ir.Undefined)
        first = builder.insert_element(nothing, values[0], ir.Constant(ir.IntType(32), 0))
        return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))

    return _LANES(types.float64), write


def _choose(_: Any, value: Any, most: Any, yes: Any, no: Any) -> Any:
    """In each lane `yes` where value <= most, else `no`."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.select(builder.fcmp_ordered("<=", *values[:2]), *values[2:])

    return _LANES(value, most, yes, no), write


load, store, splat, choose = intrinsic(_load), intrinsic(_store), intrinsic(_splat), intrinsic(_choose)


def _arithmetic(instruction: str) -> Callable[[Any, Any], Any]:
    """What numba shall do for an operator between lanes, or between lanes and a number."""

    def typed(_: Any, a: Any, b: Any) -> Any:
        def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            return getattr(builder, instruction)(*values, flags=_CONTRACT)

        return _LANES(a, b), write

    apply = intrinsic(typed)

    def chosen(a: Any, b: Any) -> Any:
        if a == b == _LANES:
            return lambda a, b: apply(a, b)  # noqa: PLW0108  # numba compiles functions, not instructions
        if a == _LANES:
            return lambda a, b: apply(a, splat(b))
        return (lambda a, b: apply(splat(a), b)) if b == _LANES else None

    return chosen


overload(operator.add, strict=False)(_arithmetic("fadd"))
overload(operator.sub, strict=False)(_arithmetic("fsub"))
overload(operator.mul, strict=False)(_arithmetic("fmul"))
overload(operator.truediv, strict=False)(_arithmetic("fdiv"))


def _compiled(function: F) -> F:
    """Machine code for `function`, kept on disk."""
    decorate = numba.njit(
        cache=True, nogil=True, boundscheck=False, error_model="numpy", fastmath={"contract"}, forceinline=True
    )
    return cast(F, decorate(function))


# --- kernels ----------------------------------------------------------------------------------------------------------


class Room(NamedTuple):
    """What is worked out for LANES rows at a time, in lanes.

    `read` per slot, `parts` per output. Of one tree: `entries`, per side and point, holds first H and then A; `gaps`,
    per split and point, H_left - H_right; `turns`, per split, u (o - z), with u = 1 for a feature not tested above.
    """

    read: Numbers
    parts: Numbers
    entries: Numbers
    gaps: Numbers
    turns: Numbers


@_compiled
def explain(forest: Forest, rows: Numbers, found: Numbers) -> None:
    """Add the contributions (n, outputs) of a forest to `found`."""
    n, outputs = found.shape
    m, most = len(forest.points), 0
    for tree in forest.trees:
        most = max(most, int(np.int64(tree.stop - tree.first)))
    entries = _lanes((2 * most + 1) * m)
    room = Room(_lanes(len(forest.slots)), _lanes(outputs), entries, _lanes(most * m), _lanes(most))
    for start in range(0, n, LANES):
        _read(forest, rows[start : start + LANES], LANES, room.read)
        room.parts[:] = 0.0
        for tree in forest.trees:
            _climb(forest, tree, room)
            _descend(forest, tree, room)
        for lane in range(min(LANES, n - start)):
            for output in range(outputs):
                found[start + lane, output] += room.parts[output * LANES + lane]


@_compiled
def _lanes(count: int) -> Numbers:
    """Room for so many lanes, each within one cache line."""
    room = np.empty((count + 1) * LANES)
    skip = -(room.ctypes.data // room.itemsize) % LANES
    return room[skip : skip + count * LANES]


@_compiled
def _read(forest: Forest, rows: Numbers, width: int, read: Numbers) -> None:
    """Put what each slot holds for `rows` into `read` (slots, width), the last row as often as needed."""
    last = len(rows) - 1
    for s in range(len(forest.slots)):
        slot = forest.slots[s]
        for lane in range(width):
            value = rows[min(lane, last), slot.feature]
            if slot.kind == CATEGORY:
                # As LightGBM: a code is cut to a whole number; what is missing, negative or never seen is in no set.
                is_in = False
                if value > -1.0 and value < 32.0 * slot.words:
                    code = np.uint64(value)
                    word = forest.words[slot.first_word + code // np.uint64(32)]
                    is_in = bool(word >> code % np.uint64(32) & np.uint64(1))
                read[s * width + lane] = ALWAYS_LEFT if is_in else NEVER_LEFT
            else:
                is_zero = abs(value) <= TINY
                is_missing = np.isnan(value) | (is_zero & (slot.kind == NUMBER_OR_ZERO))
                number = 0.0 if is_zero else value
                read[s * width + lane] = slot.missing if is_missing else number


@_compiled
def _climb(forest: Forest, tree: Any, room: Room) -> None:
    """From the leaves up: H into `entries`, and `gaps` and `turns`."""
    points, splits, leaves, entries = forest.points, forest.splits, forest.leaves, room.entries
    m, one = np.uint64(len(points)), np.uint64(1)
    first, twins, count = tree.first, tree.twins - tree.first, tree.stop - tree.first
    for n in range(tree.loose):
        value = splat(leaves[tree.leaf + n])
        for q in range(m):
            store(entries, (count + n) * m + q, value)
    for n in range(twins, count):
        split = splits[first + n]
        left, right = leaves[tree.leaf + split.left - count], leaves[tree.leaf + split.right - count]
        turn = _turn(room.read, split, 1.0 - split.share, -split.share)
        store(room.turns, n, turn)
        step, mean = turn * (left - right), splat(right + split.share * (left - right))
        for q in range(m):
            store(entries, n * m + q, mean + step * points[q])
    for k in range(twins):
        n = twins - one - k
        split = splits[first + n]
        left, right = split.left * m, split.right * m
        turn = _turn(room.read, split, 1.0 - split.share, -split.share)
        if split.above < 0:
            for q in range(m):
                low = load(entries, right + q)
                gap = load(entries, left + q) - low
                store(room.gaps, n * m + q, gap)
                store(entries, n * m + q, low + gap * (split.share + turn * points[q]))
        else:
            turn = turn * _is_here(room.read, split, splits)
            for q in range(m):
                low = load(entries, right + q)
                gap = load(entries, left + q) - low
                store(room.gaps, n * m + q, gap)
                store(entries, n * m + q, low + gap * (split.share + turn * (points[q] * _rise(points[q], split))))
        store(room.turns, n, turn)


@_compiled
def _descend(forest: Forest, tree: Any, room: Room) -> None:
    """From the root down: A into `entries`, and what the splits contribute into `parts`."""
    points, splits, leaves, entries, parts = forest.points, forest.splits, forest.leaves, room.entries, room.parts
    m = np.uint64(len(points))
    first, twins, count = tree.first, tree.twins - tree.first, tree.stop - tree.first
    for q in range(m):
        store(entries, q, splat(forest.weights[q]))
    for n in range(twins):
        split = splits[first + n]
        left, right = split.left * m, split.right * m
        turn, part = load(room.turns, n), splat(0.0)
        if split.above < 0:
            for q in range(m):
                reached = load(entries, n * m + q)
                part = part + reached * load(room.gaps, n * m + q)
                to_left = reached * (split.share + turn * points[q])
                store(entries, left + q, to_left)
                store(entries, right + q, reached - to_left)
        else:
            for q in range(m):
                reached, rise = load(entries, n * m + q), _rise(points[q], split)
                part = part + reached * load(room.gaps, n * m + q) * (split.above_share * rise * rise)
                to_left = reached * (split.share + turn * (points[q] * rise))
                store(entries, left + q, to_left)
                store(entries, right + q, reached - to_left)
        store(parts, split.output, load(parts, split.output) + part * turn)
    for n in range(twins, count):
        split = splits[first + n]
        gap = leaves[tree.leaf + split.left - count] - leaves[tree.leaf + split.right - count]
        reached = splat(0.0)
        for q in range(m):
            reached = reached + load(entries, n * m + q)
        store(parts, split.output, load(parts, split.output) + reached * (load(room.turns, n) * gap))


@_compiled
def _turn(read: Numbers, split: Any, left: float, right: float) -> Any:
    return choose(load(read, split.slot), splat(split.threshold), splat(left), splat(right))


@_compiled
def _rise(t: float, split: Any) -> float:
    """1 / F: how much likelier than t it is that the split's feature joined, once its tests above led here."""
    return 1.0 / (t + (1.0 - t) * float(split.above_share))


@_compiled
def _is_here(read: Numbers, split: Any, splits: NDArray[np.void]) -> Any:
    """u: 1 where the tests above on the split's feature send the row towards the split, else 0."""
    here = splat(1.0)
    while split.above >= 0:
        is_left = float(split.above_left)
        split = splits[split.above]
        here = here * _turn(read, split, is_left, 1.0 - is_left)
    return here


@_compiled
def interact(forest: Forest, row: Numbers, pairs: Numbers) -> None:
    """Add half of what each pair of features does together to a row to both its places in `pairs` (classes, p, p)."""
    points, splits, p = forest.points, forest.splits, pairs.shape[1]
    read = np.empty(len(forest.slots))
    _read(forest, row.reshape((1, -1)), 1, read)
    most = 2 * len(points)  # features on a path
    outputs, on = np.empty(most, np.int64), np.empty(most, np.bool_)
    share, pull = np.empty(most), np.empty(most)
    for tree in forest.trees:
        count = np.int64(tree.stop - tree.first)
        parent = np.zeros(2 * count + 1, np.int64)
        for n in range(count):
            split = splits[tree.first + n]
            parent[split.left] = parent[split.right] = n
        for leaf in range(count, 2 * count + 1):
            tested, side = 0, leaf
            while side != 0:  # from the leaf up to the root
                split = splits[tree.first + parent[side]]
                is_left = split.left == side
                side = parent[side]
                k = 0
                while k < tested and outputs[k] != split.output:
                    k += 1
                if k == tested:
                    outputs[k], on[k], share[k] = split.output, True, 1.0
                    tested += 1
                on[k] &= (read[split.slot] <= split.threshold) == is_left
                share[k] *= split.share if is_left else 1.0 - split.share
            for q in range(len(points)):
                whole = 0.5 * forest.weights[q] * forest.leaves[tree.leaf + leaf - count]
                for k in range(tested):
                    stayed = (1.0 - points[q]) * share[k]
                    whole *= points[q] + stayed if on[k] else stayed
                    # (o - z) / (z + t (o - z)), in which z cancels out where o is 0
                    pull[k] = (1.0 - share[k]) / (points[q] + stayed) if on[k] else -1.0 / (1.0 - points[q])
                for k in range(tested):
                    for other in range(k):
                        both = whole * pull[k] * pull[other]
                        nth, i, j = outputs[k] // p, outputs[k] % p, outputs[other] % p
                        pairs[nth, i, j] += both
                        pairs[nth, j, i] += both
