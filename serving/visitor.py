"""Who sends a request: a bearer token or a page's session, and what protects the forms of that session."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import urlsplit

import sqlalchemy as sa
from fastapi import Depends, Request

from records.journal import Actor
from serving import accounts
from serving.capabilities import Capability, may
from serving.problems import Problem

COOKIE = "basira_session"


@dataclass(frozen=True)
class Visitor:
    """A signed-in person or machine. `by_page` is true where a cookie, not a header, brought the token."""

    actor: Actor
    token: str = field(repr=False)
    form_key: str = field(repr=False)
    by_page: bool

    def may(self, capability: Capability) -> bool:
        return may(self.actor.roles, capability)


def visitor(request: Request, engine: sa.Engine) -> Visitor | None:
    """Who sends `request`; None without a valid token. A bearer token goes before a cookie."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    bearer = given.strip() if scheme.lower() == "bearer" else ""
    token = bearer or request.cookies.get(COOKIE, "")
    if not token:
        return None
    with engine.connect() as connection:
        known = accounts.signed_in(connection, token)
    return Visitor(known.actor, token, known.form_key, by_page=not bearer) if known else None


def signed_in(request: Request) -> Visitor:
    """Who sends a request that needs a token; a 401 problem without a valid one."""
    found = visitor(request, request.app.state.house.engine)
    if found is None:
        raise not_signed_in()
    return found


SignedIn = Annotated[Visitor, Depends(signed_in)]


class NobodyOnPage(Exception):
    """A page was asked for by nobody who is signed in: they are led to where one signs in."""


def on_page(request: Request) -> Visitor:
    """Who opens a page; NobodyOnPage without a valid session."""
    found = visitor(request, request.app.state.house.engine)
    if found is None:
        raise NobodyOnPage
    return found


OnPage = Annotated[Visitor, Depends(on_page)]


def with_own_token(who: SignedIn) -> Visitor:
    """Who sends a request that changes something by the API: a page's session cannot, so that no other site can make
    a browser send it."""
    if who.by_page:
        raise Problem(
            403,
            "A page's session cannot ask for this",
            "This request changes nothing on a page, so it is taken with a bearer token only.",
            "Send 'Authorization: Bearer TOKEN'; `basira login` gets a token.",
        )
    return who


WithOwnToken = Annotated[Visitor, Depends(with_own_token)]


def require(who: Visitor, capability: Capability) -> None:
    """A 403 problem where no role of `who` was granted `capability`."""
    if not who.may(capability):
        raise not_allowed(capability.value)


def same_site(request: Request) -> bool:
    """Whether a form was sent from a page of this server, as far as the browser says."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


def from_own_form(request: Request, visitor: Visitor, form_key: str) -> bool:
    """Whether a form carries the key of the session that sends it."""
    return same_site(request) and hmac.compare_digest(form_key.encode(), visitor.form_key.encode())


def not_signed_in() -> Problem:
    return Problem(
        401,
        "No valid token",
        "Everything but /healthz needs a token of a named account, and this request brought none that is valid.",
        "Send 'Authorization: Bearer TOKEN'; `basira login` gets a token.",
    )


def not_allowed(what: str) -> Problem:
    return Problem(
        403,
        "Not covered by your roles",
        f"No role of this account was granted {what}.",
        "Use an account whose role covers it, or ask an administrator.",
    )
