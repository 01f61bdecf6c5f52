"""Who was explored before is counted as the day's lake knew it, and a setting says whether anybody is."""

from datetime import UTC, date, datetime, timedelta

import pyarrow as pa
import pytest

from pipelines.steps.assessing import _explored
from records.errors import BadInput
from records.lake import Lake
from records.settings import settings

DAY = date(2026, 3, 2)
START = datetime(2026, 3, 1, 23, tzinfo=UTC)  # midnight in Tunis


class _Told:
    """A lake that holds selections, and answers with those known before a moment."""

    def __init__(self, *rows: tuple[str, str, datetime]) -> None:
        self.rows = rows

    def as_known(self, table: str, at: datetime, columns: list[str]) -> pa.Table:
        known = [row for row in self.rows if row[2] <= at]
        schema = pa.schema([("subject", pa.string()), ("why", pa.string()), ("as_of", pa.timestamp("us", tz="UTC"))])
        return pa.Table.from_pylist([dict(zip(schema.names, row, strict=True)) for row in known], schema)


def test_only_explorations_of_the_last_year_count():
    lake = _Told(
        ("k1.a", "exploration", START - timedelta(days=10)),
        ("k1.a", "exploration", START - timedelta(days=20)),
        ("k1.b", "random", START - timedelta(days=10)),
        ("k1.c", "exploration", START - timedelta(days=400)),
        ("k1.d", "exploration", START + timedelta(hours=1)),
    )
    assert _explored(lake, DAY, "Africa/Tunis") == {"k1.a": 2}


def test_a_lake_without_selections_has_explored_nobody(small_lake: Lake):
    assert _explored(small_lake, date(2026, 8, 31), "Africa/Tunis") == {}


def test_exploring_is_off_unless_said(tmp_path):
    assert not settings(tmp_path, {}, working_folder=tmp_path).explore
    assert settings(tmp_path, {"BASIRA_EXPLORE": "yes"}, working_folder=tmp_path).explore
    (tmp_path / "basira.toml").write_text("explore = true\n")
    assert settings(tmp_path, {}, working_folder=tmp_path).explore
    with pytest.raises(BadInput, match="yes or no"):
        settings(tmp_path, {"BASIRA_EXPLORE": "maybe"}, working_folder=tmp_path)
