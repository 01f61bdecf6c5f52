"""Rows of `crossings`: what the posts and the carriers report, including what is late, corrected or sent twice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from records.posts import governorates
from records.sample.horizon import DAY
from records.sample.journeys import Journeys
from records.sample.legs import Legs
from records.sample.officers import SHIFTS, shift_of
from records.sample.parameters import COMMUTER, CREW, DIPLOMAT, KINDS, RESIDENT, TRUCKER, Parameters
from records.sample.permits import Files
from records.sample.places import MODES, Places
from records.sample.population import NATIONALITIES, NEEDS_VISA, People
from records.sample.services import DIRECTIONS, ENTRY
from records.sample.setting import Setting
from records.sample.strings import Bytes, chosen, days, digits, instants, numbers, scattered, strings, table_of

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

ACTUAL, ADVANCE = 0, 1
DOCUMENT_TYPES = ("passport", "identity_card", "diplomatic", "crew")
_LETTERS = table_of([code[0] + code[-1] for code in NATIONALITIES])
_PREFIX = table_of(["C", "A"])
_LETTER = table_of(SHIFTS)
_GOVERNORATES = tuple(g.governorate for g in governorates())


@dataclass(frozen=True)
class Block:
    """What the rows of one block are told from; numbers from `first_leg` and `first_journey` on are its own."""

    group: People
    journeys: Journeys
    legs: Legs
    file: Files | None
    first_leg: int
    first_journey: int


@dataclass(frozen=True)
class Reports:
    """One row per report: the leg it is about, its kind, when it was known (UTC seconds) and the file it came in.

    `moved` days earlier is when the traveller was first booked; `corrected` reports replace an
    earlier one, `repeated` ones say the same again.
    """

    leg: Ints
    kind: Ints
    known: Ints
    moved: Ints
    corrected: Mask
    repeated: Mask
    part: Ints


def crossing_number(first_leg: int, leg: Ints) -> Bytes:
    """The eleven digits of the source's numbers of crossings."""
    return digits(scattered(first_leg + leg, 11), 11)


def unified_numbers(group: People, person: Ints, valid: Mask) -> pa.Array:
    """Ten digits per person, null where not `valid`."""
    if not valid.any():
        return pa.nulls(len(person), pa.string())
    return strings(len(person), digits(scattered(group.number[person], 10), 10), valid=valid)


def document_numbers(group: People, holder: Ints, version: Ints, valid: Mask | None = None) -> pa.Array:
    """Two letters and nine digits per document, null where not `valid`."""
    number = digits(scattered(group.number[holder] * 8 + version % 8, 9), 9)
    return strings(len(holder), _LETTERS[group.nationality[holder]], number, valid=valid)


def permit_files(group: People, person: Ints, valid: Mask | None = None) -> pa.Array:
    """The number of each person's permit file, null where not `valid`."""
    if valid is not None and not valid.any():
        return pa.nulls(len(person), pa.string())
    return strings(len(person), "F", digits(scattered(group.number[person], 9), 9), valid=valid)


def known_by_number(block: Block, person: Ints, day: Ints) -> Mask:
    """Whether the booth knows a person by unified number on a day: residents from their first permit on."""
    if block.file is None:
        return np.asarray(block.group.unified[person])
    return np.asarray(block.file.granted[0][person] <= day)


def reports(block: Block, setting: Setting, rng: np.random.Generator) -> Reports:
    """What is reported about a block's legs until the end of the horizon, ordered by file."""
    legs, span, parameters = block.legs, setting.span, setting.parameters
    n = len(legs)
    happened = span.moment(legs.day, legs.second)
    lag = rng.integers(60, 50 * 60, n)
    late = np.flatnonzero(rng.random(n, dtype=np.float32) < parameters.late_records)
    lag[late] += rng.integers(DAY // 2, 12 * DAY, len(late))
    actual = np.flatnonzero(legs.recorded & (legs.day < span.days))
    advance = np.flatnonzero(legs.lead >= 0)
    announced = span.moment(legs.day[advance], legs.scheduled[advance]) - legs.lead[advance]
    # Some travellers were booked on an earlier day first: announcements that no crossing follows.
    moved = advance[rng.random(len(advance), dtype=np.float32) < parameters.no_shows]
    earlier = rng.integers(1, 20, len(moved))
    first_announced = span.moment(legs.day[moved] - earlier, legs.scheduled[moved]) - legs.lead[moved]
    known = happened[actual] + lag[actual]
    again = rng.random(len(actual), dtype=np.float32)
    fixed = np.flatnonzero(again < parameters.corrections)
    twice = np.flatnonzero(again > 1 - parameters.duplicates)
    nothing = np.zeros(len(advance) + len(actual), dtype=np.int64)

    leg = np.concatenate([actual, advance, moved, actual[fixed], actual[twice]])
    kind = np.repeat(
        [ACTUAL, ADVANCE, ADVANCE, ACTUAL, ACTUAL], [len(actual), len(advance), len(moved), len(fixed), len(twice)]
    )
    known = np.concatenate(
        [known, announced, first_announced, known[fixed] + rng.integers(DAY, 5 * DAY, len(fixed)), known[twice]]
    )
    shift = np.concatenate([nothing, earlier, np.zeros(len(fixed) + len(twice), dtype=np.int64)])
    corrected = np.zeros(len(leg), dtype=bool)
    corrected[len(nothing) + len(moved) : len(nothing) + len(moved) + len(fixed)] = True
    part = setting.halves[np.clip((known - span.start) // DAY, 0, span.days)]
    # Half of what is sent twice comes again with the next delivery.
    part[len(part) - len(twice) :] += np.arange(len(twice)) % 2
    repeated = np.arange(len(leg)) >= len(leg) - len(twice)
    np.minimum(part, setting.halves[-1], out=part)
    in_time = (known < span.now) & (legs.day[leg] - shift >= 0)
    order = np.flatnonzero(in_time)
    order = order[np.argsort(part[order].astype(np.uint8), kind="stable")]
    return Reports(
        leg=leg[order],
        kind=kind[order],
        known=known[order],
        moved=shift[order],
        corrected=corrected[order],
        repeated=repeated[order],
        part=part[order],
    )


def crossing_rows(block: Block, setting: Setting, told: Reports) -> pa.Table:
    """The reports as rows of `crossings`, in their order."""
    group, legs, span = block.group, block.legs.take(told.leg), setting.span
    journeys = block.journeys
    n = len(legs)
    actual = told.kind == ACTUAL
    day = legs.day - told.moved
    entry = legs.direction == ENTRY
    household = group.household[legs.person]
    number = group.number[legs.person]
    party = group.household_size[household]
    journey = block.first_journey + legs.journey
    numbered = known_by_number(block, legs.person, legs.day)
    permitted = numbered & (block.file is not None)
    booked = (legs.slot >= 0) | (party > 1)
    # An announcement that no crossing follows has a number of its own.
    crossing = crossing_number(block.first_leg, np.where(told.moved > 0, told.leg + len(block.legs), told.leg))
    child = group.child[legs.person]
    foreign = KINDS[group.kind].assessable
    planned = journeys.planned[legs.journey] + np.where(told.corrected, 7, 0)
    stays = entry & actual & foreign & ~journeys.absence[legs.journey] & (group.kind not in (RESIDENT, COMMUTER))
    where_to = np.where(
        household % 2 == 0, _governorate_of(setting.where)[legs.post], household * 7_919 % len(_GOVERNORATES)
    )
    booking = digits(scattered(journey, 10), 10)
    visa = entry & NEEDS_VISA[group.nationality[legs.person]] & ~permitted & (group.kind not in (DIPLOMAT, CREW))
    happened = span.moment(day, np.where(actual, legs.second, legs.scheduled))
    origin = span.origin
    return pa.table(
        {
            "unified_number": unified_numbers(group, legs.person, numbered),
            "document_number": document_numbers(group, legs.holder, legs.version),
            "document_issuer": chosen(group.nationality[legs.holder], NATIONALITIES),
            "booking_reference": strings(n, "B", booking, valid=booked),
            "crossing_id": strings(n, _PREFIX[told.kind], crossing),
            "kind": chosen(told.kind, ("actual", "advance")),
            "linked_crossing": strings(n, "A", crossing, valid=actual & (legs.lead >= 0)),
            "post": chosen(legs.post, [p.post for p in setting.where.posts]),
            "direction": chosen(legs.direction, DIRECTIONS),
            "mode": chosen(setting.where.mode[legs.post], MODES),
            "service": setting.plan.names(legs.slot, day, setting.stamps, legs.slot >= 0)
            if len(setting.plan.post)
            else pa.nulls(n, pa.string()),
            "document_type": chosen(_document_type(group.kind, number), DOCUMENT_TYPES),
            "document_issued_on": days(origin + legs.issued),
            "document_expires_on": days(origin + legs.issued + group.validity),
            "party_size": numbers(party, pa.int64()),
            "declared_guardian": numbers(_guarded(number, party, setting.parameters), pa.bool_(), child),
            "permit_file": permit_files(group, legs.person, permitted & ((block.first_leg + told.leg) % 33 != 0)),
            "visa_reference": strings(n, "V", booking, valid=visa),
            "declared_stay_days": numbers(planned, pa.int64(), stays),
            "address_governorate": chosen(where_to, _GOVERNORATES, entry & actual & foreign & (journey % 17 != 0)),
            "booth_wait_minutes": numbers(
                legs.wait.astype(np.float64) + np.where(told.corrected & ~stays, 1.5, 0.0), pa.float64(), actual
            ),
            "shift": strings(n, setting.stamps[day], "-", _LETTER[shift_of(legs.second)], valid=actual),
            "happened_at": instants(happened),
            "known_at": instants(told.known),
        }
    )


def _document_type(kind: int, number: Ints) -> Ints:
    if kind == DIPLOMAT:
        return np.full(len(number), DOCUMENT_TYPES.index("diplomatic"))
    if kind == CREW:
        return np.full(len(number), DOCUMENT_TYPES.index("crew"))
    with_card = kind in (COMMUTER, TRUCKER)
    return np.where((number % 5 < 2) & with_card, DOCUMENT_TYPES.index("identity_card"), 0)


def _guarded(number: Ints, party: Ints, parameters: Parameters) -> Mask:
    """Whether a child of that number has a declared guardian: half of those alone have none."""
    return np.where(party == 1, number % 2 == 0, number % 997 >= parameters.undeclared_guardians * 997)


def _governorate_of(where: Places) -> Ints:
    return np.array([_GOVERNORATES.index(p.governorate) for p in where.posts])
