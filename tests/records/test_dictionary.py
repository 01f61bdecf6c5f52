"""The data dictionary in `docs` is what the declarations say."""

from pathlib import Path

from records.dictionary import data_dictionary
from records.tables import tables


def test_the_written_dictionary_is_current() -> None:
    written = (Path(__file__).parents[2] / "docs" / "data-dictionary.md").read_text(encoding="utf-8")
    assert written == data_dictionary(), "Run `python -m records.dictionary docs/data-dictionary.md`."


def test_every_column_is_described() -> None:
    text = data_dictionary()
    for table in tables().values():
        assert f"## {table.name}\n" in text
        for column in table.columns:
            assert f"| `{column.name}` |" in text
