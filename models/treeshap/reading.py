"""LightGBM's model text, read into forests that the kernels walk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from .kernels import (
    ALWAYS_LEFT,
    CATEGORY,
    NEVER_LEFT,
    NUMBER,
    NUMBER_OR_ZERO,
    POINTS,
    SLOT,
    SPLIT,
    TREE,
    Forest,
    Numbers,
)


@dataclass(frozen=True)
class _Model:
    features: tuple[str, ...]
    classes: int
    trees: tuple[dict[str, str], ...]


def _fields(block: str) -> dict[str, str]:
    return {name: value for name, _, value in (line.partition("=") for line in block.splitlines())}


def _parsed(text: str) -> _Model:
    head, *blocks = text.partition("\nend of trees")[0].split("\nTree=")
    about = _fields(head)
    if "num_tree_per_iteration" not in about:
        raise ValueError("This is not the text of a LightGBM model. Give a booster, or what model_to_string() returns.")
    trees = tuple(_fields(block) for block in blocks)
    if any(tree.get("is_linear", "0") != "0" for tree in trees):
        raise ValueError("Contributions are not defined for linear trees. Train without linear_tree to explain scores.")
    return _Model(tuple(about["feature_names"].split()), int(about["num_tree_per_iteration"]), trees)


def read(texts: Sequence[str]) -> tuple[tuple[str, ...], Numbers, tuple[Forest, ...]]:
    """The names of the features of LightGBM models, the base of their mean and its trees.

    ValueError for what is no model, has linear trees, or reads other features than the first.
    """
    members = [_parsed(text) for text in texts]
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
        feature, decision, threshold = tree.feature[at], tree.decision[at], tree.threshold[at]
        if decision & 1:
            start, stop = tree.category_starts[int(threshold) : int(threshold) + 2]
            return self._slot(feature, CATEGORY, 0.0, tuple(tree.category_words[start:stop])), 0.0
        default = ALWAYS_LEFT if decision & 2 else NEVER_LEFT
        none, zero = decision >> 2 & 3 == 0, decision >> 2 & 3 == 1
        return self._slot(feature, NUMBER_OR_ZERO if zero else NUMBER, 0.0 if none else default, ()), threshold

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
