"""What a model learnt from, as counts: kept with it, so that it can be seen later whether the world still looks so.

Histograms of every input and of the raw score come from a sample of all who are scored, checked or not; what the random
control found comes from all of its findings. Both lie before `until`, where the model was finished: what is later
judges it. Where nobody chooses whom to look at, since the outcome of each is on record, everyone is control.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from evidence.drift import Histogram

if TYPE_CHECKING:
    from models.risk.model import RiskModel

KNOWN: Final = 0.99  # share of the control's findings that are known once the wait is over


@dataclass(frozen=True)
class Reference:
    """`rows` were sampled for the histograms; `findings` of the control had an outcome, `confirmed` of them positive.

    A case counts in later tests once `wait` has passed since its as_of, so that findings which are known sooner do not
    count for more.
    """

    until: datetime
    rows: int
    inputs: Mapping[str, Histogram]
    score: Histogram
    findings: int
    confirmed: int
    wait: timedelta

    def as_json(self) -> dict[str, Any]:
        return {
            "until": self.until.isoformat(),
            "rows": self.rows,
            "inputs": {name: histogram.as_json() for name, histogram in self.inputs.items()},
            "score": self.score.as_json(),
            "findings": self.findings,
            "confirmed": self.confirmed,
            "wait_seconds": round(self.wait.total_seconds()),
        }

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Reference:
        return cls(
            datetime.fromisoformat(written["until"]),
            written["rows"],
            {name: Histogram.from_json(each) for name, each in written["inputs"].items()},
            Histogram.from_json(written["score"]),
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
    waited = pc.subtract(control.column("known_at"), control.column("as_of")).to_numpy() / np.timedelta64(1, "s")
    return Reference(
        moment,
        before.num_rows,
        {name: Histogram.of(before.column(name)) for name in model.names},
        Histogram.of(pa.chunked_array([model.score(before).raw])),
        control.num_rows,
        int(pc.sum(control.column("label")).as_py() or 0),
        timedelta(seconds=float(np.quantile(waited, KNOWN))) if len(waited) else horizon,
    )


def control_of(selected_by: pa.ChunkedArray) -> pa.ChunkedArray:
    """Which rows speak for all: those drawn at random, or all where nobody chose (null)."""
    return pc.fill_null(pc.equal(selected_by, "random"), True)


def _earlier(rows: pa.Table, moment: datetime) -> pa.ChunkedArray:
    return pc.less(rows.column("as_of"), pa.scalar(moment, pa.timestamp("us", tz="UTC")))
