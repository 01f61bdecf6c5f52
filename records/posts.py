"""Tunisia's border posts, foreigners' offices and governorates, as reference data.

The places, their names and what they serve are real. Hours, booths, staff and `weight` (a relative size) are orders of
magnitude chosen for the sample world; the authority's own supply of `posts` and `offices` replaces them.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from importlib import resources

import pyarrow as pa

from records.schema import Table
from records.tables import table


@dataclass(frozen=True)
class Governorate:
    """One of the 24 governorates; `weight` is its relative share of resident foreigners."""

    governorate: str
    name_ar: str
    name_fr: str
    name_en: str
    weight: float


@dataclass(frozen=True)
class Post:
    """A border post. `neighbour` is the country on the other side of a land crossing (ISO 3166 alpha-3), else None."""

    post: str
    name_ar: str
    name_fr: str
    name_en: str
    governorate: str
    mode: str
    neighbour: str | None
    opens_hour: int
    closes_hour: int
    booths: int
    staff: int
    checks_per_shift: int
    weight: float


@dataclass(frozen=True)
class Office:
    """A foreigners' office, one per delegation that has one. `promised_days` is its promised time to decision."""

    office: str
    name_ar: str
    name_fr: str
    name_en: str
    governorate: str
    desks: int
    staff: int
    promised_days: int
    weight: float


@cache
def governorates() -> tuple[Governorate, ...]:
    """The 24 governorates, in the official order from north to south."""
    return tuple(
        Governorate(r["governorate"], r["name_ar"], r["name_fr"], r["name_en"], float(r["weight"]))
        for r in _rows("governorates.csv")
    )


@cache
def posts() -> tuple[Post, ...]:
    """Every border post: airports, then ports, then land crossings."""
    return tuple(
        Post(
            post=r["post"],
            name_ar=r["name_ar"],
            name_fr=r["name_fr"],
            name_en=r["name_en"],
            governorate=r["governorate"],
            mode=r["mode"],
            neighbour=r["neighbour"] or None,
            opens_hour=int(r["opens_hour"]),
            closes_hour=int(r["closes_hour"]),
            booths=int(r["booths"]),
            staff=int(r["staff"]),
            checks_per_shift=int(r["checks_per_shift"]),
            weight=float(r["weight"]),
        )
        for r in _rows("posts.csv")
    )


@cache
def offices() -> tuple[Office, ...]:
    """The 70 foreigners' offices, governorate by governorate."""
    return tuple(
        Office(
            office=r["office"],
            name_ar=f"مكتب الأجانب – {r['delegation_ar']}",
            name_fr=f"Bureau des étrangers – {r['delegation']}",
            name_en=f"Foreigners' office – {r['delegation']}",
            governorate=r["governorate"],
            desks=int(r["desks"]),
            staff=int(r["staff"]),
            promised_days=int(r["promised_days"]),
            weight=float(r["weight"]),
        )
        for r in _rows("offices.csv")
    )


def post_rows(known_at: datetime) -> pa.Table:
    """The posts as rows of the table `posts`, known (and in force) from `known_at`, which needs a time zone."""
    return _as_table(posts(), table("posts"), known_at)


def office_rows(known_at: datetime) -> pa.Table:
    """The offices as rows of the table `offices`, known (and in force) from `known_at`, which needs a time zone."""
    return _as_table(offices(), table("offices"), known_at)


def _rows(name: str) -> list[dict[str, str]]:
    written = resources.files("records").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(written.splitlines()))


def _as_table(places: Sequence[Post] | Sequence[Office], declared: Table, known_at: datetime) -> pa.Table:
    if known_at.tzinfo is None:
        raise ValueError(f"known_at {known_at} has no time zone. Give one, such as UTC.")
    times = {"happened_at": known_at, "known_at": known_at}
    return pa.Table.from_pylist([asdict(place) | times for place in places], schema=declared.lake_schema)
