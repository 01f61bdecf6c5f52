"""The data dictionary says what the declarations say."""

from records.dictionary import data_dictionary
from records.tables import tables


def test_every_column_is_described() -> None:
    text = data_dictionary()
    for table in tables().values():
        assert f"## {table.name}\n" in text
        for column in table.columns:
            assert f"| `{column.name}` |" in text
