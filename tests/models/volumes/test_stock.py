"""Open entries are counted with the chance that their traveller is still there; small cells show no figure."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from models.volumes.offices.stock import OPEN, SEEN, UNSEEN, stays, stock
from records.errors import BadInput
from records.lake import Lake

DAY = 86_400_000_000
NOW = datetime(2026, 1, 1, tzinfo=UTC)
MOMENT = pa.timestamp("us", "UTC")


class StandIn:
    """A lake of crossings (subject, direction, post, regime, day before NOW) and no links."""

    def __init__(self, rows: list[tuple[str, str, str, str, float]]) -> None:
        subject, direction, post, regime, ago = zip(*rows, strict=True)
        at = [int(NOW.timestamp() * 1e6 - days * DAY) for days in ago]
        self.rows = pa.table(
            {
                "subject": subject,
                "kind": ["actual"] * len(rows),
                "direction": direction,
                "post": post,
                "regime": regime,
                "happened_at": pa.array(at, pa.int64()).cast(MOMENT),
            }
        )

    def as_known(self, table: str, at: datetime, columns: Sequence[str] | None = None) -> pa.Table:
        return self.rows.select(list(columns or self.rows.column_names))

    def history(self, table: str, columns: Sequence[str] | None = None) -> pa.Table:
        text = dict.fromkeys(("first_subject", "second_subject", "state"), pa.string())
        return pa.schema({**text, "known_at": MOMENT, "superseded_at": MOMENT}).empty_table()


def world(seed: int, people: int = 6_000, unseen: float = 0.06) -> tuple[StandIn, int]:
    """Visits over three years, some exits of which nobody recorded, and how many are truly present."""
    generator = np.random.default_rng(seed)
    rows: list[tuple[str, str, str, str, float]] = []
    present = 0
    for person in range(people):
        at = float(generator.uniform(0, 1_000))
        for _ in range(1 + generator.poisson(1.5)):
            if at >= 1_000:
                break
            post = "A" if generator.random() < 0.5 else "B"
            rows.append((f"p{person}", "entry", post, "visa_exempt", 1_000 - at))
            at += float(generator.gamma(2.0, 8.0))
            if at >= 1_000:
                present += 1
            elif generator.random() >= unseen * (2 if post == "B" else 0.5):
                rows.append((f"p{person}", "exit", post, "visa_exempt", 1_000 - at))
            at += float(generator.uniform(20, 400))
    return StandIn(rows), present


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_truth_lies_within_the_range(seed: int) -> None:
    lake, present = world(seed)
    known = stays(lake, NOW)
    found = stock(known, draws=100)
    assert (known.outcome == OPEN).sum() > 1.3 * present  # counting open entries would be far off
    assert found.quantiles[0] * 0.97 <= present <= found.quantiles[-1] * 1.03
    assert found.present == pytest.approx(present, rel=0.12)
    assert 0.04 < found.unseen["visa_exempt"] < 0.10
    assert (np.diff(found.quantiles) >= 0).all()


def test_what_became_of_each_entry() -> None:
    rows = [
        ("a", "entry", "A", "visa", 50.0),
        ("a", "exit", "A", "visa", 40.0),
        ("a", "entry", "A", "visa", 30.0),
        ("a", "entry", "A", "visa", 10.0),
        ("b", "exit", "A", "visa", 5.0),
        ("c", "entry", "A", "national", 5.0),
    ]
    known = stays(StandIn(rows), NOW)
    assert known.outcome.tolist() == [SEEN, UNSEEN, OPEN]
    assert known.age.tolist() == [10, 20, 10]
    assert known.back.tolist() == [True, True, False]
    assert known.regimes == ("visa",)


def test_cells_of_few_entries_show_no_figure() -> None:
    lake, _ = world(4, people=1_200)
    cells = stock(stays(lake, NOW), draws=20, cell=60).cells
    hidden = [cell for cell in cells if cell.note]
    assert all(cell.present is None and cell.quantiles is None and "insufficient" in str(cell.note) for cell in hidden)
    assert any(cell.present is not None and cell.quantiles is not None for cell in cells)
    assert all(cell.note for cell in stock(stays(lake, NOW), draws=20, cell=10_000).cells)


def test_nobody_known_is_bad_input() -> None:
    with pytest.raises(BadInput, match="knew of no entry"):
        stays(StandIn([("c", "entry", "A", "national", 5.0)]), NOW)


def test_the_sample_world_is_counted(small_lake: Lake, small_world: Any) -> None:
    known = stays(small_lake, datetime(2026, 8, 31, 23, tzinfo=UTC))
    found = stock(known, draws=50)
    still = int((known.outcome == OPEN).sum())
    assert 0.5 * still < found.present <= still
    assert 0.005 < found.unseen["visa_exempt"] < 0.04  # planted: 1.2%, and a tenth at posts with gaps
