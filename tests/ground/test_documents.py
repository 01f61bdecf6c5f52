"""The generated pages of `docs` say what the declarations say."""

from pathlib import Path

from click.testing import CliRunner

from pipelines import documents


def test_every_generated_page_is_current() -> None:
    assert documents.outdated() == [], "`make docs` writes them again"


def test_check_names_a_stale_page_and_writes_nothing(tmp_path: Path) -> None:
    assert documents.write(tmp_path) == list(documents.PAGES)
    assert documents.write(tmp_path) == []
    page = tmp_path / "rules.md"
    page.write_text("edited by hand", encoding="utf-8")
    checked = CliRunner().invoke(documents.main, [str(tmp_path), "--check"])
    assert checked.exit_code == 1
    assert "rules.md" in checked.output
    assert page.read_text(encoding="utf-8") == "edited by hand"
