import numpy as np
import pyarrow as pa
import pytest

from models.risk.expressions import derive, read_derivations
from records.errors import BadInput

TABLE = pa.table(
    {"price": [100.0, 12.5, None], "mass": [0, 5, 2], "seller": ["NA", "x", None], "day": [True, False, None]}
)


def _derived(expression: str) -> list[float | None]:
    return derive(TABLE, {"new": expression}).column("new").to_pylist()


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("price / mass", [None, 2.5, None]),
        ("price - mass * 2", [100, 2.5, None]),
        ("log1p(price)", [np.log1p(100), np.log1p(12.5), None]),
        ("round(price * 100) % 60", [40, 50, None]),
        ("floor(-price / 3)", [-34, -5, None]),
        ("seller == 'NA'", [1, 0, None]),
        ("seller != 'NA'", [0, 1, None]),
        ("price > 50", [1, 0, None]),
        ("maximum(price, mass * 10)", [100, 50, None]),
        ("day + 1", [2, 1, None]),
        ("7", [7, 7, 7]),
    ],
)
def test_the_language(expression, expected):
    assert _derived(expression) == pytest.approx(expected)


def test_a_later_column_may_use_an_earlier_one():
    table = derive(TABLE, {"double": "price * 2", "half": "double / 4"})
    assert table.column("half").to_pylist() == [50.0, 6.25, None]


@pytest.mark.parametrize(
    "expression",
    [
        "__import__('os').system('true')",
        "price.__class__",
        "[p for p in price]",
        "(lambda: 1)()",
        "price ** 9999999",
        "open('x')",
        "'text'",
        "price if mass else 1",
    ],
)
def test_nothing_outside_the_language_is_run(expression):
    with pytest.raises(BadInput, match="derived column 'new"):
        _derived(expression)


@pytest.mark.parametrize(
    ("expression", "hint"),
    [
        ("prise * 2", "Did you mean 'price'"),
        ("log1q(price)", "Did you mean 'log1p'"),
        ("seller * 2", "holds string"),
        ("price +", "not an expression"),
        ("maximum(price)", "takes 2"),
        ("seller > 'A'", "only `column == 'text'`"),
    ],
)
def test_mistakes_are_named(expression, hint):
    with pytest.raises(BadInput, match=hint.replace("(", r"\(")):
        _derived(expression)


def test_an_existing_name_is_refused():
    with pytest.raises(BadInput, match="exists in the table already"):
        derive(TABLE, {"price": "mass"})


def test_the_file_is_a_mapping(tmp_path):
    path = tmp_path / "derive.yaml"
    path.write_text("log_price: log1p(price)\none: 1\n")
    assert read_derivations(path) == {"log_price": "log1p(price)", "one": "1"}
    path.write_text("- price\n")
    with pytest.raises(BadInput, match="must be a mapping"):
        read_derivations(path)
    with pytest.raises(BadInput, match="cannot be read"):
        read_derivations(tmp_path / "none.yaml")


def test_an_empty_column_derives_nulls():
    table = pa.table({"price": pa.nulls(2)})
    assert derive(table, {"double": "price * 2"})["double"].to_pylist() == [None, None]


def test_a_number_too_large_is_named():
    with pytest.raises(BadInput, match="too large"):
        derive(pa.table({"price": [1.0]}), {"huge": f"price * {10**400}"})
