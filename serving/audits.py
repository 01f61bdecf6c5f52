"""Audits by group as oversight reads them: kept whole, each under the account that asked for it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from evidence.groups import Audit
from evidence.proxies import Proxy
from records import journal
from records.journal import Actor
from serving.store import audits as table


@dataclass(frozen=True)
class Kept:
    """One audit of the model named by its hash; `by` is the account that asked."""

    purpose: str
    model: str
    made_at: datetime
    by: str
    audit: Audit
    proxies: tuple[Proxy, ...] = ()


def save(connection: sa.Connection, actor: Actor, kept: Kept) -> None:
    """Keep an audit, and let the journal hold what it said by its digest."""
    body = {"audit": kept.audit.as_json(), "proxies": [asdict(proxy) for proxy in kept.proxies]}
    row = {"purpose": kept.purpose, "model": kept.model, "made_at": kept.made_at, "account": kept.by}
    connection.execute(table.insert().values(**row, body=body))
    told = {"purpose": kept.purpose, "model": kept.model, "digest": _digest(body), "found": len(kept.audit.found)}
    journal.append(connection, kind="audited", actor=actor, payload=told)


def newest(connection: sa.Connection, purpose: str) -> Kept | None:
    """The audit of a purpose that was made last; None while there is none."""
    return next(_newest_first(connection, table.c.purpose == purpose), None)


def newest_with_proxies(connection: sa.Connection, purpose: str, model: str) -> Kept | None:
    """Of the audits of one model (by hash) that looked for what stands for an attribute, the last; None without any."""
    of_model = sa.and_(table.c.purpose == purpose, table.c.model == model)
    return next((kept for kept in _newest_first(connection, of_model) if kept.proxies), None)


def _newest_first(connection: sa.Connection, wanted: sa.ColumnElement[bool]) -> Iterator[Kept]:
    t = table.c
    asked = sa.select(t.purpose, t.model, t.made_at, t.account, t.body).where(wanted).order_by(t.number.desc())
    for row in connection.execute(asked):
        proxies = tuple(Proxy.from_json(proxy) for proxy in row.body["proxies"])
        yield Kept(row.purpose, row.model, row.made_at, row.account, Audit.from_json(row.body["audit"]), proxies)


def _digest(body: Any) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
