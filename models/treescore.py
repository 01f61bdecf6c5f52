"""Raw scores of LightGBM models for many rows: the very bits that LightGBM gives, several times as fast.

LightGBM sends one row after another through all trees, and at every split the processor has to guess where to go on.
Here the trees come one after another, small enough to be at hand, and a block of rows walks through each side by side,
step by step, without a guess: the two sides of a split lie next to each other, so that where a row goes on is the place
of the left one, plus one unless the test holds. What missing values, zeros and categories mean is settled once per row,
so that every test reads `number <= threshold, or code in set`, one of which cannot be. A leaf is a test that every row
passes, and that leads to the leaf.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.compiling import compiled
from models.treeshap import ALWAYS_LEFT, CATEGORY, NEVER_LEFT, NUMBER_OR_ZERO, TINY, meaning, parsed

BLOCK: Final = 16  # rows that walk side by side
CHUNK: Final = 4096  # rows a thread takes at a time
BITS: Final = 32

# How a feature is read: `missing` is what stands for a missing number, `limit` the code that is in no set.
SLOT: Final = np.dtype([("feature", "u4"), ("kind", "u4"), ("limit", "u4"), ("missing", "f8")], align=True)
# A test, or a leaf, whose value stands as threshold. `words` is where its set begins; the first word of all is empty.
NODE: Final = np.dtype([("threshold", "f8"), ("slot", "u4"), ("words", "u4"), ("left", "u4")], align=True)
TREE: Final = np.dtype([("first", "u4"), ("depth", "u4"), ("member", "u4")])
_INTS: Final = ("split_feature", "decision_type", "left_child", "right_child", "cat_boundaries", "cat_threshold")


@dataclass(frozen=True)
class TreeScore:
    """Scores rows of `features` columns by the mean of `members` LightGBM models."""

    features: int
    members: int
    slots: NDArray[np.void]
    words: NDArray[np.uint32]
    nodes: NDArray[np.void]
    trees: NDArray[np.void]

    @classmethod
    def of(cls, texts: Sequence[str]) -> TreeScore:
        """A scorer for the mean of models, given as LightGBM writes them. ValueError for a model of several classes."""
        growing = _Growing()
        for member, text in enumerate(texts):
            model = parsed(text)
            if model.classes != 1:
                raise ValueError("This model has several classes. Give models of one outcome, or let LightGBM score.")
            for fields in model.trees:
                growing.add(fields, member)
        return growing.scorer(len(model.features), len(texts))

    def raw(self, rows: np.ndarray, threads: int = 1) -> np.ndarray:
        """The mean raw score (n,) of `rows` (n, p); a missing value is NaN, a category its code. ValueError for rows of
        another width than the models read."""
        table = np.ascontiguousarray(rows, dtype=np.float64)
        if table.ndim != 2 or table.shape[1] != self.features:
            raise ValueError(f"The models read {self.features} features, but the rows have the shape {table.shape}.")
        found = np.zeros((len(table), self.members))

        starts = range(0, len(table), CHUNK)

        def walk_from(start: int) -> None:
            here = slice(start, start + CHUNK)
            _walk(self.slots, self.words, self.nodes, self.trees, table[here], found[here])

        if len(starts) == 1:  # a pool of threads would take as long as a row does
            walk_from(0)
        else:
            with ThreadPoolExecutor(threads) as pool:
                list(pool.map(walk_from, starts))
        return np.asarray(np.ascontiguousarray(found.T).mean(axis=0))


class _Growing:
    """The trees of a scorer while they are added."""

    def __init__(self) -> None:
        self.slots: dict[tuple[int, int, float], int] = {(0, CATEGORY, ALWAYS_LEFT): 0}  # of leaves
        self.sets: list[tuple[int, list[int]]] = []  # slot and words
        self.nodes: list[tuple[float, int, int, int]] = []  # `words` is the number of the set, counted from 1
        self.trees: list[tuple[int, int, int]] = []

    def add(self, fields: dict[str, str], member: int) -> None:
        """Add a tree, level by level, the two sides of each split next to each other."""
        ints = {name: [int(v) for v in fields.get(name, "").split()] for name in _INTS}
        threshold, leaves = ([float(v) for v in fields.get(name, "").split()] for name in ("threshold", "leaf_value"))
        first = len(self.nodes)
        level, depth = [0 if ints["split_feature"] else -1], -1
        while level:
            depth += 1
            left, below = len(self.nodes) + len(level), list[int]()
            for side in level:
                if side < 0:
                    self.nodes.append((leaves[~side], 0, 0, len(self.nodes)))
                    continue
                slot, most, words = self._test(ints, side, threshold[side])
                self.nodes.append((most, slot, words, left + len(below)))
                below += [ints["left_child"][side], ints["right_child"][side]]
            level = below
        self.trees.append((first, depth, member))

    def _test(self, ints: dict[str, list[int]], split: int, threshold: float) -> tuple[int, float, int]:
        """Slot, threshold and number of the set of a split."""
        kind, missing = meaning(ints["decision_type"][split])
        slot = self.slots.setdefault((ints["split_feature"][split], kind, missing), len(self.slots))
        if kind != CATEGORY:
            return slot, threshold, 0
        begins, ends = ints["cat_boundaries"][int(threshold) : int(threshold) + 2]
        self.sets.append((slot, ints["cat_threshold"][begins:ends]))
        return slot, NEVER_LEFT, len(self.sets)

    def scorer(self, features: int, members: int) -> TreeScore:
        """Every set of a feature gets as many words as its longest, and an empty one for codes beyond."""
        longest = np.zeros(len(self.slots), np.int64)
        for slot, held in self.sets:
            longest[slot] = max(longest[slot], len(held))
        sizes = [1, *(longest[slot] + 1 for slot, _ in self.sets)]
        begins = np.cumsum([0, *sizes])
        words = np.zeros(begins[-1], np.uint32)
        for begin, (_, held) in zip(begins[1:], self.sets, strict=False):
            words[begin : begin + len(held)] = held
        nodes = np.array(self.nodes, NODE)
        nodes["words"] = begins[nodes["words"]]
        slots = [(f, kind, BITS * longest[n], missing) for n, (f, kind, missing) in enumerate(self.slots)]
        return TreeScore(features, members, np.array(slots, SLOT), words, nodes, np.array(self.trees, TREE))


@compiled
def _walk(
    slots: NDArray[np.void],
    words: NDArray[np.uint32],
    nodes: NDArray[np.void],
    trees: NDArray[np.void],
    rows: np.ndarray,
    found: np.ndarray,
) -> None:
    """Add the scores of every member to `found` (n, members)."""
    numbers = np.empty((BLOCK, len(slots)))
    codes = np.empty((BLOCK, len(slots)), np.uint32)
    at = np.empty(BLOCK, np.uint32)
    for start in range(0, len(rows), BLOCK):
        for lane in range(BLOCK):
            _read(slots, rows[min(start + lane, len(rows) - 1)], numbers[lane], codes[lane])
        for tree in trees:
            at[:] = tree.first
            for _ in range(tree.depth):
                for lane in range(BLOCK):
                    node = nodes[at[lane]]
                    code = codes[lane, node.slot]
                    is_in = words[node.words + (code >> np.uint32(5))] >> (code & np.uint32(31)) & np.uint32(1)
                    is_below = np.uint32(numbers[lane, node.slot] <= node.threshold)
                    at[lane] = node.left + (np.uint32(1) - (is_below | is_in))
            for lane in range(min(BLOCK, len(rows) - start)):
                found[start + lane, tree.member] += nodes[at[lane]].threshold


@compiled
def _read(slots: NDArray[np.void], row: np.ndarray, numbers: np.ndarray, codes: np.ndarray) -> None:
    """What each slot holds for a row: a number and the code 0, or a code and no number."""
    for s in range(len(slots)):
        slot = slots[s]
        value = row[slot.feature]
        if slot.kind == CATEGORY:
            # As LightGBM: a code is cut to a whole number; what is missing, negative or never seen is in no set.
            is_seen = value > -1.0 and value < slot.limit
            numbers[s], codes[s] = slot.missing, np.uint32(value) if is_seen else slot.limit
        else:
            is_zero = abs(value) <= TINY
            is_missing = np.isnan(value) | (is_zero & (slot.kind == NUMBER_OR_ZERO))
            numbers[s], codes[s] = slot.missing if is_missing else (0.0 if is_zero else value), np.uint32(0)
