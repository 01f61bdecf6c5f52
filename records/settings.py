"""Where this installation keeps its stores, and in which mode it runs.

Built once, at the edge (the command line, the API's start, a test), from an argument, the environment and an optional
`basira.toml`, in this order. Inner rooms take values, never settings, and never look at the environment.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from records.errors import BadInput

FILE_NAME = "basira.toml"
KEYS_IN_FILE = (
    "mode",
    "database_url",
    "vault_url",
    "audit_vault_url",
    "mlflow_uri",
    "zone",
    "buckets",
    "workers",
    "explore",
    "origins",
)
MODES = ("air", "sea", "land")
ORIGINS = "land=DZ,LY; sea=FR,IT; air=FR,DE,GB,IT"
"""Neighbours by land, and where most travellers by sea and by air come from and go to."""


class Mode(StrEnum):
    """What the figures on a page are worth; each page shows it."""

    DEMO = "demo"
    TRAINING = "training"
    PRODUCTION = "production"


@dataclass(frozen=True)
class Settings:
    """Places and mode of one installation. Addresses of databases may hold a password, so `repr` leaves them out."""

    home: Path
    mode: Mode = Mode.DEMO
    database_url: str = field(default="", repr=False)
    vault_url: str = field(default="", repr=False)
    audit_vault_url: str = field(default="", repr=False)
    """The vault by the audit's own account, which only reads; `docs/databases.md` says what it is granted."""
    mlflow_uri: str = field(default="", repr=False)
    zone: str = "Africa/Tunis"
    buckets: int = 16
    workers: int = 1
    """How many parts of a large lake, or steps of a run, are worked on at once, each in memory; 1: one by one."""
    explore: bool = False
    """Whether checks are also drawn where a model is uncertain or a case is new, beside the random control."""
    origins: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: _origins(ORIGINS), hash=False)
    """Countries (ISO 3166 codes) by mode of post whose holidays the nightly forecast looks at beside Tunisia's."""

    @property
    def lake(self) -> Path:
        return self.home / "lake"

    @property
    def state(self) -> Path:
        return self.home / "state"

    @property
    def models(self) -> Path:
        return self.home / "models"

    @property
    def proofs(self) -> Path:
        return self.home / "proofs"

    @property
    def rulebooks(self) -> Path:
        return self.home / "rulebooks"

    @property
    def keys(self) -> Path:
        return self.home / "keys"

    @property
    def prefect_home(self) -> Path:
        return self.home / "prefect"


def settings(
    home: Path | None = None, environ: Mapping[str, str] = os.environ, *, working_folder: Path | None = None
) -> Settings:
    """The settings of this installation.

    `home` (or BASIRA_HOME, or `.basira` in the working folder) is where everything is kept. Each other value comes
    from BASIRA_<NAME>, else from `basira.toml` in the home folder or else in the working folder, else from its
    default. Nothing is created. BadInput names a key that does not exist, or a value that cannot be used.
    """
    here = working_folder or Path.cwd()
    place = Path(home or environ.get("BASIRA_HOME") or here / ".basira")
    place = (here / place.expanduser()).resolve()
    written = _read_file(place, here)
    values = {
        key: environ.get(f"BASIRA_{key.upper()}") or written.get(key) for key in KEYS_IN_FILE
    }  # an empty variable counts as not set
    vault = f"sqlite:///{place / 'vault.db'}"
    return Settings(
        home=place,
        mode=_mode(values["mode"]),
        database_url=_text("database_url", values, f"sqlite:///{place / 'basira.db'}"),
        vault_url=_text("vault_url", values, vault),
        audit_vault_url=_text("audit_vault_url", values, _text("vault_url", values, vault)),
        mlflow_uri=_text("mlflow_uri", values, f"sqlite:///{place / 'mlflow.db'}"),
        zone=_zone(_text("zone", values, "Africa/Tunis")),
        buckets=_count("buckets", values, 16),
        workers=_count("workers", values, min(4, os.cpu_count() or 1)),
        explore=_yes("explore", values),
        origins=_origins(_text("origins", values, ORIGINS)),
    )


def quiet_dependencies(settings: Settings, environ: MutableMapping[str, str] = os.environ) -> None:
    """Switch off the telemetry of every dependency that has one, keep Prefect's files inside the home folder, and NumPy
    on one thread.

    To be called at the edge, before Prefect, MLflow or NumPy is imported. Telemetry is switched off whatever the
    environment said before; the others keep a value that is already set.
    """
    environ.update(
        {
            "DO_NOT_TRACK": "1",
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
            "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
            "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        }
    )
    environ.setdefault("PREFECT_HOME", str(settings.prefect_home))
    environ.setdefault("PREFECT_LOGGING_LEVEL", "WARNING")
    # Its own server makes a database on first use; on a busy machine that takes longer than the default 20 s.
    environ.setdefault("PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS", "180")
    # Matrices here are small: threads of OpenBLAS spin ten times as long as one computes, and the last digit of a sum
    # would depend on how many cores there are.
    environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _read_file(home: Path, here: Path) -> dict[str, Any]:
    found = next((f for f in (home / FILE_NAME, here / FILE_NAME) if f.is_file()), None)
    if found is None:
        return {}
    try:
        written = tomllib.loads(found.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadInput(f"{found} is not valid TOML: {error}. Correct it, or remove it to use the defaults.") from error
    for key in written:
        if key not in KEYS_IN_FILE:
            near = difflib.get_close_matches(key, KEYS_IN_FILE, n=1)
            hint = f"Did you mean '{near[0]}'?" if near else f"Settings are: {', '.join(KEYS_IN_FILE)}."
            raise BadInput(f"{found} sets '{key}', which is not a setting. {hint}")
    return written


def _text(key: str, values: Mapping[str, Any], default: str) -> str:
    value = values[key]
    if value is None:
        return default
    if not isinstance(value, str) or not value:
        raise BadInput(f"Setting '{key}' must be text, not {value!r}. Put it in quotes.")
    return value


def _mode(value: Any) -> Mode:
    try:
        return Mode(value or Mode.DEMO)
    except ValueError:
        raise BadInput(f"Mode {value!r} does not exist. Modes are: {', '.join(Mode)}.") from None


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        raise BadInput(
            f"Time zone '{name}' does not exist. Use a name of the IANA list, such as 'Africa/Tunis'."
        ) from None
    return name


def _count(key: str, values: Mapping[str, Any], default: int) -> int:
    value = values[key]
    count = default if value is None else value
    try:
        count = int(count) if isinstance(count, str) else count
    except ValueError:
        count = None
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= 4096:
        raise BadInput(f"Setting '{key}' is {value!r}. It must be a whole number from 1 to 4096.")
    return count


def _origins(text: str) -> dict[str, tuple[str, ...]]:
    """ "land=DZ,LY; sea=FR" as {"land": ("DZ", "LY"), "sea": ("FR",)}; "none" for none."""
    if text.strip().lower() == "none":
        return {}
    found = {}
    for part in text.split(";"):
        mode, _, codes = (piece.strip() for piece in part.partition("="))
        countries = tuple(code.strip().upper() for code in codes.split(","))
        if mode not in MODES or mode in found or not all(len(code) == 2 and code.isalpha() for code in countries):
            raise BadInput(
                f"Setting 'origins' is {text!r}. Name each of {', '.join(MODES)} at most once, with countries of two "
                f"letters, as in {ORIGINS!r}, or write none."
            )
        found[mode] = countries
    return found


def _yes(key: str, values: Mapping[str, Any]) -> bool:
    value = values[key] if values[key] is not None else False
    said = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}.get(str(value).lower())
    if said is None:
        raise BadInput(f"Setting '{key}' is {value!r}. It is yes or no.")
    return said
