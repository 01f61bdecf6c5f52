"""Hand-made crossings with something plausible observed for each, and how a batch assesses them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pyarrow as pa

from features.catalogue import features
from features.spine import CROSSING_COLUMNS
from records.tables import table
from serving.assess import assess, needed_features

DAY = datetime(2026, 3, 2, 8, tzinfo=UTC)
PURPOSE = "secondary_check"
READS = ("entries_last_90_days", "document_age_days", "permit_state", "origin_new_for_traveller")
ARROW = {"number": pa.float64(), "boolean": pa.bool_(), "string": pa.string()}


def crossing(number: int, **columns) -> dict:
    """One crossing of the newest day; `columns` change it."""
    return {
        "event": f"C{number:04}",
        "subject": f"k1.person{number:04}",
        "as_of": DAY + timedelta(minutes=number),
        "happened_at": DAY + timedelta(minutes=number),
        "post": ("tunis-carthage", "ras-jedir")[number % 2],
        "shift": "2026-03-02 morning",
        "direction": "entry",
        "mode": "air",
        "service": "TU 723",
        "document_type": "passport",
        "party_size": 1 + number % 3,
        "declared_stay_days": 12,
        "address_governorate": "tunis",
        "regime": "visa_exempt",
        "under_18": False,
        **columns,
    }


def spine(rows) -> pa.Table:
    declared = {c.name: c.type.arrow for c in table("crossings").lake_columns}
    instant = pa.timestamp("us", tz="UTC")
    schema = pa.schema(
        [("event", pa.string()), ("subject", pa.string()), ("as_of", instant), ("happened_at", instant)]
        + [(name, declared[name]) for name in CROSSING_COLUMNS]
        + [("shift", pa.string())]
    )
    return pa.Table.from_pylist(list(rows), schema=schema)


def values(of: pa.Table, names, observed=lambda event: {}) -> pa.Table:
    """Features of a spine: those that `observed` says of an event's number, null where nothing was observed."""
    known = features("crossing")
    given = [observed(event) for event in of["event"].to_pylist()]
    columns = {name: pa.array([g.get(name) for g in given], ARROW[known[name].type]) for name in names if name in known}
    return pa.table({**{c: of[c] for c in ("event", "subject", "as_of")}, **columns})


def plausible(event: str) -> dict:
    """Something plausible for a crossing, from its number."""
    n = int(event[1:])
    return {
        "entries_last_90_days": float(n * 7 % 30),
        "document_age_days": float(n * 397 % 3000),
        "permit_state": ("granted", None, "refused")[n % 3],
        "origin_new_for_traveller": n % 2 == 0,
        "days_to_document_expiry": float(40 + n),
        "document_reported_stolen": n % 11 == 5,
    }


def assessed(rows, model, rulebook, protection=None, *, observed=plausible, **options):
    """The crossings `rows`, assessed as a batch does it, with what `observed` says of each."""
    rows = list(rows)
    of = spine(rows)
    names = needed_features(PURPOSE, model, rulebook, protection)
    return assess(
        of,
        values(of, names, observed),
        **{
            "purpose": PURPOSE,
            "model": model,
            "rulebook": rulebook,
            "protection": protection,
            "mode": "demo",
            "data_versions": {"crossings": 3},
            **options,
        },
    )


def newest_day(model, rulebook, protection):
    """A day to look at: twelve that are assessed, the lowest of them blind; nationals, and a child alone."""
    rows = [crossing(n, **({"regime": "national"} if n % 5 == 4 else {})) for n in range(15)]
    rows.append(crossing(77, under_18=True, declared_guardian=False, party_size=1))
    batch = assessed(rows, model, rulebook, protection)
    lowest = min((a for a in batch if a.assessable), key=lambda a: a.raw)
    return [replace(a, blind=a is lowest, why="random" if a is lowest else None) for a in batch]
