"""How a model stands: what the looks at it said, as the lake keeps them, and the same in words.

The claims (what the control finds, and what the model promises of it) are followed from the day the model was finished;
inputs are shown as of the newest day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc

from evidence.drift import LARGE
from evidence.sequential import share
from features.catalogue import features
from features.groups import GROUPS
from models.risk.model import RiskModel
from models.risk.watching import FALSE_ALARMS
from records.errors import BadInput
from records.journal import Actor
from records.lake import Lake
from risk_rules.rule import PURPOSES
from serving.accounts import require
from serving.acknowledgements import Acknowledgement, Alarm, acknowledgements, record
from serving.capabilities import DRIVERS, Capability
from serving.house import House
from serving.languages import Language
from serving.sentences import isolated, titled
from serving.store import writing

RECENT: Final = timedelta(days=84)  # over which an alarm says what was found and promised
STATES: Final = ("alarm", "quiet", "too_few")  # what is said of a model is the first that any of its claims says
MOST: Final = 1_000_000.0  # evidence that is told
ALIKE: Final = 0.15  # found and promised differ by less of what was promised: then it is the order that is lost

# Sentences by kind of case: crossings are drawn by chance, the outcome of permits is on record for each.
SENTENCES: Final[Mapping[str, Mapping[str, str]]] = {
    "crossing": {
        "intro": "watch.intro.crossing",
        "too_few": "watch.too_few.crossing",
        "do.too_few": "watch.do.too_few.crossing",
        "counted": "watch.counted.crossing",
        "prevalence": "watch.because.prevalence.crossing",
        "calibration": "watch.because.calibration.crossing",
        "order": "watch.because.order.crossing",
    },
    "permit": {
        "intro": "watch.intro.permit",
        "too_few": "watch.too_few.permit",
        "do.too_few": "watch.do.too_few.permit",
        "counted": "watch.counted.permit",
        "prevalence": "watch.because.prevalence.permit",
        "calibration": "watch.because.calibration.permit",
        "order": "watch.because.order.permit",
    },
}
LACKS: Final = {
    "no_champion": "watch.lack.no_champion",
    "no_reference": "watch.lack.no_reference",
    "not_looked": "watch.lack.not_looked",
}
CLAIMED: Final = {"calibration": "watch.claim.calibration", "prevalence": "watch.claim.prevalence"}
LOOKS: Final = {
    "as_learnt": "watch.input.as_learnt",
    "shifted": "watch.input.shifted",
    "large": "watch.input.large",
}
Row = Mapping[str, Any]
Lack = Literal["no_champion", "no_reference", "not_looked"]


@dataclass(frozen=True)
class Claim:
    """One claim, day by day: rows of `watches` in order of day; the newest says how it stands.

    `acknowledged`: who took notice of the alarm that stands now; nobody of an earlier one.
    """

    what: str
    rows: tuple[Row, ...]
    acknowledged: tuple[Acknowledgement, ...] = ()

    @property
    def now(self) -> Row:
        return self.rows[-1]

    @property
    def alarm(self) -> Alarm | None:
        now = self.now
        return Alarm(now["name"], now["model"], self.what, now["since"]) if now["state"] == "alarm" else None

    def recently(self, day: date) -> tuple[int, int, float]:
        """Findings, those confirmed and those expected, in the weeks up to and with a day."""
        upto = [row for row in self.rows if row["day"] <= day]
        earlier = [row for row in upto if row["day"] <= day - RECENT]
        begin, end = earlier[-1] if earlier else _NOTHING, upto[-1]
        return _since(begin, end)


_NOTHING: Final[Row] = {"rows": 0, "confirmed": 0, "expected": 0.0}


def _since(begin: Row, end: Row) -> tuple[int, int, float]:
    rows, confirmed, expected = (end[name] - begin[name] for name in _NOTHING)
    return rows, confirmed, expected


@dataclass(frozen=True)
class Standing:
    """How the champion of `name` stands on `day`; `finished` is the day from which it is judged."""

    name: str
    kind: Literal["crossing", "permit"]
    model: str
    finished: date
    day: date
    claims: tuple[Claim, ...]
    inputs: tuple[Row, ...]  # those that shifted most first
    score: Row | None

    def __hash__(self) -> int:  # rows have none; equal standings are of one model and one day
        return hash((self.model, self.day))

    @property
    def state(self) -> str:
        said = {claim.now["state"] for claim in self.claims}
        return next(state for state in STATES if state in said)

    @property
    def alarms(self) -> tuple[Claim, ...]:
        return tuple(claim for claim in self.claims if claim.alarm)

    @property
    def since(self) -> date | None:
        return min((claim.now["since"] for claim in self.alarms), default=None)

    @property
    def shifted(self) -> tuple[Row, ...]:
        return tuple(row for row in self.inputs if row["state"] == "shifted")


def standing(house: House, name: str) -> Standing | Lack:
    """How the champion of `name` stands; what is lacking where that cannot be said."""
    model = house.champion(name)
    if model is None:
        return "no_champion"
    if model.reference is None:
        return "no_reference"
    lake = house.settings.lake
    if not lake.is_dir():
        return "not_looked"
    rows = Lake.open(lake).as_known("watches", datetime.now(UTC))
    with house.engine.connect() as connection:
        said = acknowledgements(connection, model.hash, house.settings.zone)
    return _standing(model, rows.filter(pc.equal(rows["model"], model.hash)), said)


def acknowledge(house: House, actor: Actor, name: str, what: str, since: date, reason: str) -> None:
    """Note in the journal that `actor` took notice of the alarm about the claim `what` that the champion of `name` gave
    on the day `since`, and why. The alarm stands, and so does its evidence.

    NotAllowed without the capability; BadInput where no such alarm stands, or the reason cannot be used.
    """
    require(actor, Capability.ACKNOWLEDGE)
    require(actor, DRIVERS[PURPOSES[name]])
    found = standing(house, name)
    claims = found.alarms if isinstance(found, Standing) else ()
    alarms = {claim.alarm: claim for claim in claims if claim.alarm}
    asked = next((alarm for alarm in alarms if (alarm.what, alarm.since) == (what, since)), None)
    if asked is None:
        standing_now = ", ".join(f"'{alarm.what}' since {alarm.since}" for alarm in alarms)
        raise BadInput(
            f"The champion of '{name}' gives no alarm about '{what}' since {since}, so there is none to acknowledge. "
            f"Alarms now: {standing_now or 'none'}."
        )
    with writing(house.engine) as connection:
        record(connection, actor, asked, alarms[asked].now["evidence"], reason)


def _standing(model: RiskModel, rows: pa.Table, said: Sequence[Acknowledgement]) -> Standing | Lack:
    held = rows.sort_by([("day", "ascending"), ("about", "ascending")]).to_pylist()
    claims = tuple(Claim(what, tuple(row for row in held if row["what"] == what)) for what in CLAIMED)
    if not all(claim.rows for claim in claims):
        return "not_looked"
    claims = tuple(replace(c, acknowledged=tuple(a for a in said if a.alarm == c.alarm)) for c in claims)
    day = claims[0].now["day"]
    now = [row for row in held if row["day"] == day]
    inputs = sorted((row for row in now if row["what"] == "input"), key=lambda row: (-beyond(row), row["about"]))
    return Standing(
        model.name,
        model.subject_kind,
        model.hash,
        claims[0].rows[0]["day"],
        day,
        claims,
        tuple(inputs),
        next((row for row in now if row["what"] == "score"), None),
    )


def beyond(row: Row) -> float:
    """How many times as far from the training rows as chance reaches; the farther of the two distances."""
    pairs = ((row[name], row[f"{name}_limit"]) for name in ("psi", "js"))
    return float(max((far / limit for far, limit in pairs if limit), default=0.0))


@dataclass(frozen=True)
class Said:
    """A standing in words: the state, why it is so, and what to do."""

    state: str
    because: tuple[str, ...]
    do: str
    counted: str
    promise: str


def in_words(found: Standing, language: Language) -> Said:
    """State, causes and what to do."""
    say = language.say
    calibration = found.claims[0]
    if found.since is not None:
        state = say("watch.state.alarm", day=language.day(found.since))
        because = tuple(_because(found, claim, language) for claim in found.alarms)
        both = {claim.what for claim in found.alarms}
        do = say("watch.do.calibration" if "calibration" in both else "watch.do.prevalence", name=found.name)
    elif found.state == "quiet":
        state, because = say("watch.state.quiet"), (_seen(calibration, language),)
        do = say("watch.do.quiet")
    else:
        wanted = calibration.now["needed"]
        have = language.number(calibration.now["rows"], decimals=0)
        state = say(SENTENCES[found.kind]["too_few"], n=have, m=_number(wanted, language))
        because, do = (_seen(calibration, language),), say(SENTENCES[found.kind]["do.too_few"])
    return Said(
        state, because, do, _counted(found, language), say("watch.promise", n=language.per_hundred(FALSE_ALARMS))
    )


def claim_in_words(claim: Claim, language: Language) -> str:
    """How one claim stands, in a word or two."""
    now = claim.now
    if now["state"] == "alarm":
        return language.say("watch.state.alarm", day=language.day(now["since"]))
    if now["state"] == "quiet":
        return language.say("watch.state.quiet")
    if now["needed"] is None:
        return language.say("watch.claim.never")
    have = language.number(now["rows"], decimals=0)
    return language.say("watch.claim.too_few", n=have, m=_number(now["needed"], language))


def acknowledged_in_words(said: Acknowledgement, language: Language) -> str:
    """Who took notice of an alarm, and when. The reason stands beside it, since it may run the other way."""
    return language.say("watch.acknowledged.by", who=isolated(said.by), day=language.day(said.at.date()))


def _because(found: Standing, claim: Claim, language: Language) -> str:
    findings, confirmed, expected = claim.recently(claim.now["since"])
    said: dict[str, Any] = {
        "day": language.day(claim.now["since"]),
        "found": language.per_hundred(confirmed / max(findings, 1)),
        "expected": language.per_hundred(expected / max(findings, 1)),
        "n": language.number(findings, decimals=0),
    }
    if claim.what == "prevalence":
        bounds: dict[str, Any] = {name: language.per_hundred(claim.now[name]) for name in ("low", "high")}
        return language.say(SENTENCES[found.kind]["prevalence"], **said, **bounds)
    alike = abs(confirmed - expected) < ALIKE * expected
    return language.say(SENTENCES[found.kind]["order" if alike else "calibration"], **said)


def _seen(claim: Claim, language: Language) -> str:
    now = claim.now
    range_ = share(now["confirmed"], now["rows"])
    return language.say(
        "watch.seen",
        count=now["rows"],
        confirmed=language.number(now["confirmed"], decimals=0),
        expected=language.number(now["expected"], decimals=1),
        low=language.per_hundred(range_.low or 0.0),
        high=language.per_hundred(range_.high or 0.0),
    )


def _counted(found: Standing, language: Language) -> str:
    now = found.claims[0].now
    return language.say(
        SENTENCES[found.kind]["counted"],
        count=now["awaited"] or 0,
        without=language.number(now["without_finding"] or 0, decimals=0),
    )


def evidence_in_words(value: float, language: Language) -> str:
    """Evidence as it is read: beyond a million more is no more."""
    if value > MOST:
        return language.say("watch.beyond", n=language.number(MOST, decimals=0))
    return language.number(value, decimals=1 if value >= 1 else 3)


def _number(value: int | None, language: Language) -> str:
    return "?" if value is None else language.number(value, decimals=0)


def input_in_words(row: Row, kind: Literal["crossing", "permit"], language: Language) -> dict[str, str]:
    """One input as the page shows it."""
    feature = features(kind).get(row["about"])
    size = "as_learnt" if row["state"] == "as_learnt" else "large" if row["psi"] >= LARGE else "shifted"
    return {
        "name": row["about"],
        "title": titled(feature, language) if feature else row["about"],
        "group": GROUPS[feature.group][language.code] if feature else "",
        "state": language.say(LOOKS[size]),
        "size": size,
        "psi": language.number(row["psi"], decimals=3),
        "psi_limit": language.number(row["psi_limit"], decimals=3),
        "js": language.number(row["js"], decimals=3),
        "js_limit": language.number(row["js_limit"], decimals=3),
        "missing": language.per_hundred(row["missing"]),
        "missing_before": language.per_hundred(row["missing_before"]),
        "unseen": language.per_hundred(row["unseen"]),
        "unseen_before": language.per_hundred(row["unseen_before"]),
    }


def periods(claim: Claim, days: int) -> list[tuple[date, int, int, float]]:
    """First day, findings, those confirmed and those expected of each stretch of so many days."""
    told = []
    first, before = claim.rows[0]["day"], _NOTHING
    for n, row in enumerate(claim.rows):
        if (n + 1) % days == 0 or n == len(claim.rows) - 1:
            told.append((first, *_since(before, row)))
            first, before = row["day"] + timedelta(days=1), row
    return told
