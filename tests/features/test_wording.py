"""Declarations read as sentences."""

from __future__ import annotations

import pytest

from features.catalogue import features
from features.declaration import (
    EVER,
    Feature,
    alerts,
    checks,
    count,
    crossings,
    days,
    days_present,
    derived,
    distinct,
    hours,
    in_force,
    lookup,
    mean,
    own,
    posts,
    services,
    share,
    trend,
    window,
)
from features.formulas import is_one_of, ratio
from features.lineage import reads
from features.wording import in_words, looks_back, ways

SPOKEN = {
    "how many different post among crossings (kind actual) of the same traveller in the 365 days before": window(
        distinct("post"), of=crossings, per="traveller", last=days(365)
    ),
    "mean booth_wait_minutes over crossings (kind actual) of the same post in the hour before": window(
        mean("booth_wait_minutes"), of=crossings, per="post", last=hours(1)
    ),
    "share with local_hour 0 or 1 of crossings beside services by service (kind actual) of the same traveller and "
    "origin ever before": window(
        share(local_hour=(0, 1)), of=crossings.with_(services, on="service"), per=("traveller", "origin"), last=EVER
    ),
    "how many crossings (kind advance) of the same service ever before or announced to come": window(
        count, of=crossings.where(kind="advance"), per="service", last=EVER, ahead=EVER
    ),
    "how many different subject among crossings (kind advance) of the same party in the 2 days before or announced "
    "for the 36 hours ahead": window(
        distinct("subject"), of=crossings.where(kind="advance"), per="party", last=days(2), ahead=hours(36)
    ),
    "how many crossings (kind advance) of the same service announced for the hour ahead": window(
        count, of=crossings.where(kind="advance"), per="service", last=days(0), ahead=hours(1)
    ),
    "change of minutes per day over checks (blind yes) of the same traveller in the 36 hours before": window(
        trend("minutes"), of=checks.where(blind=True), per="traveller", last=hours(36)
    ),
    "on how many of the last 365 local days in the country, by crossings (kind actual) of the same traveller in the "
    "1,826 days before": window(days_present(365), of=crossings, per="traveller", last=days(1826)),
    "newest known booths of posts of the same post": lookup("booths", of=posts, per="post"),
    "whether one of alerts (kind entry_ban) of the same traveller holds on the local day, from valid_from to valid_to, "
    "both included": in_force(of=alerts.where(kind="entry_ban"), per="traveller"),
    "ratio(entries, is_land_or_sea(mode of the event itself))": derived(
        ratio, "entries", derived(is_one_of("land", "sea"), own("mode"), returns="boolean")
    ),
}


@pytest.mark.parametrize(("words", "feature"), SPOKEN.items(), ids=[words[:30] for words in SPOKEN])
def test_a_declaration_in_words(words: str, feature: Feature) -> None:
    assert in_words(feature.expression) == words


def test_names_of_other_features_are_written_as_asked() -> None:
    feature = derived(ratio, "a", "b")
    assert in_words(feature.expression, lambda name: f"[{name}]") == "ratio([a], [b])"


def test_how_far_back_a_feature_looks_is_said_through_what_it_is_built_on() -> None:
    narrow, wide = (window(mean("party_size"), of=crossings, per="traveller", last=days(d)) for d in (1, 1826))
    ever = window(mean("party_size"), of=crossings, per="traveller", last=EVER)
    built = derived(ratio, derived(ratio, "wide", narrow), derived(ratio, narrow, ever))
    assert looks_back(built, {"wide": wide}) == "1 day, 1,826 days, all records"
    assert looks_back(own("mode"), {}) == ""
    announced = crossings.where(kind="advance")
    ahead = [window(count, of=announced, per="service", last=back, ahead=EVER) for back in (days(1), days(0))]
    assert [looks_back(feature, {}) for feature in ahead] == ["1 day, announcements", "announcements"]


def test_the_ways_to_the_columns() -> None:
    found = ways(reads("origin_new_for_traveller", "crossing", features("crossing")))
    start = "origin_new_for_traveller → crossings_with_this_origin_last_5_years"
    assert found[f"{start} → crossings"][:2] == ("kind", "subject")
    assert found[f"{start} → services"] == ("origin", "service", "happened_at", "known_at")


@pytest.mark.parametrize("kind", ["crossing", "permit"])
def test_no_declaration_is_without_words(kind: str) -> None:
    said = [in_words(feature.expression) for feature in features(kind).values()]
    assert all(said)
    assert not [words for words in said if "lambda" in words or "None" in words]
