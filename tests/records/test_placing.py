"""A folder takes its place whole or not at all."""

import pytest

from records.placing import placed


def test_nothing_is_seen_until_all_is_there(tmp_path):
    place = tmp_path / "root" / "place"
    with placed(place) as beside:
        (beside / "one").write_text("1")
        assert not place.exists()
    assert (place / "one").read_text() == "1"
    assert [path.name for path in place.parent.iterdir()] == ["place"]


def test_a_block_that_fails_leaves_nothing(tmp_path):
    def fails() -> None:
        with placed(tmp_path / "place") as beside:
            (beside / "one").write_text("1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("named_by_content", [True, False])
def test_who_comes_second_keeps_the_first_only_where_both_are_the_same(tmp_path, named_by_content):
    def second() -> None:
        with placed(tmp_path / "place", named_by_content=named_by_content) as beside:
            (beside / "one").write_text("second")
            (tmp_path / "place").mkdir()
            (tmp_path / "place" / "one").write_text("first")

    if named_by_content:
        second()
    else:
        with pytest.raises(OSError, match="not empty"):
            second()
    assert (tmp_path / "place" / "one").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["place"]
