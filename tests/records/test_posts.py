from collections import Counter
from datetime import UTC, datetime

import pytest

from records.posts import governorates, office_rows, offices, post_rows, posts
from records.tables import table

KNOWN = datetime(2020, 1, 1, tzinfo=UTC)


def test_the_posts_are_those_of_the_country() -> None:
    assert 28 <= len(posts()) <= 30
    assert Counter(p.mode for p in posts()) == {"air": 9, "sea": 9, "land": 11}
    assert Counter(p.neighbour for p in posts() if p.mode == "land") == {"LBY": 2, "DZA": 9}
    assert all(p.neighbour is None for p in posts() if p.mode != "land")
    assert {"tunis-carthage", "la-goulette", "ras-jedir", "hazoua"} <= {p.post for p in posts()}
    assert max(posts(), key=lambda p: p.weight).post == "tunis-carthage"


def test_seventy_offices_cover_every_governorate() -> None:
    assert len(offices()) == 70
    assert len(governorates()) == 24
    assert {o.governorate for o in offices()} == {g.governorate for g in governorates()}
    assert {p.governorate for p in posts()} <= {g.governorate for g in governorates()}


def test_short_names_are_unique_and_names_complete_in_three_languages() -> None:
    for places, key in ((posts(), "post"), (offices(), "office"), (governorates(), "governorate")):
        assert len({getattr(p, key) for p in places}) == len(places)
        for place in places:
            assert all((place.name_ar, place.name_fr, place.name_en))
            assert any("\u0600" <= letter <= "\u06ff" for letter in place.name_ar)
            assert place.weight > 0


@pytest.mark.parametrize(("name", "rows"), [("posts", post_rows(KNOWN)), ("offices", office_rows(KNOWN))])
def test_rows_satisfy_the_declared_table(name: str, rows: object) -> None:
    declared = table(name)
    assert rows.schema == declared.lake_schema
    for column in declared.lake_columns:
        values = [v for v in rows[column.name].to_pylist() if v is not None]
        if column.required:
            assert len(values) == rows.num_rows, column.name
        if column.values is not None:
            assert set(values) <= set(column.values)
        if column.minimum is not None:
            assert min(values) >= column.minimum
            assert max(values) <= column.maximum


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        post_rows(datetime(2020, 1, 1))  # noqa: DTZ001  # the point of the test
