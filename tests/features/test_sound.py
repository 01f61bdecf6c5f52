"""What would say nothing is refused when it is loaded, with the way to it and how to mend it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from features.catalogue import assemble
from features.declaration import (
    EVER,
    Feature,
    alerts,
    checks,
    count,
    crossings,
    days,
    days_in_a_row,
    days_present,
    derived,
    in_force,
    largest,
    last,
    lookup,
    mean,
    own,
    permits,
    services,
    share,
    smallest,
    time_since,
    total,
    trend,
    window,
)
from features.formulas import ratio
from records.errors import BadInput

TEXTS = {"ar": "{value}", "fr": "{value}", "en": "{value}"}


def load(feature: Feature) -> None:
    assemble({"f": Feature(feature.expression, "What it says.", "unit", TEXTS, group="papers")}, "crossing")


UNSOUND: dict[str, tuple[Callable[[], Feature], str]] = {
    "a window of no width": (
        lambda: window(count, of=crossings, per="traveller", last=days(0)),
        r"\(f → crossings\) has a window of 0:00:00.*Give a width above zero",
    ),
    "a window that ends before it begins": (
        lambda: window(count, of=crossings, per="traveller", last=-days(1)),
        "holds no rows",
    ),
    "a window of no width inside a ratio": (
        lambda: derived(ratio, window(count, of=permits, per="traveller", last=timedelta(0)), own("party_size")),
        r"\(f → permits\) has a window of 0:00:00",
    ),
    "a window that looks ahead to what is behind": (
        lambda: window(count, of=services, per="service", last=days(2), ahead=-days(2)),
        r"\(f → services\) looks -2 days, 0:00:00 ahead, which is behind.*ahead=days\(2\)",
    ),
    "a window that begins only later": (
        lambda: window(count, of=services, per="service", last=-days(1), ahead=days(2)),
        "holds no rows",
    ),
    "the time since what is announced": (
        lambda: window(time_since, of=services, per="service", last=days(2), ahead=EVER),
        "takes time_since and looks ahead.*Leave out `ahead`",
    ),
    "days present ahead": (
        lambda: window(
            days_present(9), of=crossings.where(kind=("actual", "advance")), per="traveller", last=EVER, ahead=days(9)
        ),
        "counts up to the moment from what has happened",
    ),
    "crossings that took place ahead": (
        lambda: window(count, of=crossings, per="service", last=days(2), ahead=days(2)),
        r"crossings that took place, none of which lies ahead.*kind=\(\"actual\", \"advance\"\)",
    ),
    "the trend of a text": (
        lambda: window(trend("post"), of=crossings, per="traveller", last=days(9)),
        r"\(f → crossings\) takes the trend of 'post', which is string.*distinct\(\"post\"\)",
    ),
    "the mean of a text": (
        lambda: window(mean("state"), of=permits, per="traveller", last=days(9)),
        "takes the mean of 'state'",
    ),
    "the sum of days": (
        lambda: window(total("valid_to"), of=permits, per="traveller", last=days(9)),
        "which is day and no number",
    ),
    "the largest of texts": (
        lambda: window(largest("post"), of=crossings, per="traveller", last=days(9)),
        r"no order that means anything.*last\(\"post\"\)",
    ),
    "days present of what has no direction": (
        lambda: window(days_present(365), of=permits, per="traveller", last=days(1826)),
        r"f → permits\.direction.*Columns: ",
    ),
    "days present of a table that has one": (
        lambda: window(days_present(365), of=services, per="service", last=days(1826)),
        r"Declare it of=crossings, per=\"traveller\"",
    ),
    "days in a row of a post": (
        lambda: window(days_in_a_row, of=crossings, per="post", last=days(1826)),
        "not a traveller's crossings",
    ),
    "none of the last days": (
        lambda: window(days_present(0), of=crossings, per="traveller", last=days(9)),
        "the last 0 days, which are none",
    ),
    "more days than are looked at": (
        lambda: window(days_present(365), of=crossings, per="traveller", last=days(90)),
        "from crossings of 90 days alone",
    ),
    "a condition that a closed list rules out": (
        lambda: window(count, of=crossings.where(direction="in"), per="traveller", last=days(9)),
        r"'direction' is 'in', which no row's ever is: it is one of entry, exit",
    ),
    "a share that a closed list rules out": (
        lambda: window(share(state=("expired", "lapsed")), of=permits, per="traveller", last=days(9)),
        "'state' is 'lapsed'",
    ),
    "a condition of another type": (
        lambda: window(count, of=permits.where(documents_complete="yes"), per="traveller", last=days(9)),
        "'documents_complete' is 'yes'.*it is boolean",
    ),
    "a truth where a number is due": (
        lambda: window(count, of=crossings.where(party_size=True), per="traveller", last=days(9)),
        "'party_size' is True",
    ),
    "a condition on what stands beside": (
        lambda: window(
            count, of=crossings.with_(services, on="service").where(cancelled="no"), per="traveller", last=days(9)
        ),
        "'cancelled' is 'no'",
    ),
    "a condition that allows nothing": (
        lambda: lookup("seats", of=services.where(mode=()), per="service"),
        "nothing at all",
    ),
    "an interval that is not of days": (
        lambda: in_force(of=alerts, per="document", since="happened_at"),
        "'happened_at', which is instant and no day",
    ),
}


@pytest.mark.parametrize(("declare", "why"), UNSOUND.values(), ids=list(UNSOUND))
def test_what_would_say_nothing_is_refused(declare: Callable[[], Feature], why: str) -> None:
    with pytest.raises(BadInput, match=why):
        load(declare())


SOUND = {
    "the first of days": window(smallest("booth_wait_minutes"), of=crossings, per="post", last=EVER),
    "the newest text": window(last("post"), of=crossings, per="traveller", last=days(9)),
    "a night": window(share(local_hour=(0, 1)), of=crossings, per="traveller", last=days(9)),
    "days that are all looked at": window(days_present(90), of=crossings, per="traveller", last=days(90)),
    "what is still to come": window(
        count, of=crossings.where(kind="advance"), per="service", last=days(0), ahead=days(2)
    ),
    "a flag": window(count, of=permits.where(documents_complete=False), per="traveller", last=days(9)),
    "a finding": window(
        count, of=checks.where(finding="confirmed", event_kind="crossing"), per="traveller", last=days(9)
    ),
}


@pytest.mark.parametrize("feature", SOUND.values(), ids=list(SOUND))
def test_what_says_something_is_loaded(feature: Feature) -> None:
    load(feature)
