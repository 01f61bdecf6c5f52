"""Rows about persons: who they are (`travellers`), which papers belong together (`links`), what authorities entered
about their papers (`alerts`)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from records.posts import offices
from records.sample.crossings import Block, document_numbers, unified_numbers
from records.sample.horizon import DAY
from records.sample.journeys import Journeys
from records.sample.names import ARABIC, LATIN, full_names
from records.sample.parameters import RESIDENT
from records.sample.permits import NEVER
from records.sample.population import ARABIC_SCRIPT, NATIONALITIES, People, epoch_birth
from records.sample.setting import Setting
from records.sample.strings import chosen, days, digits, instants, scattered, strings

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
_OFFICES = tuple(o.office for o in offices())


@dataclass(frozen=True)
class Seen:
    """Per person who travels: days of the first and last journey's first leg, and versions of the document then."""

    person: Ints
    first: Ints
    last: Ints
    version: Ints
    last_version: Ints


def seen(group: People, journeys: Journeys) -> Seen:
    """What the authority could know of each person of a block from journeys alone."""
    households = np.arange(len(group.household_size))
    starts = np.searchsorted(journeys.household, households)
    ends = np.searchsorted(journeys.household, households, side="right")
    person = np.flatnonzero((ends > starts)[group.household])
    household = group.household[person]
    first, last = journeys.first[starts[household]], journeys.first[ends[household] - 1]
    return Seen(person, first, last, group.document(person, first)[0], group.document(person, last)[0])


def traveller_rows(block: Block, setting: Setting, known: Seen) -> pa.Table:
    """One row per person and key: by unified number, or by each travel document of a person without one."""
    group, span = block.group, setting.span
    person, first = known.person, known.first
    if block.file is None:
        numbered, from_day = group.unified[person], first
    else:
        from_day = block.file.granted[0][person]
        numbered = from_day < span.days
    papers = ~numbered if block.file is None else first < from_day
    renewed = papers & (known.last_version > known.version) & (block.file is None)
    index = np.concatenate([np.flatnonzero(numbered), np.flatnonzero(papers), np.flatnonzero(renewed)])
    by_number = np.arange(len(index)) < numbered.sum()
    by_new = np.arange(len(index)) >= numbered.sum() + papers.sum()
    who = person[index]
    version = np.where(by_new, known.last_version[index], known.version[index])
    day = np.select([by_number, by_new], [from_day[index], known.last[index]], first[index])
    # A traveller announced ahead is known ahead: four days cover the earliest announcement.
    happened = span.moment(day, np.full(len(day), 6 * 3600)) - np.where(by_number, 0, 5 * DAY)
    office = block.file.office[who] if block.file is not None else np.zeros(len(who), dtype=np.int64)
    rows = pa.table(
        {
            "unified_number": unified_numbers(group, who, by_number),
            "document_number": document_numbers(group, who, version),
            "document_issuer": chosen(group.nationality[who], NATIONALITIES),
            "key_kind": chosen(np.where(by_number, 0, 1), ("unified_number", "document")),
            "office": chosen(office, _OFFICES, by_number & (block.file is not None)),
            "full_name": full_names(
                np.where(ARABIC_SCRIPT[group.nationality[who]], ARABIC, LATIN), group.male[who], group.name_chance[who]
            ),
            "birth_date": days(epoch_birth(group, span)[who]),
            "sex": chosen(group.male[who].astype(np.int64), ("F", "M")),
            "nationality": chosen(group.nationality[who], NATIONALITIES),
            "happened_at": instants(happened),
            "known_at": instants(happened + 1_800),
        }
    )
    return rows.filter(pa.array(happened + 1_800 < span.now))


def link_rows(block: Block, setting: Setting, known: Seen, rng: np.random.Generator) -> pa.Table:
    """White links: a renewed passport names its predecessor; a unified number is tied to the passport it began with."""
    group, span = block.group, setting.span
    linked = rng.random(len(known.person)) < setting.parameters.renewals_linked
    if block.file is None:
        pick = linked & ~group.unified[known.person] & (known.last_version > known.version)
        day, version = known.last, known.last_version
    else:
        day = block.file.granted[0][known.person]
        pick = (known.first < day) & (day < span.days)
        version = known.version
    pick &= day < span.days - 1
    who, day, version = known.person[pick], day[pick], version[pick]
    n = len(who)
    renewal = block.file is None
    first = known.version[pick]
    nobody = np.zeros(n, dtype=bool)
    issuer = group.nationality[who]
    happened = span.moment(day, np.full(n, 5 * 3600))
    evidence = "renewed passport names its predecessor" if renewal else "one unified number given for this passport"
    return pa.table(
        {
            "first_unified_number": unified_numbers(group, who, nobody | (not renewal)),
            "first_document_number": document_numbers(group, who, first, nobody | renewal),
            "first_document_issuer": chosen(issuer, NATIONALITIES, nobody | renewal),
            "second_document_number": document_numbers(group, who, version),
            "second_document_issuer": chosen(issuer, NATIONALITIES),
            "link_id": strings(n, "L", digits(scattered(group.number[who], 10), 10)),
            "state": chosen(np.zeros(n, dtype=np.int64), ("white",)),
            "said_by": chosen(np.zeros(n, dtype=np.int64), ("booth" if renewal else "foreigners_office",)),
            "evidence": chosen(np.zeros(n, dtype=np.int64), (evidence,)),
            "happened_at": instants(happened),
            "known_at": instants(happened + 3_600),
        }
    )


def alert_days(group: People, journeys: Journeys, rng: np.random.Generator) -> Ints:
    """Per household: the day its first member's document was reported lost or stolen, NEVER for most."""
    n = len(group.household_size)
    day = np.full(n, NEVER)
    starts = np.searchsorted(journeys.household, np.arange(n))
    has = np.flatnonzero(group.stolen & (starts < len(journeys.household)))
    has = has[journeys.household[starts[has]] == has]
    day[has] = journeys.first[starts[has]] + rng.integers(-60, 90, len(has))
    return day


def alert_rows(block: Block, setting: Setting, alert_day: Ints, known: Seen, rng: np.random.Generator) -> pa.Table:
    """Alerts on lost and stolen documents, used again or not, and court orders on a few residents."""
    group, span = block.group, setting.span
    used = np.flatnonzero((alert_day >= 0) & (alert_day < span.days - 2))
    used_person = group.household_first[used]
    # Most lost documents are never seen again.
    lost = rng.random(len(known.person)) < 0.002
    lost_person, lost_day = known.person[lost], known.last[lost] + rng.integers(15, 200, int(lost.sum()))
    ordered = (rng.random(len(known.person)) < 0.004) & (group.kind == RESIDENT)
    ordered &= (known.first < known.last - 60) & (known.last > 60)
    court_person, court_day = known.person[ordered], known.last[ordered] - 30
    who = np.concatenate([used_person, lost_person, court_person])
    day = np.concatenate([alert_day[used], lost_day, court_day])
    court = np.arange(len(who)) >= len(used_person) + len(lost_person)
    keep = day < span.days - 2
    who, day, court = who[keep], day[keep], court[keep]
    n = len(who)
    by_number = court & (group.unified[who] if block.file is None else block.file.granted[0][who] <= day)
    kind = np.where(court, 2, rng.integers(0, 2, n))
    happened = span.moment(day, rng.integers(8 * 3600, 17 * 3600, n))
    first_day = span.origin + day
    authority = np.where(court, 1, 0)
    return pa.table(
        {
            "unified_number": unified_numbers(group, who, by_number),
            "document_number": document_numbers(group, who, group.document(who, day)[0]),
            "document_issuer": chosen(group.nationality[who], NATIONALITIES),
            "alert_id": strings(n, "AL", digits(scattered(group.number[who], 10), 10)),
            "kind": chosen(kind, ("document_lost", "document_stolen", "court_order")),
            "authority": chosen(authority, ("issuing authority", "court of first instance")),
            "article": chosen(authority, ("Law 1975-40, art. 13", "Code of Criminal Procedure, art. 86")),
            "valid_from": days(first_day),
            "valid_to": days(first_day + np.where(court, 180, 5 * 365)),
            "review_on": days(first_day + np.where(court, 90, 365)),
            "happened_at": instants(happened),
            "known_at": instants(happened + 7_200),
        }
    )


def fresh_issue(group: People, journeys: Journeys, rng: np.random.Generator) -> People:
    """The same people, with the documents of `fresh` households issued some days before their first journey."""
    starts = np.searchsorted(journeys.household, np.arange(len(group.household_size)))
    first = np.append(journeys.first, 0)[starts]
    issued = first[group.household] - rng.integers(3, 44, len(group.household))
    return replace(group, issued=np.where(group.fresh[group.household], issued, group.issued))
