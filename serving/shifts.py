"""Shifts planned for random control: probability and commitment go to the journal before, the secret after.

Anyone who reads the journal can draw again and find the same events. A shift is planned once; planning it again
changes nothing, so that nobody can draw until the result pleases.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

import sqlalchemy as sa

from records import journal
from records.journal import Actor
from risk_rules.lanes import new_secret, plan
from serving.selection import Shift, ShiftKey
from serving.store import shifts


@dataclass(frozen=True)
class ToPlan:
    """A shift to come: the checks it can do, and how many assessable events are expected (above 0)."""

    post: str
    shift: str
    capacity: int
    expected: float


def plan_shifts(connection: sa.Connection, actor: Actor, wanted: Iterable[ToPlan]) -> dict[ShiftKey, Shift]:
    """The shifts asked for, those not planned before planned now. BadInput for a capacity or number that cannot be."""
    asked = list(wanted)
    found = planned(connection, [(w.post, w.shift) for w in asked])
    new = {(w.post, w.shift): w for w in asked if (w.post, w.shift) not in found}
    logged = []
    for key, w in sorted(new.items()):
        secret = new_secret()
        made = plan(w.post, w.shift, capacity=w.capacity, expected=w.expected, secret=secret)
        row = {"post": w.post, "shift": w.shift, "capacity": w.capacity, "expected": w.expected, "p": made.p}
        connection.execute(shifts.insert().values(**row, secret=secret))
        logged.append(row | {"commitment": made.commitment})
        found[key] = Shift(w.post, w.shift, w.capacity, made.p, secret)
    if logged:
        journal.append(connection, kind="shifts_planned", actor=actor, payload={"shifts": logged})
    return found


def planned(connection: sa.Connection, keys: Iterable[ShiftKey]) -> dict[ShiftKey, Shift]:
    """Those of the shifts that were planned."""
    wanted = set(keys)
    s = shifts.c
    asked = sa.select(s.post, s.shift, s.capacity, s.p, s.secret).where(s.shift.in_({shift for _, shift in wanted}))
    found = [Shift(r.post, r.shift, r.capacity, r.p, r.secret) for r in connection.execute(asked)]
    return {(s.post, s.shift): s for s in found if (s.post, s.shift) in wanted}


def over(connection: sa.Connection, day: date) -> list[ShiftKey]:
    """Shifts of days before `day` whose secret is not published yet; a shift's name begins with its day, YYYYMMDD."""
    s = shifts.c
    past = sa.and_(s.published_at.is_(None), s.shift < f"{day:%Y%m%d}")
    return [(post, shift) for post, shift in connection.execute(sa.select(s.post, s.shift).where(past))]


def publish(
    connection: sa.Connection, actor: Actor, over: Iterable[ShiftKey], *, now: datetime | None = None
) -> Mapping[ShiftKey, str]:
    """Write the secrets of shifts that are over to the journal, once; those newly published, in hexadecimal."""
    s = shifts.c
    published: dict[ShiftKey, str] = {}
    for post, shift in sorted(set(over)):
        this = sa.and_(s.post == post, s.shift == shift, s.published_at.is_(None))
        secret = connection.scalar(sa.select(s.secret).where(this))
        if secret is not None:
            connection.execute(shifts.update().where(this).values(published_at=now or datetime.now(UTC)))
            published[post, shift] = secret.hex()
    if published:
        told = [{"post": post, "shift": shift, "secret": secret} for (post, shift), secret in published.items()]
        journal.append(connection, kind="shifts_published", actor=actor, payload={"shifts": told})
    return published
