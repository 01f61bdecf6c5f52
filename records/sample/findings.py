"""Rows of `checks`, which the posts hand in as JSON lines under names of their own, with offsets in their times."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from records.posts import offices
from records.sample.crossings import (
    Block,
    crossing_number,
    document_numbers,
    known_by_number,
    permit_files,
    unified_numbers,
)
from records.sample.horizon import DAY
from records.sample.officers import CONFIRMED, FINDINGS, NOT_CHECKED, OFFICER, RANDOM, REASONS, SELECTED_BY, Checks
from records.sample.permits import RENEWED, Sponsors
from records.sample.population import NATIONALITIES
from records.sample.risk import FINDING_KINDS
from records.sample.setting import Setting
from records.sample.strings import chosen, digits, instants, numbers, scattered, strings

Ints = npt.NDArray[np.int64]

_COLUMNS = {
    "unified_number": "numero_unifie",
    "document_number": "numero_document",
    "document_issuer": "emetteur",
    "officer_number": "matricule",
    "check_id": "controle",
    "event_kind": "objet",
    "event": "reference",
    "post": "lieu",
    "selected_by": "selection",
    "probability": "probabilite",
    "finding": "constat",
    "finding_kind": "nature",
    "not_checked_reason": "motif",
    "blind": "a_l_aveugle",
    "minutes": "duree",
    "happened_at": "fait_le",
}
_KNOWN = "connu_le"
MAPPING: Mapping[str, object] = {
    "table": "checks",
    "columns": _COLUMNS,
    "values": {
        "finding": {
            "confirme": "confirmed",
            "infirme": "refuted",
            "incertain": "inconclusive",
            "non_fait": "not_checked",
        }
    },
    "known_at": _KNOWN,
}
_FINDING_WORDS = ("confirme", "infirme", "incertain", "non_fait")
_BARE = frozenset({"probability", "blind", "minutes"})  # numbers and booleans stand without quotes


def check_rows(block: Block, setting: Setting, entry: Ints, done: Checks, kind: Ints) -> pa.Table:
    """Rows of `checks` of crossings; `entry` are the legs that checks refer to, `kind` their irregularity's."""
    index = entry[done.entry]
    legs, group = block.legs.take(index), block.group
    n = len(index)
    numbered = known_by_number(block, legs.person, legs.day)
    happened = setting.span.moment(legs.day, legs.second) + done.delay
    posts = [p.post for p in setting.where.posts]
    return _rows(
        setting,
        {
            "unified_number": unified_numbers(group, legs.person, numbered),
            "document_number": document_numbers(group, legs.holder, legs.version),
            "document_issuer": chosen(group.nationality[legs.holder], NATIONALITIES),
            "officer_number": strings(n, "M", digits(legs.post * 10 + (legs.person + legs.day) % 7, 5)),
            "check_id": strings(n, "K", crossing_number(block.first_leg, index)),
            "event_kind": chosen(np.zeros(n, dtype=np.int64), ("crossing",)),
            "event": strings(n, "C", crossing_number(block.first_leg, index)),
            "post": chosen(legs.post, posts),
        },
        done,
        kind[done.entry],
        happened,
    )


def review_rows(block: Block, setting: Setting, sponsor: Sponsors, rng: np.random.Generator) -> pa.Table:
    """Rows of `checks` of permit files: a few renewals after the first year are reviewed by chance or by choice."""
    file, group = block.file, block.group
    if file is None:
        raise ValueError("Only residents have permit files.")
    stage = file.stages
    chance = rng.random(len(stage.person))
    dubious = (sponsor.anomalous[file.sponsor] & file.sponsored)[stage.person]
    due = (stage.state == RENEWED) & (stage.day >= 365) & (stage.day < setting.span.days)
    index = np.flatnonzero(due & (chance < np.where(dubious, 0.12, 0.05)))
    n = len(index)
    who, by = stage.person[index], np.where(chance[index] < 0.01, RANDOM, OFFICER)
    irregular = rng.random(n) < np.where(dubious[index], 0.35, 0.02)
    finding = np.where(irregular, CONFIRMED, FINDINGS.index("refuted"))
    done = Checks(
        entry=index,
        selected_by=by,
        probability=np.where(by == RANDOM, 0.01, -1.0),
        finding=finding,
        reason=np.zeros(n, dtype=np.int64),
        minutes=np.rint(np.exp(rng.normal(3.4, 0.4, n))),
        delay=np.zeros(n, dtype=np.int64),
        known_after=rng.integers(DAY, 6 * DAY, n),
    )
    happened = setting.span.moment(stage.day[index], rng.integers(8 * 3600, 15 * 3600, n))
    number = digits(scattered(group.number[who] * 64 + (stage.day[index] // 90) % 64, 11), 11)
    return _rows(
        setting,
        {
            "unified_number": unified_numbers(group, who, np.ones(n, dtype=bool)),
            "document_number": document_numbers(group, who, group.document(who, stage.day[index])[0]),
            "document_issuer": chosen(group.nationality[who], NATIONALITIES),
            "officer_number": strings(n, "M", digits(50_000 + file.office[who] * 10 + who % 4, 5)),
            "check_id": strings(n, "R", number),
            "event_kind": chosen(np.zeros(n, dtype=np.int64), ("permit",)),
            "event": permit_files(group, who),
            "post": chosen(file.office[who], [o.office for o in offices()]),
        },
        done,
        np.full(n, FINDING_KINDS.index("permit_irregular")),
        happened,
    )


def _rows(setting: Setting, facts: dict[str, pa.Array], done: Checks, kind: Ints, happened: Ints) -> pa.Table:
    carried_out = done.finding != NOT_CHECKED
    known = happened + done.known_after
    rows = pa.table(
        {
            **facts,
            "selected_by": chosen(done.selected_by, SELECTED_BY),
            "probability": numbers(done.probability, pa.float64(), done.probability >= 0),
            "finding": chosen(done.finding, _FINDING_WORDS),
            "finding_kind": chosen(kind, FINDING_KINDS, done.finding == CONFIRMED),
            "not_checked_reason": chosen(done.reason, REASONS, ~carried_out),
            "blind": numbers(done.selected_by == RANDOM, pa.bool_()),
            "minutes": numbers(done.minutes, pa.float64(), carried_out),
            "happened_at": instants(happened),
            "known_at": instants(known),
        }
    )
    return rows.filter(pa.array(known < setting.span.now))


def json_lines(rows: pa.Table) -> str:
    """The rows as JSON lines: their names, local times with offset, null where nothing is known."""
    parts: list[pa.Array | str] = []
    for position, name in enumerate(rows.column_names):
        column = rows[name].combine_chunks()
        if pa.types.is_timestamp(column.type):
            local = pc.add(column.cast(pa.timestamp("s", tz="UTC")), pa.scalar(3_600, pa.duration("s")))
            # Written with a space between day and time, as Arrow prints it.
            column = pc.binary_join_element_wise(local.cast(pa.timestamp("s")).cast(pa.string()), "+01:00", "")
        text = column.cast(pa.string())
        if name not in _BARE:
            text = pc.binary_join_element_wise('"', text, '"', "")
        theirs = _KNOWN if name == "known_at" else _COLUMNS[name]
        parts += [f'{"{" if position == 0 else ", "}"{theirs}": ', pc.fill_null(text, "null")]
    return "\n".join(pc.binary_join_element_wise(*parts, "}", "").to_pylist()) + "\n"
