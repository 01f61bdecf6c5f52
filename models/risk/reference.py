"""What a model learnt from, as counts: kept with it, so that it can be seen later whether the world still looks so.

Histograms of every input and of the raw score come from a sample of all who are scored, checked or not, in all and by
month of the year, so that summer is compared with summer; what the random control found comes from all of its findings.
Both lie before `until`, where the model was finished: what is later judges it. Where nobody chooses whom to look at,
since the outcome of each is on record, everyone is control.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evidence.drift import Histogram

if TYPE_CHECKING:
    from models.risk.model import RiskModel

KNOWN: Final = 0.99  # share of the control's findings that are known once the wait is over
SCORE: Final = "score"  # the raw score, beside the inputs
ALIKE: Final = 200  # cases of the same months, below which all months are compared with


@dataclass(frozen=True)
class Reference:
    """`rows` were sampled for `histograms` of every input and of SCORE, whose counts in each month stand in `months`;
    `findings` of the control had an outcome, `confirmed` of them positive.

    A case counts in later tests once `wait` has passed since its as_of, so that findings which are known sooner do not
    count for more.
    """

    until: datetime
    rows: int
    histograms: Mapping[str, Histogram]
    months: Mapping[str, tuple[tuple[int, ...], ...]]
    findings: int
    confirmed: int
    wait: timedelta

    def usual(self, name: str, months: Collection[int]) -> Histogram:
        """What is usual of an input, or of SCORE, in these months (1 to 12); in all where those had few cases."""
        histogram = self.histograms[name]
        counts = np.sum([self.months[name][month - 1] for month in months], axis=0)
        return replace(histogram, counts=tuple(map(int, counts))) if counts.sum() >= ALIKE else histogram

    def as_json(self) -> dict[str, Any]:
        return {
            "until": self.until.isoformat(),
            "rows": self.rows,
            "histograms": {name: histogram.as_json() for name, histogram in self.histograms.items()},
            "months": {name: [list(counts) for counts in each] for name, each in self.months.items()},
            "findings": self.findings,
            "confirmed": self.confirmed,
            "wait_seconds": round(self.wait.total_seconds()),
        }

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Reference:
        return cls(
            datetime.fromisoformat(written["until"]),
            written["rows"],
            {name: Histogram.from_json(each) for name, each in written["histograms"].items()},
            {name: tuple(tuple(counts) for counts in each) for name, each in written["months"].items()},
            written["findings"],
            written["confirmed"],
            timedelta(seconds=written["wait_seconds"]),
        )


def reference(
    model: RiskModel, similar: pa.Table, judged: pa.Table, until: np.datetime64, horizon: timedelta
) -> Reference:
    """The reference of `model`, from what lies before `until`.

    `similar`: as_of and the model's inputs, of a sample of all who are scored. `judged`: as_of, label, known_at,
    selected_by of the labelled rows. Without a finding of the control the wait is the declared `horizon`.
    """
    moment = until.astype("datetime64[us]").item().replace(tzinfo=UTC)
    before = similar.filter(_earlier(similar, moment))
    control = judged.filter(pc.and_(control_of(judged.column("selected_by")), _earlier(judged, moment)))
    columns = {name: before.column(name) for name in model.names}
    columns[SCORE] = pa.chunked_array([model.score(before).raw])
    histograms = {name: Histogram.of(column) for name, column in columns.items()}
    month = pc.month(before.column("as_of"))
    of_month = [pc.equal(month, number) for number in range(1, 13)]
    waited = pc.subtract(control.column("known_at"), control.column("as_of")).to_numpy() / np.timedelta64(1, "s")
    return Reference(
        moment,
        before.num_rows,
        histograms,
        {
            name: tuple(tuple(map(int, histograms[name].count(column.filter(these)))) for these in of_month)
            for name, column in columns.items()
        },
        control.num_rows,
        int(pc.sum(control.column("label")).as_py() or 0),
        timedelta(seconds=float(np.quantile(waited, KNOWN))) if len(waited) else horizon,
    )


def control_of(selected_by: pa.ChunkedArray) -> pa.ChunkedArray:
    """Which rows speak for all: those drawn at random, or all where nobody chose (null)."""
    return pc.fill_null(pc.equal(selected_by, "random"), True)


def _earlier(rows: pa.Table, moment: datetime) -> pa.ChunkedArray:
    return pc.less(rows.column("as_of"), pa.scalar(moment, pa.timestamp("us", tz="UTC")))
