"""The hidden truth about entries: how likely each was irregular, why, and whether it was.

Causes lie in papers, stays, declarations and permits. Nothing here reads age, sex, nationality or the document's
issuer, and a test holds this module to that.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from records.sample.journeys import Journeys
from records.sample.legs import Legs
from records.sample.parameters import COMMUTER, KINDS, RESIDENT
from records.sample.permits import NEVER, Files, Sponsors

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

FINDING_KINDS = ("document_irregular", "stay_irregular", "declaration_false", "permit_irregular")
_MOST = 6.4  # log-odds that causes together can add


@dataclass(frozen=True)
class Papers:
    """What the policy and the rules could also see about an entry."""

    expired: Mask
    under_alert: Mask
    permit_expired: Mask


@dataclass(frozen=True)
class Truth:
    """Per entry: probability, whether it was irregular, and the kind of its strongest cause."""

    risk: Floats
    irregular: Mask
    kind: Ints
    papers: Papers


def truth(
    kind: int,
    entry: Legs,
    journeys: Journeys,
    *,
    party: Ints,
    home: Ints,
    alert_day: Ints,
    validity: int,
    file: Files | None,
    sponsor: Sponsors,
    rng: np.random.Generator,
) -> Truth:
    """The truth about each row of `entry`; `party` size, `home` post and `alert_day` are per row, in its order."""
    of = entry.journey
    day = entry.day
    visit = ~journeys.absence[of]
    age, left = day - entry.issued, entry.issued + validity - day
    night = (entry.second < 6 * 3600) | (entry.second >= 22 * 3600)
    unusual = entry.post != home
    alone = party == 1
    planned = journeys.planned[of]
    first_visit = (journeys.place[of] == 0) & visit & (kind != RESIDENT)
    notice_hours = np.where(entry.lead < 0, 24.0, entry.lead / 3600)
    expired, under_alert = left < 0, day >= alert_day
    permit_expired = np.zeros(len(entry), dtype=bool)

    document = (
        4.6 * ((age < 45) & first_visit & alone)
        + 3.6 * expired
        + 1.5 * ((left >= 0) & (left < 30))
        + 4.6 * (entry.holder != entry.person)
        + 5.2 * under_alert
        + 2.6 * ((age > 1_500) & night)
    )
    stay = (
        3.9 * ((journeys.last_overrun[of] > 5) & visit)
        + 5.0 * ((journeys.since_last[of] <= 8) & (journeys.last_length[of] >= 75) & visit)
        + 1.2 * (journeys.often[of] & visit & (kind != COMMUTER))
    )
    declaration = (
        3.6 * ((notice_hours < 6) & (planned >= 14) & visit)
        + 2.2 * ((planned >= 21) & alone & visit & (age < 400))
        + 3.0 * (unusual & night)
        + 1.6 * (unusual & alone & (notice_hours < 10))
    )
    permit = np.zeros(len(entry))
    if file is not None:
        granted, valid_to = file.permit(entry.person, day)
        held = granted < NEVER
        permit_expired = held & (valid_to < day)
        dubious = (sponsor.anomalous[file.sponsor] & file.sponsored)[entry.person]
        absent = journeys.second[of] - journeys.first[of]
        permit = (
            4.4 * permit_expired
            + dubious * np.where(held & (day - granted < 200), 4.0, 1.5)
            + 3.2 * (journeys.absence[of] & (absent > 150))
            + 1.5 * (held & (valid_to >= day) & (valid_to - day < 30))
        )
    causes = np.stack([document, stay, declaration, permit])
    odds = KINDS[kind].tilt + np.minimum(causes.sum(axis=0), _MOST)
    risk = 1 / (1 + np.exp(-odds))
    # Without any cause in sight the kind is anyone's guess, except that only residents have permits.
    guess = rng.integers(0, 3 + (file is not None), len(entry))
    return Truth(
        risk=risk,
        irregular=rng.random(len(entry)) < risk,
        kind=np.where(causes.max(axis=0) > 0, causes.argmax(axis=0), guess),
        papers=Papers(expired, under_alert, permit_expired),
    )
