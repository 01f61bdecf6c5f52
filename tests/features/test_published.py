from pathlib import Path

from features.published import published

PAGE = Path(__file__).parents[2] / "docs" / "features.md"


def test_the_published_catalogue_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == published(), "run `python -m features.published docs/features.md`"
