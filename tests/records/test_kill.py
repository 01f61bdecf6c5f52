"""Ingest killed at any moment and run again ends as if it had never been disturbed."""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
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

# Imports once; then per line that it reads, ingests in a forked child and kills that after the seconds named there.
PROGRAM = """
import os, signal, sys, time, traceback
from pathlib import Path
from records.ingest import ingest
from records.keys import keys
from records.lake import Lake
from records.vault import Vault

def take_in(home, supply):
    secrets = keys(home / "keys")
    with Vault.open(f"sqlite:///{home / 'vault.db'}", secrets) as vault:
        ingest(supply, "crossings", lake=Lake.create(home / "lake", buckets=4), vault=vault, keys=secrets)

for line in sys.stdin:
    home, supply, seconds = line.rstrip("\\n").split("\\t")
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        try:
            take_in(Path(home), Path(supply))
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    if seconds:
        time.sleep(float(seconds))
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    print(os.waitstatus_to_exitcode(status), time.monotonic() - began, flush=True)
"""
ROOT = Path(__file__).parents[2]
DONE, KILLED = 0, -9


def write_supply(folder: Path, count: int) -> Path:
    """Crossings with duplicates, corrections, changes of person and bad rows among them."""
    random_number = np.random.default_rng(11)
    number = random_number.integers(0, count * 9 // 10, count)
    known = np.datetime64("2024-03-01T00:00:00", "us") + number + random_number.integers(0, 3, count) * 3_600_000_000
    direction = np.where(random_number.random(count) < 0.02, "sideways", "entry")
    traveller = number // 4 + (random_number.random(count) < 0.01)
    rows = pa.table(
        {
            "crossing_id": [f"C{n}" for n in number],
            "document_number": [f"D{n}" for n in traveller],
            "document_issuer": ["ITA"] * count,
            "kind": ["actual"] * count,
            "post": ["tunis_carthage"] * count,
            "direction": direction,
            "mode": ["air"] * count,
            "document_type": ["passport"] * count,
            "declared_stay_days": random_number.integers(1, 3, count),
            "happened_at": pa.array(np.full(count, np.datetime64("2024-03-01", "us"))).cast(pa.timestamp("us", "UTC")),
            "known_at": pa.array(known).cast(pa.timestamp("us", "UTC")),
        }
    )
    path = folder / "crossings.parquet"
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


@dataclass(frozen=True)
class Killer:
    """Ingests in processes of its own, which it kills."""

    server: subprocess.Popen[str]

    def run(self, home: Path, supply: Path, kill_after: float | None = None) -> tuple[int, float]:
        """(how an ingest ended, how many seconds it took); killed after `kill_after` seconds if they are given."""
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        print(home, supply, "" if kill_after is None else kill_after, sep="\t", file=self.server.stdin, flush=True)
        ended, took = self.server.stdout.readline().split()
        return int(ended), float(took)


@pytest.fixture
def killer() -> Iterator[Killer]:
    # A process that forks must have one thread only.
    environ = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    arguments = [sys.executable, "-W", "error", "-c", PROGRAM]
    with subprocess.Popen(
        arguments, cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        yield Killer(server)


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
    with Vault.open(f"sqlite:///{home / 'vault.db'}", keys(home / "keys")) as vault:
        rejected = vault.rejected(ledger[0]["batch"]).drop_columns(["kept_until"])
    return {"ledger": ledger, "rows": rows.sort_by(order), "quarantine": quarantine, "rejected": rejected}


def run_drill(folder: Path, killer: Killer, *, rows: int, kills: int) -> None:
    key = written(new_key())
    supply = write_supply(folder, rows)
    undisturbed = new_home(folder / "undisturbed", key)
    ended, duration = killer.run(undisturbed, supply)
    assert ended == DONE
    wanted = state(undisturbed)
    assert wanted["ledger"][0]["rows"] == rows
    assert wanted["ledger"][0]["duplicates"] > 0
    assert wanted["ledger"][0]["quarantined"] > 0

    moments = random.Random(5)  # noqa: S311 - moments of a drill, not secrets
    killed = 0
    for number in itertools.count():
        disturbed = new_home(folder / f"disturbed-{number}", key)
        # One moment from each part of the whole duration, so that no stretch of the way in is spared.
        kill_after = duration * (killed + moments.random()) / kills
        ended, _ = killer.run(disturbed, supply, kill_after)
        assert ended in (DONE, KILLED)
        run_here(disturbed, supply)
        assert state(disturbed) == wanted, f"after a kill at {kill_after:.3f} of {duration:.3f} seconds"
        if ended == KILLED:
            killed += 1
        else:  # too late: this run took less time than was thought
            duration = kill_after
        if killed == kills:
            return


def test_twenty_kills(tmp_path: Path, killer: Killer) -> None:
    run_drill(tmp_path, killer, rows=3_000, kills=20)


@pytest.mark.drill
@pytest.mark.skipif(os.environ.get("BASIRA_DRILL") != "full", reason="the full drill runs with BASIRA_DRILL=full")
def test_a_hundred_kills(tmp_path: Path, killer: Killer) -> None:
    run_drill(tmp_path, killer, rows=20_000, kills=100)
