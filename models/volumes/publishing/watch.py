"""Alarms of the newest days: every flow, and the nation, held against what the evening before would have said."""

from collections.abc import Sequence
from datetime import timedelta

import numpy as np
import pandas as pd

from models.volumes.adding_up.hierarchy import TOTAL
from models.volumes.calendars.calendar import calendar
from models.volumes.early_warning.alarms import Alarm, Judged, State, advance
from models.volumes.early_warning.reference import reference
from models.volumes.early_warning.warning import SETTINGS, alone, limits, path, scores
from models.volumes.lake.flows import LakeFlows
from models.volumes.publishing.nightly import Night, labels_of
from models.volumes.rhythm import MEDIAN

REPLAYED = 56
"""Days over which alarms are raised and closed anew; an older one that still stands shows with its beginning."""
SHOWN = 28
"""Days for which a closed alarm is still told."""


def alarms(
    made: Night,
    flows: LakeFlows,
    *,
    setting: str = "quiet",
    history: int = 430,
    countries: Sequence[str] = ("TN",),
) -> tuple[Alarm, ...]:
    """Alarms that stand on the day before `flows.first`, and those closed lately; at most `setting` false ones a year.

    The last `history` days are judged. A day of a broken feed is no count, and raises its own kind of alarm.
    """
    today = pd.Timestamp(flows.first).date()
    nodes = made.parts["days"].nodes.until(int(flows.first.astype(np.int64)) - 1)
    nodes = nodes.since(nodes.end - history + 1)
    chosen = [row for row, name in enumerate(nodes.ids) if name == TOTAL or "direction" in labels_of(name)]
    names = [nodes.ids[row] for row in chosen]
    counts = nodes.values[chosen]
    days = calendar(nodes.rhythm, nodes.start, counts.shape[1], countries, almanac=made.almanac)
    told = reference(counts, days)
    places = [None if name == TOTAL else labels_of(name)["post"] for name in names]
    surprise = alone(scores(counts, told.quantiles), places)
    chart = path(surprise)
    judged = Judged(
        tuple(names),
        today - timedelta(days=counts.shape[1]),
        counts,
        told.quantiles[..., MEDIAN],
        chart,
        limits(chart, SETTINGS[setting], np.isfinite(surprise)),
        _silent(names, flows, counts.shape[1]),
    )
    raised: tuple[Alarm, ...] = ()
    for day in range(max(0, counts.shape[1] - REPLAYED), counts.shape[1]):
        raised = advance(raised, judged, day)
    lately = today - timedelta(days=SHOWN)
    return tuple(alarm for alarm in raised if alarm.state is not State.CLOSED or alarm.until >= lately)


def _silent(names: Sequence[str], flows: LakeFlows, length: int) -> np.ndarray:
    """Days (S, N) of feed alarms, of which the last is the day before `flows.first`."""
    answer = np.zeros((len(names), length), bool)
    place = {(own.get("post"), own.get("direction")): row for row, own in enumerate(map(labels_of, names))}
    for alarm in flows.feed_alarms.to_pylist():
        day = length - (pd.Timestamp(flows.first).date() - alarm["ds"]).days
        row = place.get((alarm["post"], alarm["direction"]))
        if row is not None and 0 <= day < length:
            answer[row, day] = True
    return answer
