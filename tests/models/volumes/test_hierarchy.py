"""Which counts add up to which: every node is the sum of its series, whatever the shape of the tree."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.volumes.adding_up.hierarchy import columns_of, declared, of_nodes
from models.volumes.counts.panel import Panel, read_panel
from records.errors import BadInput

LABELS = st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from(["", "x", "y"])), min_size=1, max_size=6)


def flows(labels: list[tuple[str, str]], seed: int = 3, length: int = 20) -> Panel:
    generator = np.random.default_rng(seed)
    ds = pd.date_range("2024-01-01", periods=length)
    parts = [
        pd.DataFrame({"unique_id": f"s{i}", "ds": ds, "y": generator.poisson(9, length), "mode": mode, "post": post})
        for i, (mode, post) in enumerate(labels)
    ]
    return read_panel(pd.concat(parts), "D", hierarchy=("mode", "post"))


@settings(max_examples=30, deadline=None)
@given(LABELS)
def test_nodes_of_any_tree_are_the_sums_of_their_series(labels: list[tuple[str, str]]) -> None:
    panel = flows(labels)
    tree = declared(panel, ["mode > post"])
    nodes = of_nodes(panel, tree)
    assert np.array_equal(nodes.values[tree.among_distinct], tree.add_up(panel.values))
    assert len(np.unique(tree.parts[tree.distinct], axis=0)) == len(tree.distinct)
    assert tree.names[-len(labels) :] == panel.ids == nodes.ids[-len(labels) :]
    for name, parts in zip(tree.names, tree.parts, strict=True):
        if name.startswith("mode="):
            wanted = dict(piece.split("=") for piece in name.split(" > ")).items()
            inside = [wanted <= {"mode": mode, "post": post}.items() for mode, post in labels]
            assert inside == parts.tolist()


def test_a_series_without_a_label_has_no_node_from_there_on() -> None:
    tree = declared(flows([("a", "x"), ("a", ""), ("b", "y")]), ["mode > post"])
    named = ("total", "mode=a", "mode=b", "mode=a > post=x", "mode=b > post=y", "s0", "s1", "s2")
    assert tree.names == named
    assert tree.levels == ("total", "mode", "mode", "mode > post", "mode > post", "series", "series", "series")


def test_several_paths_cut_the_same_series() -> None:
    tree = declared(flows([("a", "x"), ("b", "x"), ("b", "y")]), ["mode", "post"])
    assert dict(zip(tree.names, tree.parts.sum(axis=1).tolist(), strict=True))["post=x"] == 2
    assert columns_of(["mode > post", "post"]) == ("mode", "post")


def test_a_column_that_was_not_read_is_named() -> None:
    with pytest.raises(BadInput, match="'harbour'"):
        declared(flows([("a", "x")]), ["mode > harbour"])


def test_a_missing_count_is_missing_above_but_a_post_not_yet_opened_counts_for_nothing() -> None:
    ds = pd.date_range("2024-01-01", periods=4)
    table = pd.DataFrame(
        {
            "unique_id": ["old"] * 4 + ["new"] * 2,
            "ds": [*ds, *ds[2:]],
            "y": [1, np.nan, 3, 4, 10, 20],
            "mode": "sea",
        }
    )
    panel = read_panel(table, "D", hierarchy=("mode",))
    total = of_nodes(panel, declared(panel, ["mode"])).values[0]
    assert np.array_equal(total, [1, np.nan, 13, 24], equal_nan=True)
