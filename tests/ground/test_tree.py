"""What holds for the repository as a whole."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("records", "evidence", "features", "models", "risk_rules", "serving", "pipelines")


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / line for line in listed.splitlines() if (ROOT / line).is_file()]


def texts() -> list[Path]:
    kinds = {".py", ".toml", ".md", ".yaml", ".yml", ".lock", ".sh", ".html", ".css", ".ipynb", ""}
    return [p for p in tracked() if p.suffix in kinds]


def test_the_locks_pin_every_package_with_a_hash_and_name_no_index():
    for name in ("requirements.lock", "requirements-dev.lock"):
        lock = (ROOT / name).read_text()
        entries = re.split(r"\n(?=\S)", lock.strip())
        assert len(entries) > 50, name
        for entry in entries:
            assert re.match(r"[\w.-]+==", entry), f"{name}: {entry[:60]}"
            assert "--hash=sha256:" in entry, f"{name}: {entry[:60]} has no hash"
        assert "://" not in lock
        assert "--index" not in lock
        assert "--find-links" not in lock


def test_the_runtime_lock_is_part_of_the_developers_lock():
    def pins(name: str) -> set[str]:
        return set(re.findall(r"^([\w.-]+==\S+)", (ROOT / name).read_text(), re.M))

    assert pins("requirements.lock") <= pins("requirements-dev.lock")


def test_every_package_of_the_rooms_is_listed_for_the_distribution():
    listed = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"])
    there = {
        ".".join(init.parent.relative_to(ROOT).parts) for room in ROOMS for init in (ROOT / room).rglob("__init__.py")
    }
    assert listed == there


def test_no_file_names_a_machine_or_a_package_host():
    words = ["py" + "pi.org", "python" + "hosted", "npm" + "js", "/ro" + "ot/", "/wo" + "rk/", "/ho" + "me/"]
    found = [f"{p.relative_to(ROOT)}: {w}" for p in texts() for w in words if w in p.read_text(errors="ignore")]
    assert not found


@pytest.mark.parametrize("room", ROOMS)
def test_no_python_file_grows_past_one_subject(room):
    long = {p.name: n for p in (ROOT / room).rglob("*.py") if (n := len(p.read_text().splitlines())) > 400}
    long.pop("treeshap.py", None)  # whole in one file, so that it could be a package of its own
    assert not long, "split these by subject"
