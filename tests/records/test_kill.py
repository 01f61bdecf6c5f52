"""Ingest killed at any moment and run again ends as if it had never been disturbed."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from records.ingest import ingest
from records.keys import keys, new_key, written
from records.lake import Lake
from records.vault import Vault

PROGRAM = """
import sys
from pathlib import Path
from records.ingest import ingest
from records.keys import keys
from records.lake import Lake
from records.vault import Vault
home, supply = Path(sys.argv[1]), Path(sys.argv[2])
secrets = keys(home / "keys")
with Vault.open(f"sqlite:///{home / 'vault.db'}", secrets) as vault:
    print("ready", flush=True)
    ingest(supply, "crossings", lake=Lake.create(home / "lake", buckets=4), vault=vault, keys=secrets)
"""
ROWS = 20_000
ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def supply(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Crossings with duplicates, corrections, changes of person and bad rows among them."""
    random_number = np.random.default_rng(11)
    number = random_number.integers(0, ROWS * 9 // 10, ROWS)
    known = np.datetime64("2024-03-01T00:00:00", "us") + number + random_number.integers(0, 3, ROWS) * 3_600_000_000
    direction = np.where(random_number.random(ROWS) < 0.02, "sideways", "entry")
    traveller = number // 4 + (random_number.random(ROWS) < 0.01)
    rows = pa.table(
        {
            "crossing_id": [f"C{n}" for n in number],
            "document_number": [f"D{n}" for n in traveller],
            "document_issuer": ["ITA"] * ROWS,
            "kind": ["actual"] * ROWS,
            "post": ["tunis_carthage"] * ROWS,
            "direction": direction,
            "mode": ["air"] * ROWS,
            "document_type": ["passport"] * ROWS,
            "declared_stay_days": random_number.integers(1, 3, ROWS),
            "happened_at": pa.array(np.full(ROWS, np.datetime64("2024-03-01", "us"))).cast(pa.timestamp("us", "UTC")),
            "known_at": pa.array(known).cast(pa.timestamp("us", "UTC")),
        }
    )
    path = tmp_path_factory.mktemp("supply") / "crossings.parquet"
    pq.write_table(rows, path)
    return path


def new_home(folder: Path, key: str) -> Path:
    keys_folder = folder / "keys"
    keys_folder.mkdir(parents=True, mode=0o700)
    for use in ("pseudonym", "vault", "rejected"):
        file = keys_folder / f"{use}.key"
        file.touch(mode=0o600)
        file.write_text(key)
    return folder


def run(home: Path, supply: Path, kill_after: float | None = None) -> float:
    """Ingest in another process, killed after that many seconds if they are given; how long it took."""
    arguments = [sys.executable, "-W", "error", "-c", PROGRAM, str(home), str(supply)]
    with subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()  # only from here on is anything done that a kill could disturb
        began = time.monotonic()
        if kill_after is None:
            assert process.wait(timeout=300) == 0
        else:
            time.sleep(kill_after)
            process.kill()
    return time.monotonic() - began


def run_here(home: Path, supply: Path) -> None:
    secrets = keys(home / "keys")
    with Vault.open(f"sqlite:///{home / 'vault.db'}", secrets) as vault:
        ingest(supply, "crossings", lake=Lake.create(home / "lake", buckets=4), vault=vault, keys=secrets)


def state(home: Path) -> dict[str, Any]:
    lake = Lake.open(home / "lake")
    ledger = lake.ledger().drop_columns(["recorded_at", "version"]).to_pylist()
    rows = lake.history("crossings")
    order = [(name, "ascending") for name in ("crossing_id", "known_at", "subject", "declared_stay_days")]
    quarantine = lake.quarantine().sort_by([("row", "ascending"), ("column", "ascending")])
    return {"ledger": ledger, "rows": rows.sort_by(order), "quarantine": quarantine}


def run_drill(folder: Path, supply: Path, kills: int) -> None:
    key = written(new_key())
    undisturbed = new_home(folder / "undisturbed", key)
    duration = run(undisturbed, supply)
    wanted = state(undisturbed)
    assert wanted["ledger"][0]["rows"] == ROWS
    assert wanted["ledger"][0]["duplicates"] > 0
    assert wanted["ledger"][0]["quarantined"] > 0

    moments = random.Random(5)  # noqa: S311 - moments of a drill, not secrets
    disturbed = new_home(folder / "disturbed-0", key)
    for number in range(kills):
        run(disturbed, supply, kill_after=moments.uniform(0, duration))
        run_here(disturbed, supply)
        found = state(disturbed)
        assert found["ledger"] == wanted["ledger"]
        assert found["rows"].equals(wanted["rows"])
        assert found["quarantine"].equals(wanted["quarantine"])
        disturbed = new_home(folder / f"disturbed-{number + 1}", key)


def test_five_kills(tmp_path: Path, supply: Path) -> None:
    run_drill(tmp_path, supply, kills=5)


@pytest.mark.drill
def test_twenty_kills(tmp_path: Path, supply: Path) -> None:
    run_drill(tmp_path, supply, kills=20)
