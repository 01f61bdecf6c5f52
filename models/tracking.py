"""Runs and models in MLflow: parameters, figures, data versions and the model's own folder. Never a row.

What is logged is checked to be plain parameters, figures and a model's own files, so no table, no input example and no
identifier can slip in. MLflow is imported where it is used, since it is slow to start; its telemetry is off.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from records.errors import BadInput

CHAMPION = "champion"
_PARTS = (".json", ".txt", ".npz")  # of a model's folder: its description, its trees, its weights
_PSEUDONYM = re.compile(rb"(?<![\w.-])[A-Za-z]\w{0,15}\.[\w-]{22}(?![\w-])")  # as records/pseudonyms.py makes them


@dataclass(frozen=True)
class Run:
    """What MLflow knows a run by, and the version of the registered model it made."""

    run_id: str
    model: str
    version: str
    uri: str


def log_run(
    uri: str,
    artifacts: Path,
    name: str,
    folder: Path,
    *,
    parameters: Mapping[str, str | int | float | bool],
    metrics: Mapping[str, float | None],
    versions: Mapping[str, Any],
) -> Run:
    """Log a training run and register the content-hashed `folder` as a version of model `name`.

    `uri` is the tracking store (Settings.mlflow_uri), `artifacts` a folder for copies. A metric that is undefined
    (None) is left out. BadInput for a parameter that is not a plain value, for a file that is no part of a
    model, and wherever a pseudonym stands.
    """
    for key, value in (*parameters.items(), *versions.items()):
        if not isinstance(value, str | int | float | bool):
            raise BadInput(
                f"'{key}' is a {type(value).__name__}. Only plain values are logged: no rows and no identifiers leave."
            )
        _no_identifier(str(key), f"{key} {value}".encode())
    for path in sorted(folder.iterdir()):
        if path.suffix not in _PARTS or not path.is_file():
            raise BadInput(f"'{path.name}' is no part of a model, which is {', '.join(_PARTS)}. No rows are logged.")
        _no_identifier(path.name, path.read_bytes())
    with _client(uri) as client:
        run_id, stored = _begun(client, artifacts, name, f"{name} {folder.name[:12]}", parameters, metrics)
        for key, value in versions.items():
            client.set_tag(run_id, f"data version {_key(key)}", str(value))
        client.set_tag(run_id, "model hash", folder.name)
        client.log_artifacts(run_id, str(folder), artifact_path="model")
        client.set_terminated(run_id)
        if not any(known.name == name for known in client.search_registered_models()):
            client.create_registered_model(name)
        made = client.create_model_version(
            name, source=f"{stored}/model", run_id=run_id, tags={"model hash": folder.name}
        )
        return Run(run_id, name, str(made.version), f"models:/{name}/{made.version}")


def log_comparison(
    uri: str,
    artifacts: Path,
    subject: str,
    *,
    parameters: Mapping[str, str | int | float | bool],
    metrics: Mapping[str, float | None],
    comparison: Mapping[str, Any],
) -> str:
    """Log a comparison of models as a run of its own, with its tables as `comparison.json`; the number of the run.

    BadInput wherever a pseudonym stands.
    """
    tables = json.dumps(comparison, ensure_ascii=False, allow_nan=False, indent=1)
    _no_identifier("comparison.json", f"{subject} {dict(parameters)} {tables}".encode())
    name = _key(f"compare {subject}")
    with _client(uri) as client:
        run_id, _ = _begun(client, artifacts, name, name, parameters, metrics)
        client.log_text(run_id, tables, "comparison.json")
        client.set_terminated(run_id)
        return run_id


def _begun(
    client: Any,
    artifacts: Path,
    name: str,
    title: str,
    parameters: Mapping[str, str | int | float | bool],
    metrics: Mapping[str, float | None],
) -> tuple[str, str]:
    """A run of the experiment `name`, made where it is lacking, with parameters and figures logged: its number, and
    where its artifacts go."""
    experiment = client.get_experiment_by_name(name)
    artifacts.mkdir(parents=True, exist_ok=True)
    number = (
        experiment.experiment_id
        if experiment is not None
        else client.create_experiment(name, artifact_location=(artifacts / name).resolve().as_uri())
    )
    info = client.create_run(number, run_name=title).info
    run_id = str(info.run_id)
    for key, value in parameters.items():
        client.log_param(run_id, _key(key), value)
    for key, figure in metrics.items():
        if figure is not None and math.isfinite(figure):
            client.log_metric(run_id, _key(key), float(figure))
    return run_id, str(info.artifact_uri)


def follow(uri: str, name: str, hash: str | None) -> None:
    """Point the alias `champion` of model `name` at the newest version of the folder `hash`; take it off for None.

    The journal decides who is champion; this follows it. BadInput where MLflow knows no such version.
    """
    with _client(uri) as client:
        if not any(known.name == name for known in client.search_registered_models()):
            if hash is None:
                return
            raise _unknown(name, hash)
        if hash is None:
            client.delete_registered_model_alias(name, CHAMPION)
            return
        versions = [v for v in client.search_model_versions(f"name = '{name}'") if v.tags.get("model hash") == hash]
        if not versions:
            raise _unknown(name, hash)
        newest = max(versions, key=lambda version: int(version.version))
        client.set_registered_model_alias(name, CHAMPION, newest.version)


def champion(uri: str, name: str) -> str | None:
    """Content hash of the folder that the alias `champion` points at, or None where there is none."""
    if uri.startswith("sqlite:///") and not Path(uri.removeprefix("sqlite:///")).exists():
        return None
    with _client(uri) as client:
        for known in client.search_registered_models():
            if known.name == name and CHAMPION in known.aliases:
                version = client.get_model_version_by_alias(name, CHAMPION)
                return str(version.tags["model hash"])
    return None


def _no_identifier(where: str, content: bytes) -> None:
    if _PSEUDONYM.search(content):
        raise BadInput(f"'{where}' holds what looks like the pseudonym of a person. No identifier leaves for MLflow.")


def _unknown(name: str, hash: str) -> BadInput:
    return BadInput(
        f"MLflow knows no version of '{name}' with the hash {hash}, so its alias cannot follow the journal. "
        f"Train it again here (basira risk train {name}); the same data make the same model."
    )


@contextmanager
def _client(uri: str) -> Iterator[Any]:
    """A client of the store; a SQLite file's folder is made first. Sends nothing anywhere else."""
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
    os.environ["DO_NOT_TRACK"] = "true"
    if uri.startswith("sqlite:///"):
        Path(uri.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    from mlflow import MlflowClient

    yield MlflowClient(tracking_uri=uri, registry_uri=uri)


def _key(text: str) -> str:
    """`text` with only what MLflow allows in a key."""
    return "".join(c if c.isalnum() or c in "_-./ " else "_" for c in text)
