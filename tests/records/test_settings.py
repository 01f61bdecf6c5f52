from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from records.errors import BadInput
from records.settings import Mode, quiet_dependencies, settings


def test_defaults_keep_everything_under_one_home(tmp_path: Path) -> None:
    s = settings(environ={}, working_folder=tmp_path)
    home = tmp_path / ".basira"
    assert s.home == home
    assert (s.lake, s.state, s.models, s.keys, s.prefect_home) == (
        home / "lake",
        home / "state",
        home / "models",
        home / "keys",
        home / "prefect",
    )
    assert s.database_url == f"sqlite:///{home}/basira.db"
    assert s.vault_url == f"sqlite:///{home}/vault.db"
    assert s.mlflow_uri == f"sqlite:///{home}/mlflow.db"
    assert (s.mode, s.zone, s.buckets) == (Mode.DEMO, "Africa/Tunis", 16)
    assert not home.exists(), "reading settings creates nothing"


def test_argument_then_environment_then_file_then_default(tmp_path: Path) -> None:
    (tmp_path / "basira.toml").write_text('mode = "training"\nbuckets = 4\n')
    environ = {"BASIRA_HOME": str(tmp_path / "b"), "BASIRA_MODE": "production"}
    from_argument = settings(tmp_path / "a", environ, working_folder=tmp_path)
    assert from_argument.home == tmp_path / "a"
    from_environment = settings(None, environ, working_folder=tmp_path)
    assert from_environment.home == tmp_path / "b"
    assert from_environment.mode is Mode.PRODUCTION
    assert from_environment.buckets == 4
    assert settings(None, {"BASIRA_BUCKETS": "8"}, working_folder=tmp_path).buckets == 8


def test_the_file_in_the_home_folder_comes_first(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "basira.toml").write_text("buckets = 4")
    (home / "basira.toml").write_text("buckets = 32")
    assert settings(home, {}, working_folder=tmp_path).buckets == 32


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("bukets = 4", "Did you mean 'buckets'"),
        ("colour = 4", "Settings are: mode, "),
        ('mode = "live"', "Modes are: demo, training, production"),
        ('zone = "Africa/Tunes"', "Time zone 'Africa/Tunes'"),
        ("zone = 1", "must be text"),
        ("buckets = 0", "from 1 to 4096"),
        ("buckets = true", "from 1 to 4096"),
        ('buckets = "many"', "from 1 to 4096"),
        ("buckets =", "not valid TOML"),
        ('origins = "rail=FR"', "air, sea, land"),
        ('origins = "land=DZA"', "two letters"),
        ('origins = "sea=FR; sea=IT"', "at most once"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_with_the_way_out(tmp_path: Path, content: str, message: str) -> None:
    (tmp_path / "basira.toml").write_text(content)
    with pytest.raises(BadInput, match=message):
        settings(environ={}, working_folder=tmp_path)


def test_origins_are_countries_by_mode_of_post(tmp_path: Path) -> None:
    assert settings(environ={}, working_folder=tmp_path).origins["land"] == ("DZ", "LY")
    named = {"BASIRA_ORIGINS": "land=dz ; air=FR,PL"}
    assert settings(environ=named, working_folder=tmp_path).origins == {"land": ("DZ",), "air": ("FR", "PL")}
    assert settings(environ={"BASIRA_ORIGINS": "none"}, working_folder=tmp_path).origins == {}


def test_settings_cannot_change_and_do_not_print_passwords(tmp_path: Path) -> None:
    s = settings(environ={"BASIRA_DATABASE_URL": "postgresql://u:pw-1@db/x"}, working_folder=tmp_path)
    assert "pw-1" not in repr(s)
    with pytest.raises(FrozenInstanceError):
        s.buckets = 1  # type: ignore[misc]  # the point of the test


def test_telemetry_is_off_whatever_the_environment_said(tmp_path: Path) -> None:
    s = settings(environ={}, working_folder=tmp_path)
    environ = {"MLFLOW_DISABLE_TELEMETRY": "false", "PREFECT_HOME": "/elsewhere"}
    quiet_dependencies(s, environ)
    assert environ["MLFLOW_DISABLE_TELEMETRY"] == "true"
    assert environ["DO_NOT_TRACK"] == "1"
    assert environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"
    assert environ["PREFECT_HOME"] == "/elsewhere"


@pytest.mark.parametrize(("said", "heard"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "4"}, "4")])
def test_numpy_computes_on_one_thread_unless_somebody_says_otherwise(
    tmp_path: Path, said: dict[str, str], heard: str
) -> None:
    environ = dict(said)
    quiet_dependencies(settings(environ={}, working_folder=tmp_path), environ)
    assert environ["OPENBLAS_NUM_THREADS"] == heard
