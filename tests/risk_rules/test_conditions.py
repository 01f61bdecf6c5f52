"""The language says the same for columns, for one event, and as a slow oracle reads it."""

from __future__ import annotations

import math
import string
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records.errors import BadInput
from risk_rules.columns import Column
from risk_rules.conditions import cells, for_columns, for_one, parse

COLUMNS = {
    "age": Column("age", "number", minimum=-5, maximum=50),
    "size": Column("size", "number", integer=True),
    "lost": Column("lost", "boolean"),
    "new": Column("new", "boolean"),
    "mode": Column("mode", "string", values=("air", "sea", "land")),
    "service": Column("service", "string"),
}
ARROW = {"age": pa.float64(), "size": pa.int64(), "lost": pa.bool_(), "new": pa.bool_(), "mode": pa.string()}

_numbers = st.integers(-4, 6)
_words = {"mode": st.sampled_from(["air", "sea", "land"]), "service": st.sampled_from(["TU1", "AF7", "", "é"])}


@st.composite
def _condition(draw: Any) -> dict[str, Any]:
    name = draw(st.sampled_from(list(COLUMNS)))
    kind = COLUMNS[name].kind
    if draw(st.integers(0, 6)) == 0:
        return {"col": name, "op": "is_missing"}
    if kind == "boolean":
        return {"col": name, "op": draw(st.sampled_from(["eq", "ne"])), "value": draw(st.booleans())}
    literal = _numbers if kind == "number" else _words[name]
    ops = ["eq", "ne", "in", "not_in"] + (["lt", "le", "gt", "ge", "between"] if kind == "number" else [])
    op = draw(st.sampled_from(ops))
    if op == "between":
        start = draw(_numbers)
        return {"col": name, "op": op, "value": [start, start + draw(st.integers(1, 4))]}
    value = draw(st.lists(literal, min_size=1, max_size=3, unique=True)) if op in ("in", "not_in") else draw(literal)
    return {"col": name, "op": op, "value": value}


def _group(inner: Any) -> Any:
    parts = st.lists(inner, min_size=1, max_size=2)
    return st.one_of(
        st.fixed_dictionaries({"all": parts}),
        st.fixed_dictionaries({"any": parts}),
        st.fixed_dictionaries({"not": inner}),
    )


_leaf = _condition()
_whens = st.one_of(_leaf, _group(_leaf), _group(st.one_of(_leaf, _group(_leaf))))
_rows = st.lists(
    st.fixed_dictionaries(
        {
            "age": st.one_of(st.none(), st.just(math.nan), st.integers(-4, 6).map(float)),
            "size": st.one_of(st.none(), st.integers(-4, 6)),
            "lost": st.one_of(st.none(), st.booleans()),
            "new": st.one_of(st.none(), st.booleans()),
            "mode": st.one_of(st.none(), _words["mode"]),
            "service": st.one_of(st.none(), _words["service"], st.text(string.ascii_letters, max_size=2)),
        }
    ),
    max_size=12,
)


def _oracle(raw: dict[str, Any], row: dict[str, Any]) -> bool | None:
    """Kleene's tables, spelt out: what is missing could be anything."""
    if "all" in raw:
        said = [_oracle(part, row) for part in raw["all"]]
        return False if False in said else (None if None in said else True)
    if "any" in raw:
        said = [_oracle(part, row) for part in raw["any"]]
        return True if True in said else (None if None in said else False)
    if "not" in raw:
        inner = _oracle(raw["not"], row)
        return None if inner is None else not inner
    seen, value = row[raw["col"]], raw.get("value")
    missing = seen is None or (isinstance(seen, float) and math.isnan(seen))
    if raw["op"] == "is_missing":
        return missing
    if missing:
        return None
    return {
        "eq": lambda: seen == value,
        "ne": lambda: seen != value,
        "lt": lambda: seen < value,
        "le": lambda: seen < value or seen == value,
        "gt": lambda: value < seen,
        "ge": lambda: not seen < value,
        "in": lambda: any(seen == v for v in value),
        "not_in": lambda: all(seen != v for v in value),
        "between": lambda: not seen < value[0] and seen < value[1],
    }[raw["op"]]()


def _table(rows: list[dict[str, Any]]) -> pa.Table:
    return pa.table({n: pa.array([r[n] for r in rows], ARROW.get(n, pa.string())) for n in COLUMNS})


@settings(deadline=None)
@given(_whens, _rows)
def test_columns_and_events_and_oracle_agree(raw: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    node = parse(raw, COLUMNS, {})
    table = _table(rows)
    by_columns = for_columns(node)({name: cells(COLUMNS[name], table[name]) for name in COLUMNS})
    one = for_one(node)
    by_event = [one({name: COLUMNS[name].checked(row[name]) for name in COLUMNS}) for row in rows]
    expected = [{True: 1, None: 0, False: -1}[_oracle(raw, row)] for row in rows]
    assert by_columns.dtype == np.int8
    assert by_columns.tolist() == expected
    assert by_event == expected


@pytest.mark.parametrize("layout", ["dictionary", "chunked", "large", "null"])
def test_words_are_read_from_every_arrow_layout(layout: str) -> None:
    words = ["air", None, "sea"]
    values: Any = {
        "dictionary": pa.array(words).dictionary_encode(),
        "chunked": pa.chunked_array([pa.array(["air", None]), pa.array(["sea"])]),
        "large": pa.array(words, pa.large_string()),
        "null": pa.nulls(3),
    }[layout]
    truth = for_columns(parse({"col": "mode", "op": "eq", "value": "sea"}, COLUMNS, {}))(
        {"mode": cells(COLUMNS["mode"], values)}
    )
    assert truth.tolist() == ([0, 0, 0] if layout == "null" else [-1, 0, 1])


def test_a_table_of_another_type_is_refused() -> None:
    with pytest.raises(BadInput, match="'lost' came as string, but rules read it as a boolean"):
        cells(COLUMNS["lost"], pa.array(["yes"]))


LEAF = {"col": "age", "op": "gt", "value": 1}


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ({"col": "aeg", "op": "gt", "value": 1}, "unknown column 'aeg'. Did you mean 'age'"),
        ({"col": "age", "op": "gte", "value": 1}, "unknown operator 'gte'"),
        ({"col": "age", "op": "gt"}, "no value to compare with"),
        ({"col": "age", "op": "gt", "value": "old"}, "'age' is a number, but 'old' is none"),
        ({"col": "age", "op": "gt", "value": True}, "'age' is a number, but True is none"),
        ({"col": "age", "op": "gt", "value": None}, "compares 'age' with null"),
        ({"col": "age", "op": "gt", "value": 51}, "51 lies outside what 'age' can hold"),
        ({"col": "age", "op": "between", "value": [3, 3]}, "is empty"),
        ({"col": "age", "op": "between", "value": 3}, r"needs \[start, end\]"),
        ({"col": "age", "op": "in", "value": []}, "at least one value"),
        ({"col": "age", "op": "in", "value": [1, 1]}, "lists a value twice"),
        ({"col": "mode", "op": "eq", "value": "rail"}, "'mode' is never 'rail'"),
        ({"col": "mode", "op": "lt", "value": "sea"}, "orders numbers"),
        ({"col": "lost", "op": "in", "value": [True]}, "Use eq"),
        ({"col": "age", "op": "is_missing", "value": True}, "takes no value"),
        ({"col": "age", "op": "gt", "value": "@limit"}, "unknown threshold '@limit'"),
        ({"col": "age", "op": "gt", "value": 1, "note": "x"}, "exactly col, op and value"),
        ({"all": []}, "at least one condition"),
        ({"some": [LEAF]}, "a group is one of all, any, not"),
        ("age > 1", "Write a condition"),
        ({"all": [LEAF] * 9}, "9 conditions; at most 8"),
        ({"all": [{"any": [{"all": [{"any": [LEAF]}]}]}]}, "nests groups 4 deep; at most 3"),
    ],
)
def test_what_the_language_does_not_know_is_refused(raw: object, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        parse(raw, COLUMNS, {})


def test_thresholds_stand_in_for_numbers() -> None:
    node = parse({"col": "age", "op": "between", "value": [0, "@limit"]}, COLUMNS, {"limit": 7})
    assert [for_one(node)({"age": age}) for age in (0.0, 6.9, 7.0)] == [1, 1, -1]
