"""What looking at a model said, as text for a terminal and for Prefect's artifacts."""

from __future__ import annotations

from models.risk.report import table
from serving.languages import Language, language
from serving.sentences import isolated
from serving.watches import (
    CLAIMED,
    LACKS,
    Claim,
    Lack,
    Standing,
    acknowledged_in_words,
    claim_in_words,
    in_words,
    input_in_words,
)

INPUTS = 8  # that shifted most


def watched_text(name: str, found: Standing | Lack, lang: str = "en") -> str:
    """State, causes, what to do; the claims; and the inputs that shifted most."""
    reader = language(lang)
    if not isinstance(found, Standing):
        return f"{name}: {reader.say(LACKS[found])}"
    said = in_words(found, reader)
    claims = [_claim(claim, reader) for claim in found.claims]
    shown = [input_in_words(row, found.kind, reader) for row in found.inputs[:INPUTS]]
    inputs = [(i["name"], i["state"], *(f"{i[a]} ({i[b]})" for a, b in _PAIRS)) for i in shown]
    shifted = reader.say(
        "watch.inputs.shifted", count=len(found.shifted), all=reader.number(len(found.inputs), decimals=0)
    )
    parts = [
        f"{name}: {said.state}",
        *said.because,
        f"{reader.say('watch.do')}: {said.do}",
        *(f"{reader.say(CLAIMED[claim.what])}: {word}" for claim in found.alarms for word in _said_of(claim, reader)),
        f"{said.counted} {said.promise}",
        table(("claim", "stands", "findings", "needed", "confirmed", "expected", "allowed of 100", "evidence"), claims),
        f"{shifted} Something to look at, and no alarm.",
    ]
    columns = ("input", "looks", "PSI (chance)", "JS (chance)", "missing of 100 (before)", "unseen of 100 (before)")
    return "\n".join([*parts, table(columns, inputs)] if inputs else parts)


_PAIRS = (
    ("psi", "psi_limit"),
    ("js", "js_limit"),
    ("missing", "missing_before"),
    ("unseen", "unseen_before"),
)


def _said_of(claim: Claim, reader: Language) -> list[str]:
    """Who acknowledged the alarm about a claim, when and why; or that nobody did yet."""
    said = [f"{acknowledged_in_words(each, reader)}: {isolated(each.reason)}" for each in claim.acknowledged]
    return said or [reader.say("watch.acknowledged.nobody")]


def _claim(claim: Claim, reader: Language) -> tuple[str, ...]:
    now = claim.now
    return (
        reader.say(CLAIMED[claim.what]),
        claim_in_words(claim, reader),
        f"{now['rows']:,}",
        "never" if now["needed"] is None else f"{now['needed']:,}",
        f"{now['confirmed']:,}",
        f"{now['expected']:,.1f}",
        f"{100 * now['low']:.1f} to {100 * now['high']:.1f}" if now["high"] else "",
        f"{now['evidence']:.3g}",
    )
