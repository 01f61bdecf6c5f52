"""Numbers of a run as planners read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from models.volumes.rhythm import COLUMNS, MEDIAN
from serving.languages import Language

# Classes by regime; spelled out so that no text is without use.
CLASSES = (
    "class.national",
    "class.resident",
    "class.visa",
    "class.visa_exempt",
    "class.crew",
    "class.diplomat",
    "class.other",
)
SENTENCES: Mapping[str, str] = {"day": "now.day", "month": "now.month"}
LOW, HIGH = COLUMNS.index("q0.1"), COLUMNS.index("q0.9")


def row_in_words(row: Mapping[str, Any], reader: Language) -> tuple[str, str]:
    return count_in_words(row["mean"], reader), between_in_words(row[COLUMNS[LOW]], row[COLUMNS[HIGH]], reader)


def class_in_words(name: str, reader: Language) -> str:
    """A class of travellers: a regime, or those that are told together."""
    return reader.say_or(f"class.{name}", name)


def running_in_words(running: Mapping[str, Mapping[str, Any]], reader: Language) -> list[str]:
    """The running day and month of a flow, in a sentence each; broken feeds; days without a count."""
    said = []
    for period, row in running.items():
        when = (
            reader.weekday(row["ds"].date())
            if period == "day"
            else f"{reader.month_name(row['ds'].month)} {row['ds'].year}"
        )
        sentence = reader.say(
            SENTENCES[period],
            when=when,
            time=f"{row['until']:%H:%M}",
            so_far=count_in_words(row["so_far"], reader),
            expected=count_in_words(row[COLUMNS[MEDIAN]], reader),
            between=between_in_words(row[COLUMNS[LOW]], row[COLUMNS[HIGH]], reader),
            forecast=count_in_words(row["forecast"], reader),
        )
        said.append(sentence[:1].upper() + sentence[1:])
        if period == "day" and row["silent"]:
            said.append(reader.say("now.silent", count=row["silent"]))
        if row["uncounted"]:
            said.append(reader.say("now.uncounted", count=row["uncounted"]))
    return said


def between_in_words(low: float, high: float, reader: Language) -> str:
    return reader.say("flows.between", low=count_in_words(low, reader), high=count_in_words(high, reader))


def count_in_words(value: float | None, reader: Language) -> str:
    """A number of persons: whole from ten on; a dash where it is not known."""
    if value is None or not np.isfinite(value):
        return "–"
    return reader.number(value, decimals=1 if abs(value) < 10 else 0)


def signed_in_words(part: float, reader: Language) -> str:
    return ("+" if part > 0 else "\u2212" if part < 0 else "") + reader.share(abs(part))


def share_in_words(value: float | None, reader: Language) -> str:
    return "–" if value is None or not np.isfinite(value) else reader.share(value)


def number_in_words(value: float | None, reader: Language) -> str:
    return "–" if value is None or not np.isfinite(value) else reader.number(value, decimals=3)
