"""Explain one stored assessment to whoever is signed in on the command line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from pipelines.steps.signing_in import signed_in_actor
from records.errors import BadInput
from records.journal import Actor
from records.settings import Settings
from serving import dossiers
from serving.accounts import NotAllowed
from serving.dossier_forms import as_json, as_page, as_text
from serving.house import open_house

SHOWN = 20  # differences listed


def explained(settings: Settings, id: str, audience: str, code: str, form: str) -> str:
    """The explanation as text, JSON or a page that stands alone. BadInput for what is unknown, blind or not allowed."""
    house = open_house(settings)
    actor = signed_in_actor(settings, house)
    with _said(actor):
        told = dossiers.explanation(house, actor, id, audience, code, form=form)
    if form == "json":
        return json.dumps(as_json(told), ensure_ascii=False, indent=1) + "\n"
    return as_page(told, alone=True) if form == "page" else as_text(told)


def replayed(settings: Settings, id: str) -> tuple[bool, str]:
    """Whether the dossier made again is the same, and what to say about it."""
    house = open_house(settings)
    actor = signed_in_actor(settings, house)
    with _said(actor):
        again = dossiers.replay(house, actor, id)
    if again.same:
        return True, f"The same, byte for byte: made again from its own inputs, {id} has the digest {again.digest}."
    more = len(again.differs) - SHOWN
    listed = [f"  {difference}" for difference in again.differs[:SHOWN]]
    if more > 0:
        listed.append(f"  and {more} more")
    what = (
        "in its words alone, since texts were changed; every figure comes out as it did"
        if again.words_alone
        else "in what it says"
    )
    return False, "\n".join([f"Not the same: made again, {id} differs {what}. As frozen, and as made now:", *listed])


@contextmanager
def _said(actor: Actor) -> Iterator[None]:
    """What a role may not see, in one sentence."""
    try:
        yield
    except NotAllowed as refused:
        raise BadInput(
            f"No role of '{actor.name}' ({', '.join(sorted(actor.roles))}) was granted {refused}. Sign in with an "
            "account whose role covers it, or ask an administrator."
        ) from None
