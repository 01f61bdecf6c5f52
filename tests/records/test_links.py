from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records.errors import BadInput
from records.links import LINKER, guard_linker, persons, renewed_passports, same_unified_number
from records.schema import Place
from records.tables import table

INSTANT = pa.timestamp("us", tz="UTC")
Row = tuple[str, str, str, int, int | None]


def day(number: int) -> datetime:
    return datetime(2024, 1, 1, tzinfo=UTC) + timedelta(days=number)


def history(*rows: Row) -> pa.Table:
    """Rows (first, second, state, day known, day superseded)."""
    return pa.table(
        {
            "first_subject": pa.array([r[0] for r in rows], pa.string()),
            "second_subject": pa.array([r[1] for r in rows], pa.string()),
            "state": pa.array([r[2] for r in rows], pa.string()),
            "known_at": pa.array([day(r[3]) for r in rows], INSTANT),
            "superseded_at": pa.array([None if r[4] is None else day(r[4]) for r in rows], INSTANT),
        }
    )


def test_links_join_from_when_they_were_known_and_splits_part_from_then() -> None:
    known = persons(history(("a", "b", "white", 10, None), ("c", "b", "white", 20, None), ("b", "a", "red", 30, None)))
    subjects = pa.array(["a", "b", "c", "d", None])
    assert known.of(subjects, day(9)).to_pylist() == ["a", "b", "c", "d", None]
    assert known.of(subjects, day(10)).to_pylist() == ["a", "a", "c", "d", None]
    assert known.of(subjects, day(20)).to_pylist() == ["a", "a", "a", "d", None]
    assert known.of(subjects, day(30)).to_pylist() == ["a", "b", "b", "d", None]
    each_at_its_own = pa.array([day(9), day(15), day(25), day(30), day(30)], INSTANT)
    assert known.of(subjects, each_at_its_own).to_pylist() == ["a", "a", "a", "d", None]
    assert known.together(pa.array(["c", "nobody"]), day(25)) == [("a", "b", "c"), ("nobody",)]


@pytest.mark.parametrize("state", ["green", "red"])
def test_both_ways_of_parting_part_and_may_be_taken_back(state: str) -> None:
    rows = history(("a", "b", "white", 1, None), ("a", "b", state, 2, None), ("a", "b", "white", 3, None))
    assert [persons(rows).of(pa.array(["b"]), day(d)).to_pylist()[0] for d in range(4)] == ["b", "a", "b", "a"]


def test_yellow_says_nothing_about_what_a_person_has_verified() -> None:
    rows = history(("a", "b", "white", 1, None), ("a", "b", "yellow", 2, None), ("a", "c", "yellow", 2, None))
    assert persons(rows).of(pa.array(["a", "b", "c"]), day(3)).to_pylist() == ["a", "a", "c"]


def test_of_two_statements_known_at_once_the_one_that_parts_decides() -> None:
    rows = history(("a", "b", "red", 1, None), ("b", "a", "white", 1, None))
    assert persons(rows).of(pa.array(["b"]), day(1)).to_pylist() == ["b"]


def test_a_corrected_statement_counts_until_its_correction_was_known() -> None:
    rows = history(("a", "b", "white", 1, 5), ("a", "b", "yellow", 5, None))
    assert [persons(rows).of(pa.array(["b"]), day(d)).to_pylist()[0] for d in (1, 4, 5)] == ["a", "a", "b"]


def test_no_links_and_no_subjects_are_no_error() -> None:
    nothing = persons(history())
    assert nothing.of(pa.array(["a"]), day(1)).to_pylist() == ["a"]
    assert nothing.of(pa.chunked_array([pa.array(["a"]), pa.array(["b"])]), day(1)).to_pylist() == ["a", "b"]
    assert len(nothing.of(pa.array([], pa.string()), pa.array([], INSTANT))) == 0


def test_a_missing_moment_is_refused() -> None:
    with pytest.raises(BadInput, match="needs its as_of"):
        persons(history()).of(pa.array(["a"]), pa.array([None], INSTANT))


def slow_person(rows: list[Row], subject: str, at: int) -> str:
    """Follow white links from subject to subject, asking each pair for its newest statement known at the moment."""

    def joined(one: str, other: str) -> bool:
        about = [
            (known, state in ("green", "red"))
            for a, b, state, known, superseded in rows
            if {a, b} == {one, other} and state != "yellow" and known <= at and (superseded is None or at < superseded)
        ]
        return bool(about) and not max(about)[1]

    everyone = {s for row in rows for s in row[:2]}
    mine, grown = {subject}, True
    while grown:
        more = {o for s in mine for o in everyone - mine if joined(s, o)}
        mine, grown = mine | more, bool(more)
    return min(mine)


@st.composite
def statements(draw: st.DrawFn, known_from: int = 0) -> Row:
    one, other = draw(st.sampled_from("abcdefg")), draw(st.sampled_from("abcdefg"))
    state = draw(st.sampled_from(["white", "white", "white", "yellow", "green", "red"]))
    known = draw(st.integers(known_from, known_from + 10))
    superseded = draw(st.none() | st.integers(known + 1, known + 8))
    return one, other, state, known, superseded


@settings(deadline=None)
@given(
    st.lists(statements(), max_size=15),
    st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(-1, 20)), max_size=12),
)
def test_agrees_with_a_slow_walk(rows: list[Row], asked: list[tuple[str, int]]) -> None:
    subjects = pa.array([s for s, _ in asked], pa.string())
    found = persons(history(*rows)).of(subjects, pa.array([day(d) for _, d in asked], INSTANT))
    assert found.to_pylist() == [slow_person(rows, s, d) for s, d in asked]


@settings(deadline=None)
@given(st.lists(statements(), max_size=10), st.lists(statements(known_from=12), max_size=10))
def test_later_statements_change_nothing_for_an_earlier_moment(past: list[Row], later: list[Row]) -> None:
    subjects = pa.array(list("abcdefg"))
    assert persons(history(*past, *later)).of(subjects, day(11)) == persons(history(*past)).of(subjects, day(11))


@settings(deadline=None)
@given(st.lists(statements(), max_size=10), st.integers(0, 20))
def test_everyone_of_a_person_names_the_same_members(rows: list[Row], at: int) -> None:
    known = persons(history(*rows))
    subjects = pa.array(list("abcdefg"))
    together = dict(zip("abcdefg", known.together(subjects, day(at)), strict=True))
    for subject, members in together.items():
        assert subject in members
        assert all(together[other] == members for other in members)
    assert known.of(subjects, day(at)).to_pylist() == [members[0] for members in together.values()]


def sightings(*rows: tuple[str, str, str | None, int]) -> pa.Table:
    """Rows (subject, kind of key, document, day known)."""
    return pa.table(
        {
            "subject": pa.array([r[0] for r in rows], pa.string()),
            "key_kind": pa.array([r[1] for r in rows], pa.string()),
            "document": pa.array([r[2] for r in rows], pa.string()),
            "known_at": pa.array([day(r[3]) for r in rows], INSTANT),
        }
    )


def told(rows: pa.Table) -> list[tuple[str, str, str, datetime]]:
    columns = (rows[c].to_pylist() for c in ("first_subject", "second_subject", "state", "known_at"))
    return sorted(zip(*columns, strict=True), key=lambda r: (r[3], r))


def test_one_unified_number_ties_the_documents_it_was_seen_with() -> None:
    made = same_unified_number(
        sightings(
            ("u", "unified_number", "d1", 5),
            ("u", "unified_number", "d2", 9),
            ("s1", "document", "d1", 2),
            ("s1", "document", "d1", 1),
            ("s2", "document", "d2", 12),
            ("s3", "document", "d3", 1),
            ("u", "unified_number", None, 1),
        )
    )
    assert told(made) == [("u", "s1", "white", day(5)), ("u", "s2", "white", day(12))]
    declared = table("links")
    assert set(made.column_names) == {c.name for c in declared.columns if c.place is Place.LAKE}
    assert made.cast(declared.lake_schema.empty_table().select(made.column_names).schema) == made


def test_a_document_seen_with_two_unified_numbers_becomes_doubtful_when_that_is_known() -> None:
    made = same_unified_number(
        sightings(("u", "unified_number", "d", 1), ("s", "document", "d", 2), ("v", "unified_number", "d", 7))
    )
    assert told(made) == [
        ("u", "s", "white", day(2)),
        ("u", "s", "yellow", day(7)),
        ("v", "s", "yellow", day(7)),
    ]
    assert len(set(made["link_id"].to_pylist())) == 2, "the doubt corrects the statement it is about"


def test_a_renewed_passport_is_tied_to_its_predecessor() -> None:
    rows = pa.table(
        {
            "subject": ["new", "newer", "thief", "new"],
            "predecessor": ["old", "new", "old", None],
            "known_at": pa.array([day(3), day(9), day(6), day(1)], INSTANT),
        }
    )
    made = renewed_passports(rows)
    assert told(made) == [
        ("new", "old", "white", day(3)),
        ("new", "old", "yellow", day(6)),
        ("thief", "old", "yellow", day(6)),
        ("newer", "new", "white", day(9)),
    ]
    assert renewed_passports(rows.slice(0, 0)).num_rows == 0


def test_the_same_sightings_in_another_order_say_the_same() -> None:
    rows = [("u", "unified_number", "d", 1), ("s", "document", "d", 2), ("v", "unified_number", "d", 7)]
    assert same_unified_number(sightings(*rows)) == same_unified_number(sightings(*reversed(rows)))


def test_a_probabilistic_linker_may_only_suggest() -> None:
    made = renewed_passports(
        pa.table({"subject": ["b"], "predecessor": ["a"], "known_at": pa.array([day(1)], INSTANT)})
    )
    assert guard_linker(made) is made
    place = made.schema.get_field_index("said_by")
    by_linker = made.set_column(place, "said_by", pa.array([LINKER + "names-and-dates"]))
    with pytest.raises(BadInput, match="only suggest"):
        guard_linker(by_linker)
    state = made.schema.get_field_index("state")
    assert guard_linker(by_linker.set_column(state, "state", pa.array(["yellow"]))).num_rows == 1
