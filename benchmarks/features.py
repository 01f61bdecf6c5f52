"""The feature engine beside polars, duckdb and pandas: eleven window features over crossings, in one run.

    BASIRA_SHARED=FOLDER python benchmarks/features.py [--short] [--peer-python PYTHON] [--only PART ...]

FOLDER/bench/feature_peers.py holds the peers and makes the rows. They may live in an environment of their own, for they
are in the extra `bench`. Prints JSON lines, the bars last:

* parity: where every row was known when it happened, each value equals each peer's;
* 2m, 20m, 100m, batch: 5% of the rows known days late, which the engine alone honours; checked against an oracle on a
  sample. The job is Parquet in, Parquet out: a peer's `seconds` count its reading and writing, as ours do;
  `seconds_in_memory` are those of its computation alone;
* live: one traveller with 50 crossings, and 300 at once, from the engine's state store; the peers have them in memory.

Wall seconds, processor seconds of all threads together, and peak memory, each of a process of its own.
"""

from __future__ import annotations

import argparse
import json
import operator
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # before this folder, in which `features` is this file

from benchmarks.crossing_windows import batch, checks, live, rows
from benchmarks.crossing_windows.declared import ELEVEN, Crossings
from pipelines.apart import apart

HERE = Path(__file__).resolve().parent
ROWS = {"2m": 2_000_000, "20m": 20_000_000, "100m": 100_000_000}
PARTS = ("parity", *ROWS, "live")
ROWS_A_BUCKET = 1_000_000
DISK_A_ROW = 200  # bytes of the peers' file, the lake and the answers
PEER_MEMORY_A_ROW = 600  # bytes
SAMPLE = 20_000
TRAVELLERS, CROSSINGS = [10**9 + k for k in range(300)], 50  # the peers' rows have no such travellers
ORDERS = {"<=": operator.le, ">=": operator.ge, "<": operator.lt, ">": operator.gt}

Told = dict[str, Any]


def say(**told: Any) -> None:
    print(json.dumps({k: round(v, 4) if isinstance(v, float) else v for k, v in told.items()}), flush=True)


def once(path: Path, make: Callable[[Path], object]) -> Path:
    """`path`, made if it is not there yet; what is half made does not count."""
    if not path.exists():
        making = path.with_name(f"{path.name}.making")
        shutil.rmtree(making, ignore_errors=True)
        make(making)
        making.rename(path)
    return path


@dataclass(frozen=True)
class Bench:
    """Where the inputs are kept, and what runs."""

    folder: Path
    feature_peers: Path
    peer_python: str
    workers: int

    def file(self, number: int) -> Path:
        """Rows as the peers make them."""
        command = [sys.executable, str(self.feature_peers), "make", str(number)]
        return once(self.folder / f"rows-{number}.parquet", lambda path: subprocess.run([*command, path], check=True))

    def lake(self, name: str, chunks: Callable[[], Iterable[object]], number: int, *, late: bool = True) -> Crossings:
        """The same rows in person buckets."""
        buckets = max(number // ROWS_A_BUCKET, 2)
        path = self.folder / f"lake-{name}-{buckets}"
        return Crossings(once(path, lambda making: apart(rows.lay_out, chunks, making, buckets, late=late)), buckets)

    def ours(self, lake: Crossings, number: int) -> Told:
        """One pass of the engine, `parts` its answers."""
        warm = self.lake("warm", partial(rows.generated, 6_000), 6_000)
        out = self.folder / "answers"
        shutil.rmtree(out, ignore_errors=True)
        return {"engine": "basira", "rows": number, **apart(batch.measured, lake, out, warm, self.workers)}

    def peer(self, engine: str, file: Path, *options: str) -> Told:
        """One pass of a peer; `failed` says why there is none."""
        number = pq.ParquetFile(file).metadata.num_rows
        if _memory() < number * PEER_MEMORY_A_ROW:
            return {"engine": engine, "rows": number, "failed": "this machine has not the memory at the moment"}
        command = [self.peer_python, str(HERE / "crossing_windows" / "peers.py"), str(self.feature_peers), engine]
        done = subprocess.run([*command, str(file), *options], capture_output=True, text=True, check=False)
        if done.returncode:
            why = (done.stderr.strip().splitlines() or ["no word"])[-1]
            return {"engine": engine, "rows": number, "failed": f"ended with {done.returncode}: {why}"}
        told: Told = json.loads(done.stdout)
        return told


def _memory() -> float:
    """Bytes that may still be taken, as far as the system says."""
    told = Path("/proc/meminfo")
    if not told.exists():
        return float("inf")
    lines = dict(line.split(":") for line in told.read_text().splitlines())
    return int(lines["MemAvailable"].split()[0]) * 1024


def parity(bench: Bench, number: int, engines: Sequence[str]) -> bool:
    """Whether every value equals every peer's where all was known at once."""
    file, answer = bench.file(number), bench.folder / "answers.parquet"
    lake = bench.lake(f"{number}-at-once", partial(rows.in_chunks, file), number, late=False)
    parts = bench.ours(lake, number)["parts"]
    right = True
    for engine in engines:
        told = bench.peer(engine, file, "--out", str(answer))
        wrong = None if "failed" in told else apart(checks.against_peer, parts, answer)
        say(what="parity", **told, values_that_differ=wrong)
        right &= wrong is not None and not any(wrong.values())
    return right


def in_batch(bench: Bench, number: int, engines: Sequence[str], repeats: int) -> tuple[bool, Told]:
    """Ours and the peers in turn, and whether the oracle agrees; medians over the repeats."""
    file = bench.file(number) if engines else None
    chunks = partial(rows.in_chunks, file) if file else partial(rows.generated, number)
    lake, answer = bench.lake(str(number), chunks, number), bench.folder / "answers.parquet"
    passes: list[Told] = []
    for _ in range(repeats):
        ours = bench.ours(lake, number)
        parts = ours.pop("parts")
        theirs = [bench.peer(engine, file, "--out", str(answer)) for engine in engines if file]
        for told in (ours, *theirs):
            say(what="batch", **told)
        passes += [told for told in (ours, *theirs) if "failed" not in told]
    checked = apart(checks.against_oracle, lake, parts, SAMPLE)
    told = {"rows": number, **compared(passes, number), "checked": checked}
    say(what="batch, medians", **told)
    return not any(wrong for name, wrong in checked.items() if name in ELEVEN), told


def compared(passes: Sequence[Told], number: int) -> Told:
    """Medians over the passes of each engine, and how many times slower than ours the fastest peer is."""
    by_engine = {told["engine"]: [p for p in passes if p["engine"] == told["engine"]] for told in passes}

    def of(engine: str, figure: str) -> float:
        return median(told[figure] for told in by_engine[engine])

    rates = {engine: round(number / of(engine, "seconds")) for engine in by_engine}
    told: Told = {"rows_per_second": rates, "cpu_us_a_row": of("basira", "cpu_seconds") / number * 1e6}
    told["peak_mb"] = max(p["peak_mb"] for p in by_engine["basira"])
    peers = [engine for engine in by_engine if engine != "basira"]
    if peers:
        fastest = max(peers, key=rates.__getitem__)
        told["fastest_peer"] = fastest
        told["over_fastest_peer"] = rates["basira"] / rates[fastest]
        told["over_it_in_memory"] = of(fastest, "seconds_in_memory") / of("basira", "seconds")
        told["over_it_in_cpu_seconds"] = of(fastest, "cpu_seconds") / of("basira", "cpu_seconds")
    return told


def at_a_booth(bench: Bench, number: int, engines: Sequence[str], calls: int) -> tuple[bool, Told]:
    """Milliseconds of one call for one traveller and for all, and whether the oracle agrees."""
    folder = bench.folder / "live"
    shutil.rmtree(folder, ignore_errors=True)
    ours = apart(live.measured, bench.file(number), TRAVELLERS, CROSSINGS, folder, calls)
    right = not any(ours["wrong"].values())
    say(what="live", engine="basira", **ours)
    for travellers in (TRAVELLERS[:1], TRAVELLERS):
        file = bench.folder / "travellers.parquet"
        pq.write_table(rows.of_travellers(travellers, CROSSINGS, 0), file)
        for engine in engines:
            asked = calls if len(travellers) == 1 else calls // 4
            say(what="live", travellers=len(travellers), **bench.peer(engine, file, "--calls", str(asked)))
    return right, ours


def bars(found: Mapping[str, Told], right: bool) -> bool:
    """Print the bars of what was measured, against bars.toml; a bar is met only where every answer was right."""
    at = {size: found[size] for size in ROWS if size in found}
    values: dict[str, float] = {}
    peers: dict[str, float] = {}  # where one cannot do 20 M rows, what it does at 2 M counts
    for size in (s for s in ("2m", "20m") if s in at):
        peers |= at[size]["rows_per_second"]
        ours = peers.pop("basira")
        if peers:
            values[f"features_batch_{size}_over_fastest_peer"] = ours / max(peers.values())
    if "live" in found:
        values["features_live_one_traveller_ms"] = found["live"]["one"]["median_ms"]
        values["features_live_300_travellers_ms"] = found["live"]["all"]["median_ms"]
    if "20m" in at and "100m" in at:
        values["features_peak_memory_gb"] = max(at[size]["peak_mb"] for size in ("20m", "100m")) / 1e3
    if "2m" in at and "100m" in at:
        small, large = (at[size]["rows_per_second"]["basira"] for size in ("2m", "100m"))
        values["features_growth"] = large / small
    wanted = tomllib.loads((HERE / "bars.toml").read_text())
    met = {}
    for bar, value in values.items():
        sign, bound = wanted[bar]["must"].split()
        met[bar] = right and bool(ORDERS[sign](value, float(bound)))
        say(bar=bar, value=value, must=wanted[bar]["must"], met=met[bar])
    return right and all(met.values())


def measure(bench: Bench, parts: Sequence[str], *, short: bool) -> bool:
    """Everything asked for, in order. The short form measures a million rows where the full one measures two, and
    beside polars alone, which parity shows to be the fastest."""
    right, found = [], {}
    every, fast = ("polars", "duckdb", "pandas"), ("polars", "duckdb")
    if "parity" in parts:
        right.append(parity(bench, 200_000, fast if short else every))
        if not short:
            right.append(parity(bench, ROWS["2m"], fast))
    for size in (s for s in ROWS if s in parts):
        number, repeats = (1_000_000, 2) if short else (ROWS[size], 3 if size == "2m" else 1)
        peers = () if size == "100m" else fast[:1] if short else fast
        agrees, found[size] = in_batch(bench, number, peers, repeats)
        right.append(agrees)
    if "live" in parts:
        agrees, found["live"] = at_a_booth(bench, 200_000 if short else ROWS["2m"], fast, 200 if short else 400)
        right.append(agrees)
    return bars(found, all(right))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="a million rows, under three minutes")
    parser.add_argument("--only", nargs="+", choices=PARTS, help="parts to run")
    parser.add_argument("--folder", type=Path, help="where inputs are made and kept; default: a temporary folder")
    parser.add_argument(
        "--peer-python", default=sys.executable, help="interpreter that has the peers; default: this one"
    )
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count(), help="threads of the engine; default: one per core"
    )
    asked = parser.parse_args()
    if "BASIRA_SHARED" not in os.environ:
        print(
            "Set BASIRA_SHARED to the folder that holds bench/feature_peers.py; without it nothing is measured.",
            file=sys.stderr,
        )
        return 0
    parts = asked.only or (("parity", "2m", "live") if asked.short else PARTS)
    lacking = subprocess.run(
        [asked.peer_python, "-c", "import duckdb, pandas, polars, pyarrow"], capture_output=True, check=False
    )
    if lacking.returncode:
        sys.exit(
            f"{asked.peer_python} lacks one of duckdb, pandas, polars and pyarrow, the peers of the engine. "
            "Install the extra 'bench', or name an interpreter that has them with --peer-python."
        )
    with tempfile.TemporaryDirectory() as temporary:
        folder = asked.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        needed = max((ROWS[part] for part in parts if part in ROWS), default=0) * DISK_A_ROW
        free = shutil.disk_usage(folder).free
        if free < needed:
            sys.exit(
                f"{folder} has {free / 1e9:.0f} GB free, and {needed / 1e9:.0f} GB are needed. Name another --folder."
            )
        bench = Bench(
            folder, Path(os.environ["BASIRA_SHARED"]) / "bench" / "feature_peers.py", asked.peer_python, asked.workers
        )
        return 0 if measure(bench, parts, short=asked.short) else 1


if __name__ == "__main__":
    sys.exit(main())
