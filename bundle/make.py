"""Build the offline bundle: python bundle/make.py FOLDER

One archive, `basira-VERSION-PLATFORM.tar`, with everything an installation without a package index needs: the wheels
the lock pins, this project's own wheel, the documents, a CycloneDX SBOM, an installer and SHA-256 sums of it all.
PostgreSQL and Chromium are not in it: only tests use them.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ("README.md", "LICENSE", "CONTRIBUTING.md", "docs")


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def pip(*arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", *arguments], check=True, cwd=ROOT)


def collect(into: Path, version: str) -> None:
    wheels = into / "wheels"
    pip("download", "-q", "--require-hashes", "--only-binary", ":all:", "-r", "requirements.lock", "-d", str(wheels))
    with tempfile.TemporaryDirectory() as own:
        pip("wheel", "-q", "--no-deps", "--no-index", "--no-build-isolation", "-w", own, ".")
        wheel = next(Path(own).glob("*.whl"))
        shutil.copy(wheel, wheels)
    lock = (ROOT / "requirements.lock").read_text()
    own_line = f"basira=={version} --hash=sha256:{sha256(wheels / wheel.name)}\n"
    (into / "requirements.lock").write_text(lock + own_line)
    for name in DOCUMENTS:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, into / name)
        elif source.exists():
            shutil.copy(source, into / name)
    shutil.copy(ROOT / "bundle" / "install.sh", into / "install.sh")
    sbom = [str(Path(sys.executable).parent / "cyclonedx-py"), "requirements", str(ROOT / "requirements.lock")]
    subprocess.run([*sbom, "--of", "JSON", "-o", str(into / "sbom.cdx.json")], check=True)
    files = sorted(p for p in into.rglob("*") if p.is_file())
    (into / "SHA256SUMS").write_text("".join(f"{sha256(p)}  {p.relative_to(into)}\n" for p in files))


def main(target: Path) -> Path:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    python = f"cp{sys.version_info.major}{sys.version_info.minor}"
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    name = f"basira-{version}-{python}-{platform}"
    target.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / name
        folder.mkdir()
        collect(folder, version)
        archive = target / f"{name}.tar"
        with tarfile.open(archive, "w") as tar:  # wheels are compressed already
            tar.add(folder, arcname=name)
    print(f"{archive}  {archive.stat().st_size / 1e6:.0f} MB  sha256 {sha256(archive)}")
    return archive


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "dist"))
