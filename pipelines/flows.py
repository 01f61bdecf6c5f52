"""The flows under Prefect. Tasks are thin: each calls one plain function of `pipelines/steps` and shows what came out.

A task answers with the text a person reads; what it made is in the stores. Trying again helps against a busy lock or a
store that another process writes, so tasks are tried again, but never on bad input. Tasks that only depend on data are
cached by the versions of that data and of the engine.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from prefect import Task, flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.cache_policies import INPUTS, NO_CACHE, TASK_SOURCE

from models.risk.catalogue import declarations
from pipelines import summary
from pipelines.apart import apart
from pipelines.progress import say
from pipelines.steps import (
    assessing,
    building,
    catching_up,
    collecting,
    forecasting,
    ingesting,
    nowcasting,
    training,
    upkeep,
    watching,
    weighing,
)
from pipelines.steps.versions import code_version
from pipelines.volume_texts import running_text
from pipelines.watched import watched_text
from records.errors import BadInput
from records.lake import Lake
from records.settings import Settings, settings
from risk_rules.rule import PURPOSES


def _worth_another_try(_task: object, _run: object, state: Any) -> bool:
    try:
        state.result()
    except BadInput:
        return False
    except Exception:  # noqa: BLE001 - whatever else failed may pass the next time
        return True
    return False


def _step(name: str, *, cached: bool = False) -> Callable[[Callable[..., str]], Task[..., str]]:
    """A task that is tried again, cached by its inputs where it only depends on data."""
    return task(
        name=name,
        retries=2,
        retry_delay_seconds=[2, 10],
        retry_condition_fn=_worth_another_try,
        cache_policy=INPUTS + TASK_SOURCE if cached else NO_CACHE,
        persist_result=cached,
    )


def _show(key: str, text: str) -> str:
    create_markdown_artifact(f"```\n{text}\n```", key=key, description=f"What the step '{key}' did")
    return text


def _place(home: str) -> Settings:
    return settings(Path(home) if home else None)


def _data(place: Settings) -> str:
    """The versions of all data and of the engine's own code: what a cached result depends on."""
    return json.dumps([Lake.open(place.lake).input_versions(), code_version()], sort_keys=True)


@_step("ingest")
def ingest_task(home: str, world: str) -> str:
    return _show("ingest", summary.receipts_text(ingesting.ingest_world(_place(home), Path(world))))


@_step("build", cached=True)
def build_task(home: str, name: str, data: str) -> str:
    values, labels = building.training_values(_place(home), name, say)
    return _show(f"build-{name.replace('_', '-')}", summary.built_text(name, values, labels))


@_step("train", cached=True)
def train_task(home: str, name: str, data: str) -> str:
    return _show(
        f"train-{name.replace('_', '-')}", summary.training_text(training.train_model(_place(home), name, say))
    )


@_step("forecast", cached=True)
def forecast_task(home: str, data: str, origins: Mapping[str, tuple[str, ...]]) -> str:
    return _show("forecast", summary.forecast_text(apart(forecasting.forecast_volumes, _place(home), say)))


@_step("nowcast")
def nowcast_task(home: str) -> str:
    return _show("nowcast", running_text(nowcasting.tell_running(_place(home)), "post"))


@_step("assess")
def assess_task(home: str, purpose: str, lang: str) -> str:
    place = _place(home)
    text = summary.assessed_text(place, assessing.assess_day(place, purpose, say), lang)
    return _show(f"assess-{purpose.replace('_', '-')}", text)


@_step("weigh")
def weigh_task(home: str, purpose: str) -> str:
    week = weighing.weigh(_place(home), purpose, say)
    return _show(f"weigh-{purpose.replace('_', '-')}", summary.weighed_text(purpose, week))


@_step("watch")
def watch_task(home: str, name: str) -> str:
    found = watching.watch(_place(home), name, say)
    return _show(f"watch-{name.replace('_', '-')}", watched_text(name, found))


@_step("collect")
def collect_task(home: str) -> str:
    return _show("collect", summary.collected_text(collecting.collect(_place(home))))


@_step("catch-up")
def catch_up_task(home: str) -> str:
    return _show("catch-up", summary.caught_up_text(catching_up.catch_up(_place(home), say)))


@flow(name="ingest")
def ingest(world: str, home: str = "") -> str:
    """Take in all supplies of a folder that `basira sample` wrote."""
    return f"{ingest_task(home, world)}\n{catch_up_task(home)}"


@flow(name="build")
def build(home: str = "") -> str:
    """Features of every subject whose outcome is known, as of the moment it was or would have been assessed."""
    data = _data(_place(home))
    return "\n".join(build_task(home, name, data) for name in declarations())


@flow(name="train")
def train(home: str = "") -> str:
    """Train every declared risk model: candidates, which persons promote (a demonstration promotes them itself)."""
    data = _data(_place(home))
    return "\n\n".join(train_task(home, name, data) for name in declarations())


@flow(name="forecast")
def forecast(home: str = "") -> str:
    """Daily volumes per post and direction for the next days."""
    place = _place(home)
    return forecast_task(home, _data(place), place.origins)


@flow(name="nowcast")
def nowcast(home: str = "") -> str:
    """The running day and month, from what has come so far and the newest run."""
    return nowcast_task(home)


@flow(name="assess")
def assess(home: str = "", lang: str = "en") -> str:
    """Assess the newest day for every purpose, store it for serving, and count what drove the scores of the week."""
    assessed = [assess_task(home, purpose, lang) for purpose in PURPOSES]
    return "\n\n".join([*assessed, *(weigh_task(home, purpose) for purpose in PURPOSES)])


@flow(name="watch")
def watch(home: str = "") -> str:
    """Look whether every champion still holds, by what the random control found and by how inputs look."""
    return "\n\n".join(watch_task(home, name) for name in declarations())


@flow(name="collect")
def collect(home: str = "") -> str:
    """Selections and decisions go from casework into the lake."""
    return f"{collect_task(home)}\n{catch_up_task(home)}"


@flow(name="compact")
def compact(home: str = "") -> str:
    """Bring the lake's files together."""
    return f"{_show('compact', summary.compacted_text(upkeep.compact(_place(home))))}\n{catch_up_task(home)}"


@flow(name="retire")
def retire(home: str = "") -> str:
    """Delete what is past its retention."""
    return _show("retire", summary.retired_text(upkeep.retire(_place(home), say)))


@flow(name="everything")
def everything(world: str = "", home: str = "", lang: str = "en") -> str:
    """The main job, end to end: ingest, build, train, forecast, assess, weigh, collect, watch."""
    parts = [ingest_task(home, world)] if world else []
    parts.append(catch_up_task(home))
    place = _place(home)
    data = _data(place)
    ahead = forecast_task.submit(home, data, place.origins)  # needs nothing of what comes next, and takes as long
    if place.workers == 1:
        ahead.wait()
    for name in declarations():
        parts += [build_task(home, name, data), train_task(home, name, data)]
    parts.append(ahead.result())
    parts += [assess_task(home, purpose, lang) for purpose in PURPOSES]
    parts += [weigh_task(home, purpose) for purpose in PURPOSES]
    parts += [collect_task(home), catch_up_task(home)]
    parts += [watch_task(home, name) for name in declarations()]
    return "\n\n".join(parts)


FLOWS = {
    f.name: f for f in (ingest, build, train, forecast, nowcast, assess, watch, collect, compact, retire, everything)
}


def run_flow(name: str, world: str | None, home: str = "") -> str:
    """Run one flow now; what it says. BadInput where `ingest` is not told what to take in."""
    if name == "ingest" and not world:
        raise BadInput("Which folder of supplies? Say --world FOLDER, or take in one file with `basira ingest`.")
    arguments = {"home": home, **({"world": world} if world and name in ("ingest", "everything") else {})}
    return str(FLOWS[name](**arguments))
