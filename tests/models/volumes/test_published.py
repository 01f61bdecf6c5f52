"""A published run is read as it was written, and is there whole or not at all."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from models.volumes.early_warning.alarms import Alarm, Kind
from models.volumes.publishing.published import TABLES, Card, Published, Word, newest, runs, write
from models.volumes.rhythm import COLUMNS
from records.errors import BadInput

MADE = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
DAY = date(2026, 1, 3)


def _flows() -> pa.Table:
    plain = {"node": "total", "level": "nation", "parent": None, "mode": None, "governorate": None}
    row = {**plain, "post": None, "direction": None, "ds": DAY, "closed": False, "mean": 5.0}
    return (
        pa.Table.from_pylist([{**row, **dict.fromkeys(COLUMNS, 5.0)}]).select(TABLES["days"].names).cast(TABLES["days"])
    )


def _published() -> Published:
    alarm = Alarm("PST|entry", Kind.FEED, DAY, DAY, DAY, 0.0, 40.0)
    card = Card(MADE, MADE, "Africa/Tunis", {"days": {"post": {"wape": 0.1}}}, uncertain_days=(DAY,))
    return Published({"days": _flows()}, (alarm,), (Word("total", DAY, 5.0, {"level": 4.0, "holiday": 1.0}),), card)


def test_a_run_is_read_as_it_was_written(tmp_path: Path) -> None:
    published = _published()
    write(tmp_path, published)
    run = newest(tmp_path)
    assert run.made_at == MADE
    assert run.table("days", where=[("level", "=", "nation")]).equals(_flows())
    assert run.alarms() == published.alarms
    assert run.words() == published.words
    assert run.card().figures == published.card.figures
    assert list(run.card().uncertain_days) == [DAY]
    assert run.table("stock").num_rows == 0
    assert run.table("stock").schema == TABLES["stock"]


def test_runs_are_ordered_and_never_changed(tmp_path: Path) -> None:
    published = _published()
    later = replace(published, card=replace(published.card, made_at=MADE + timedelta(days=1)))
    write(tmp_path, later)
    write(tmp_path, published)
    (tmp_path / ".writing-left-behind").mkdir()
    (tmp_path / "2026 figures by hand Z").mkdir()
    assert [run.made_at for run in runs(tmp_path)] == [MADE, MADE + timedelta(days=1)]
    assert newest(tmp_path, before=MADE + timedelta(hours=1)).made_at == MADE
    with pytest.raises(BadInput, match="never changed"):
        write(tmp_path, published)


def test_what_cannot_be_published_leaves_nothing(tmp_path: Path) -> None:
    published = _published()
    with pytest.raises(BadInput, match=r"lacks q0\.5"):
        write(tmp_path, replace(published, tables={"days": _flows().drop_columns(["q0.5"])}))
    endless = replace(published, words=(Word("total", DAY, float("nan"), {}),))
    with pytest.raises(ValueError, match="JSON"):
        write(tmp_path, endless)
    assert not list(tmp_path.glob("*"))
    assert not list(tmp_path.glob(".writing-*"))
    with pytest.raises(BadInput, match="basira volumes nightly"):
        newest(tmp_path)


def test_damage_is_said(tmp_path: Path) -> None:
    run = write(tmp_path, _published())
    (run.path / "days.parquet").write_bytes(np.random.default_rng(1).bytes(64))
    (run.path / "card.json").unlink()
    for read in (lambda: run.table("days"), run.card, lambda: run.table("weeks")):
        with pytest.raises(BadInput):
            read()
