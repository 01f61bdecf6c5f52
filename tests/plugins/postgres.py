"""A real PostgreSQL for tests: one server per session on a Unix socket, one empty database per test.

The server's files live in a temporary folder and disappear with it; no address is opened. PostgreSQL refuses to run as
root, so root starts it as the user `postgres`.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

SERVER_USER = "postgres"


def _binaries() -> Path | None:
    """The newest folder that holds `initdb`: Debian keeps it out of PATH, one folder per version."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    versions = [p.parent for p in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(versions, key=lambda p: float(p.parent.name), default=None)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Path]:
    """Folder with the socket of a running server whose user `postgres` needs no password."""
    binaries = _binaries()
    if binaries is None:
        pytest.skip("PostgreSQL's initdb is not installed. Install it with: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="basira-postgres-"))
    as_user: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(folder, SERVER_USER, SERVER_USER)
        as_user = ["runuser", "-u", SERVER_USER, "--"]

    def run(program: str, *arguments: str) -> None:
        # The server inherits what pg_ctl was given, so a pipe here would stay open for as long as it runs.
        subprocess.run(
            [*as_user, str(binaries / program), "-D", str(folder / "data"), *arguments],
            check=True,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )

    try:
        run("initdb", "-U", SERVER_USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        options = f"-k {folder} -c listen_addresses='' -c fsync=off -c full_page_writes=off"
        run("pg_ctl", "-w", "-s", "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield folder
        finally:
            run("pg_ctl", "-w", "-s", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def postgres_url(postgres_server: Path) -> Iterator[str]:
    """SQLAlchemy address of an empty database that is dropped after the test."""
    import psycopg

    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(host=str(postgres_server), user=SERVER_USER, dbname="postgres", autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        yield f"postgresql+psycopg://{SERVER_USER}@/{name}?host={postgres_server}"
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
