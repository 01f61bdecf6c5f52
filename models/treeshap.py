"""Exact Shapley values of LightGBM models, fast enough for every row. It stands alone: numpy and numba will do.

**What is computed.** The contribution of each feature to a row's raw score, as `shap.TreeExplainer` (path-dependent)
and LightGBM's `pred_contrib` define it. A coalition of features is worth what the trees say when only its members are
known: at a split on a member the row takes its own side, at any other split both sides count, by their shares of the
training rows. The Shapley values of that game, and `base`, its worth when nothing is known, add up to the raw score.

**How.** Let every feature join the coalition with probability t. The Shapley value of feature i is what i adds to the
expected worth, averaged over t from 0 to 1 (Owen, 1972):

    phi_i = integral over t of  E_t[worth | i joined] - E_t[worth | i stayed away]

In a tree that expectation is a walk. Take a split whose left side holds the share z of its training rows, and let o be
1 if the row itself goes left and 0 otherwise. The walk goes left with the probability

    p = z + t (o - z)

From the leaves up, the expected worth of a split is H = H_right + p (H_left - H_right); from the root down, the weight
with which a split is reached is A, of which A p goes left and the rest goes right. As p is the only place where the
split's feature enters, a split on feature i adds to phi_i

    (o - z)  integral over t of  A (H_left - H_right)

What is integrated is a polynomial in t, of degree less than d where d features are tested on the longest path. The
Gauss-Legendre rule of m points integrates polynomials up to degree 2 m - 1 exactly, so m = d / 2 points, rounded up,
give the value itself and no approximation: three points for trees of depth six. Nothing grows with 2^d or d^2, there
are no tables to keep, and all terms are bounded by the leaves, so deep trees are explained by the same few lines.

*A feature tested again further down* joined once for both tests. Let u be 1 if its tests above send the row towards
this split and 0 otherwise, and s the share of training rows they send there. Where u is 0, whoever gets here stayed
away: p = z and the split adds nothing. Where u is 1, the share of walks here that joined is t / F, F = t + (1 - t) s,
so p = z + (t / F) (o - z), and the split adds (o - z) times the integral of (s / F^2) A (H_left - H_right).

*Interactions* are the second derivatives in place of the first. A leaf of value v whose path tests features k, with
o_k and z_k over all tests of k, adds to each pair of them

    v  integral over t of  (o_i - z_i) (o_j - z_j)  product over the other k of  (z_k + t (o_k - z_k))

half to (i, j) and half to (j, i); the diagonal holds what is left of phi_i.

**How fast.** Eight rows walk side by side in the lanes of one vector register, through splits that need no branch: what
missing values, zeros and categories mean is settled once per row, by giving each way of reading a feature a slot of its
own in which every test reads `slot <= threshold`. One row alone walks with plain numbers through the same code. A row's
values do not depend on the rows beside it, nor on how many there are: one row and a million get the same bits.
"""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeVar, cast

import numba
import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, overload, register_model
from numpy.typing import ArrayLike, NDArray

Numbers = NDArray[np.float64]
F = TypeVar("F", bound=Callable[..., Any])

CHUNK: Final = 1024  # rows a thread takes at a time
LANES: Final = 8
POINTS: Final = 3  # trees that need no more are explained by a kernel of their own, without loops over points
TINY: Final = float(np.float32(1e-35))  # LightGBM reads what is nearer to zero as zero

NUMBER, NUMBER_OR_ZERO, CATEGORY = range(3)  # zero may be declared to mean missing
ALWAYS_LEFT, NEVER_LEFT = -np.inf, np.nan  # in a slot, whatever the threshold; "is it known?" has the threshold inf


@dataclass(frozen=True)
class TreeShap:
    """Explains the raw score of a model, or the mean raw score of several; that of a random forest is a sum, too.

    `base`: () or, for a model of K classes, (K,). What is said of (n, p) below is (n, p, K) for such a model.
    """

    features: tuple[str, ...]
    base: Numbers
    forests: tuple[Forest, ...]

    @classmethod
    def of(cls, members: Any) -> TreeShap:
        """An explainer for a LightGBM booster or model text, or for the mean of a sequence of them.

        ValueError for linear trees, whose contributions are not defined this way, and for members of different inputs.
        """
        if isinstance(members, str) or not isinstance(members, Sequence):
            members = [members]
        texts = [member if isinstance(member, str) else member.model_to_string() for member in members]
        return cls(*_read_models(texts))

    def values(self, rows: ArrayLike, threads: int | None = None) -> Numbers:
        """Contributions (n, p) of the features to the raw scores of `rows` (n, p); with `base` they add up to them.

        A missing value is NaN, a category its code. `threads` defaults to the machine's cores.
        """
        table = self._table(rows)
        found = np.zeros((len(table), self.base.size * len(self.features)))
        starts = range(0, len(table), CHUNK)

        def explain_from(start: int) -> None:
            for forest in self.forests:
                explain(forest, table[start : start + CHUNK], found[start : start + CHUNK])

        workers = min(threads or os.cpu_count() or 1, len(starts))
        if workers > 1:
            with ThreadPoolExecutor(workers) as pool:
                list(pool.map(explain_from, starts))
        else:
            for start in starts:
                explain_from(start)
        return self._shaped(found)

    def interactions(self, row: ArrayLike) -> Numbers:
        """How pairs of features act together on one row (p,): (p, p), symmetric; rows add up to `values` of the row."""
        table = self._table(np.asarray(row, dtype=np.float64)[None])
        p = len(self.features)
        pairs = np.zeros((self.base.size, p, p))
        for forest in self.forests:
            interact(forest, table[0], pairs)
        alone = self.values(table, threads=1)[0].reshape(p, -1).T - pairs.sum(axis=2)
        pairs[:, np.arange(p), np.arange(p)] = alone
        return pairs[0] if self.base.ndim == 0 else np.moveaxis(pairs, 0, -1)

    def thresholds(self) -> tuple[Numbers, ...]:
        """Per feature the numbers that its splits test, rising: nothing else tells one of its values from another."""
        tested: list[set[float]] = [set() for _ in self.features]
        for forest in self.forests:
            slots = forest.slots[forest.splits["slot"]]
            is_number = slots["kind"] != CATEGORY
            pairs = zip(slots["feature"][is_number], forest.splits["threshold"][is_number], strict=True)
            for feature, threshold in pairs:
                tested[feature].add(float(threshold))
        return tuple(np.array(sorted(each)) for each in tested)

    def explanation(self, rows: ArrayLike) -> Any:
        """The contributions of `rows` as a `shap.Explanation`, for shap's plots."""
        import shap

        table = self._table(rows)
        base = np.broadcast_to(self.base, (len(table), *self.base.shape))
        return shap.Explanation(self.values(table), base, table, feature_names=list(self.features))

    def _table(self, rows: ArrayLike) -> Numbers:
        table = np.ascontiguousarray(rows, dtype=np.float64)
        if table.ndim != 2 or table.shape[1] != len(self.features):
            raise ValueError(
                f"The model reads {len(self.features)} features, but the rows have the shape {table.shape}. "
                "Give one row per case and one column per feature, in the order of the model."
            )
        return table

    def _shaped(self, found: Numbers) -> Numbers:
        if self.base.ndim == 0:
            return found
        return np.moveaxis(found.reshape(len(found), self.base.size, -1), 1, 2)


# --- what the kernels walk: the names are those of the text above ----------------------------------------------------

# How a feature is read: `missing` is what stands for a missing number; a category is in the bit set or not.
SLOT: Final = np.dtype(
    [("feature", "u4"), ("kind", "u4"), ("first_word", "u4"), ("words", "u4"), ("missing", "f8")], align=True
)
# A split. Its sides are entries of its tree: splits first, in an order in which parents precede, then leaves. `above`
# is the number of the nearest split above that tests the same feature, or -1; `above_left` tells on which side of that
# one this split lies, `above_share` is s of the text above.
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


# --- LightGBM's model text, read into forests ------------------------------------------------------------------------


@dataclass(frozen=True)
class _Model:
    features: tuple[str, ...]
    classes: int
    trees: tuple[dict[str, str], ...]


def _fields(block: str) -> dict[str, str]:
    return {name: value for name, _, value in (line.partition("=") for line in block.splitlines())}


def meaning(decision: int) -> tuple[int, float]:
    """How a split reads its feature, by LightGBM's `decision_type`: the kind, and what stands for a missing number."""
    if decision & 1:
        return CATEGORY, 0.0
    default = ALWAYS_LEFT if decision & 2 else NEVER_LEFT
    none, zero = decision >> 2 & 3 == 0, decision >> 2 & 3 == 1
    return NUMBER_OR_ZERO if zero else NUMBER, 0.0 if none else default


def parsed(text: str) -> _Model:
    head, *blocks = text.partition("\nend of trees")[0].split("\nTree=")
    about = _fields(head)
    if "num_tree_per_iteration" not in about:
        raise ValueError("This is not the text of a LightGBM model. Give a booster, or what model_to_string() returns.")
    trees = tuple(_fields(block) for block in blocks)
    if any(tree.get("is_linear", "0") != "0" for tree in trees):
        raise ValueError("Contributions are not defined for linear trees. Train without linear_tree to explain scores.")
    return _Model(tuple(about["feature_names"].split()), int(about["num_tree_per_iteration"]), trees)


def _read_models(texts: Sequence[str]) -> tuple[tuple[str, ...], Numbers, tuple[Forest, ...]]:
    """The names of the features of LightGBM models, the base of their mean and its trees.

    ValueError for what is no model, has linear trees, or reads other features than the first.
    """
    members = [parsed(text) for text in texts]
    first = members[0]
    if any(m.features != first.features or m.classes != first.classes for m in members):
        raise ValueError("The members read different features or score different classes; a mean needs the same ones.")
    base = np.zeros(first.classes)
    growing: dict[int, _Growing] = {}
    for member in members:
        for number, fields in enumerate(member.trees):
            nth = number % member.classes
            leaves = [float(v) / len(members) for v in fields["leaf_value"].split()]
            if len(leaves) == 1:
                base[nth] += leaves[0]
                continue
            tree = _Tree.of(fields, leaves)
            points = max(POINTS, (tree.features_on_a_path + 1) // 2)
            base[nth] += growing.setdefault(points, _Growing(points)).add(tree, nth * len(first.features))
    forests = tuple(growing[points].forest() for points in sorted(growing))
    return first.features, base[0] if first.classes == 1 else base, forests


@dataclass(frozen=True)
class _Place:
    """Where a split stands: `tested` says per feature tested above where last, on which side of it, and s."""

    split: int
    tested: dict[int, tuple[int, bool, float]]
    reach: float


@dataclass(frozen=True)
class _Tree:
    """A tree as LightGBM numbers it: a side is a split, or a leaf where it is negative (~leaf)."""

    feature: list[int]
    threshold: list[float]
    decision: list[int]
    left: list[int]
    right: list[int]
    share: list[float]
    leaves: list[float]
    places: list[_Place]  # of the splits, parents first
    category_starts: list[int]
    category_words: list[int]

    @classmethod
    def of(cls, fields: dict[str, str], leaves: list[float]) -> _Tree:
        def ints(name: str) -> list[int]:
            return [int(v) for v in fields.get(name, "").split()]

        feature, left, right = ints("split_feature"), ints("left_child"), ints("right_child")
        inside, outside = ints("internal_count"), ints("leaf_count")

        def rows(side: int) -> int:
            return inside[side] if side >= 0 else outside[~side]

        # A split that no training row reached has no share to speak of; any will do, as it is weighed by 0.
        share = [rows(a) / max(rows(a) + rows(b), 1) for a, b in zip(left, right, strict=True)]
        places = [_Place(0, {}, 1.0)]
        for place in places:  # level by level: neighbours do not wait for each other's results
            tests, z = feature[place.split], share[place.split]
            so_far = place.tested[tests][2] if tests in place.tested else 1.0
            for side, part, is_left in ((right, 1 - z, False), (left, z, True)):
                if side[place.split] >= 0:
                    tested = place.tested | {tests: (place.split, is_left, so_far * part)}
                    places.append(_Place(side[place.split], tested, place.reach * part))
        return cls(
            feature,
            [float(v) for v in fields["threshold"].split()],
            ints("decision_type"),
            left,
            right,
            share,
            leaves,
            places,
            ints("cat_boundaries"),
            ints("cat_threshold"),
        )

    @property
    def features_on_a_path(self) -> int:
        return max(len(place.tested) + (self.feature[place.split] not in place.tested) for place in self.places)

    def is_twins(self, place: _Place) -> bool:
        """Whether both sides are leaves, and the feature is not tested above."""
        return max(self.left[place.split], self.right[place.split]) < 0 and (
            self.feature[place.split] not in place.tested
        )


class _Growing:
    """A forest while trees are added to it."""

    def __init__(self, points: int) -> None:
        self.points = points
        self.slots: dict[tuple[int, int, float, tuple[int, ...]], int] = {}
        self.words: list[int] = []
        self.trees: list[tuple[int, ...]] = []
        self.splits: list[tuple[Any, ...]] = []
        self.leaves: list[float] = []

    def add(self, tree: _Tree, first_output: int) -> float:
        """Add a tree whose feature f contributes to output `first_output` + f; what it says when nothing is known."""
        loose = [place for place in tree.places if not tree.is_twins(place)]
        places = loose + [place for place in tree.places if tree.is_twins(place)]
        entry = {place.split: n for n, place in enumerate(places)}
        first, first_leaf, known_nothing, loose_leaves = len(self.splits), len(self.leaves), 0.0, 0
        for n, place in enumerate(places):
            at, z = place.split, tree.share[place.split]
            sides = []
            for side, part in ((tree.left[at], z), (tree.right[at], 1 - z)):
                if side >= 0:
                    sides.append(entry[side])
                    continue
                sides.append(len(places) + len(self.leaves) - first_leaf)
                self.leaves.append(tree.leaves[~side])
                known_nothing += place.reach * part * tree.leaves[~side]
                loose_leaves += n < len(loose)
            slot, threshold = self._test(tree, at)
            split, above_left, above_share = place.tested.get(tree.feature[at], (-1, False, 1.0))
            above = -1 if split < 0 else first + entry[split]
            self.splits.append(
                (slot, first_output + tree.feature[at], *sides, above, above_left, threshold, z, above_share)
            )
        self.trees.append((first, first + len(loose), len(self.splits), first_leaf, loose_leaves))
        return known_nothing

    def _test(self, tree: _Tree, at: int) -> tuple[int, float]:
        """The slot and the threshold of a split: it sends the row to the left where slot <= threshold."""
        feature, threshold, (kind, missing) = tree.feature[at], tree.threshold[at], meaning(tree.decision[at])
        if kind == CATEGORY:
            start, stop = tree.category_starts[int(threshold) : int(threshold) + 2]
            return self._slot(feature, kind, missing, tuple(tree.category_words[start:stop])), 0.0
        return self._slot(feature, kind, missing, ()), threshold

    def _slot(self, feature: int, kind: int, missing: float, words: tuple[int, ...]) -> int:
        return self.slots.setdefault((feature, kind, missing, words), len(self.slots))

    def forest(self) -> Forest:
        at, weight = (side / 2 for side in np.polynomial.legendre.leggauss(self.points))
        known = self.points == POINTS
        slots = []
        for feature, kind, missing, words in self.slots:
            slots.append((feature, kind, len(self.words), len(words), missing))
            self.words.extend(words)
        return Forest(
            tuple(at + 0.5) if known else at + 0.5,
            tuple(weight) if known else weight,
            np.array(slots, SLOT),
            np.array(self.words, np.uint32),
            np.array(self.trees, TREE),
            np.array(self.splits, SPLIT),
            np.array(self.leaves),
        )


# --- lanes: numbers of LANES rows side by side in a vector register ---------------------------------------------------
#
# Where an array has two dimensions, (n, LANES), what is loaded from it and stored in it are lanes; where it has one,
# plain numbers. So the same kernel serves many rows and one.


class _Lanes(types.Type):  # type: ignore[misc]  # numba ships no types
    def __init__(self) -> None:
        super().__init__(name="Lanes")


_LANES: Final = _Lanes()
_NUMBER: Final = ir.DoubleType()
_VECTOR: Final = ir.VectorType(_NUMBER, LANES)
_CONTRACT: Final = ("contract",)  # a product and a sum may be done as one, rounding once
register_model(_Lanes)(lambda manager, kind: models.PrimitiveModel(manager, kind, _VECTOR))


def _of(array: Any) -> Any:
    """What an array holds at an index: lanes or a number."""
    return _LANES if array.ndim == 2 else types.float64


def _address(context: Any, builder: Any, kind: Any, array: Any, index: Any) -> Any:
    data = context.make_array(kind)(context, builder, value=array).data
    held = _VECTOR if _of(kind) == _LANES else _NUMBER
    return builder.gep(builder.bitcast(data, held.as_pointer()), [index])


def _spread(builder: Any, number: Any) -> Any:
    """The same number in every lane."""
    nothing = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(nothing, number, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))


def _load(_: Any, array: Any, index: Any) -> Any:
    """What a float64 array holds at `index`."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load(_address(context, builder, signature.args[0], *values), align=8)

    return _of(array)(array, index), write


def _store(_: Any, array: Any, index: Any, held: Any) -> Any:
    """Put lanes, or a number, at `index` of a float64 array."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store(values[2], _address(context, builder, signature.args[0], *values[:2]), align=8)
        return context.get_dummy_value()

    return types.void(array, index, held), write


def _splat(_: Any, array: Any, number: Any) -> Any:
    """`number` as the array holds it: in every lane, or as it is."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return _spread(builder, values[1]) if _of(array) == _LANES else values[1]

    return _of(array)(array, types.float64), write


def _choose(_: Any, value: Any, most: Any, yes: Any, no: Any) -> Any:
    """The number `yes` where value <= most, else `no`; in each lane, if `value` is lanes."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        others = [_spread(builder, number) for number in values[1:]] if value == _LANES else values[1:]
        return builder.select(builder.fcmp_ordered("<=", values[0], others[0]), *others[1:])

    return value(value, *[types.float64] * 3), write


def _every(_: Any, number: Any) -> Any:
    return _LANES(types.float64), lambda context, builder, signature, values: _spread(builder, values[0])


load, store, splat, choose = intrinsic(_load), intrinsic(_store), intrinsic(_splat), intrinsic(_choose)
every = intrinsic(_every)


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
            return lambda a, b: apply(a, every(b))
        return (lambda a, b: apply(every(a), b)) if b == _LANES else None

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
    """What is worked out for LANES rows at a time, in lanes, or for one, in numbers.

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
    slots, entries = len(forest.slots), (2 * most + 1) * m
    if n == 1:
        alone = Room(np.empty(slots), np.empty(outputs), np.empty(entries), np.empty(most * m), np.empty(most))
        _read(forest, rows, 1, alone.read)
        _walk(forest, alone)
        for output in range(outputs):
            found[0, output] += alone.parts[output]
        return
    room = Room(_lanes(slots), _lanes(outputs), _lanes(entries), _lanes(most * m), _lanes(most))
    for start in range(0, n, LANES):
        _read(forest, rows[start : start + LANES], LANES, room.read.reshape(-1))
        _walk(forest, room)
        for lane in range(min(LANES, n - start)):
            for output in range(outputs):
                found[start + lane, output] += room.parts[output, lane]


@_compiled
def _lanes(count: int) -> Numbers:
    """Room for so many lanes (count, LANES), each within one cache line."""
    room = np.empty((count + 1) * LANES)
    skip = -(room.ctypes.data // room.itemsize) % LANES
    return room[skip : skip + count * LANES].reshape((count, LANES))


@_compiled
def _walk(forest: Forest, room: Room) -> None:
    """What the forest's splits contribute to the rows that were read, into `parts`."""
    room.parts[:] = 0.0
    for tree in forest.trees:
        _climb(forest, tree, room)
        _descend(forest, tree, room)


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
        value = splat(entries, leaves[tree.leaf + n])
        for q in range(m):
            store(entries, (count + n) * m + q, value)
    for n in range(twins, count):
        split = splits[first + n]
        left, right = leaves[tree.leaf + split.left - count], leaves[tree.leaf + split.right - count]
        turn = _turn(room.read, split, 1.0 - split.share, -split.share)
        store(room.turns, n, turn)
        step, mean = turn * (left - right), right + split.share * (left - right)
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
        store(entries, q, splat(entries, forest.weights[q]))
    for n in range(twins):
        split = splits[first + n]
        left, right = split.left * m, split.right * m
        turn, part = load(room.turns, n), splat(entries, 0.0)
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
        reached = splat(entries, 0.0)
        for q in range(m):
            reached = reached + load(entries, n * m + q)
        store(parts, split.output, load(parts, split.output) + reached * (load(room.turns, n) * gap))


@_compiled
def _turn(read: Numbers, split: Any, left: float, right: float) -> Any:
    return choose(load(read, split.slot), split.threshold, left, right)


@_compiled
def _rise(t: float, split: Any) -> float:
    """1 / F: how much likelier than t it is that the split's feature joined, once its tests above led here."""
    return 1.0 / (t + (1.0 - t) * float(split.above_share))


@_compiled
def _is_here(read: Numbers, split: Any, splits: NDArray[np.void]) -> Any:
    """u: 1 where the tests above on the split's feature send the row towards the split, else 0."""
    here = splat(read, 1.0)
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
