"""The main job as a person runs it: one process, every flow, with every address but loopback blocked."""

import json
import os
import subprocess
import sys

import pytest

PROGRAM = """
import json, sys
from pathlib import Path
from records.settings import quiet_dependencies, settings
place = settings()
quiet_dependencies(place)
from pipelines.demo import run_demo
told = {"demo": run_demo(place, scale=0.06, seed=7, lang="en")}
from pipelines.flows import FLOWS, run_flow
for name in FLOWS:
    if name != "everything":
        told[name] = run_flow(name, str(place.home / "world"), str(place.home))
json.dump(told, open(place.home / "told.json", "w"))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What the demonstration and then each flow said."""
    home = tmp_path_factory.mktemp("main-job")
    alone = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    done = subprocess.run(
        [*alone, "sh", "-c", 'ip link set lo up && exec "$0" -c "$1"', sys.executable, PROGRAM],
        env={
            **os.environ,
            "BASIRA_HOME": str(home),
            "BASIRA_BUCKETS": "2",
        },  # a bucket costs the same however few live in it
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    return json.loads((home / "told.json").read_text())


def test_the_summary_accounts_for_every_row_and_stands_models_beside_their_baselines(told):
    demo = told["demo"]
    for expected in ("quarantined", "crossings", "secondary_check", "permit_lapse", "seasonal naive", "base rate"):
        assert expected in demo
    assert "proposal:" in demo
    assert "80% range" in demo
    assert "basira serve" in demo


def test_taking_the_same_world_in_again_changes_nothing(told):
    assert "Nothing changed" in told["ingest"]


def test_what_was_trained_and_forecast_on_the_same_data_is_not_done_twice(told):
    for said in (*told["train"].split("\n\n"), told["forecast"]):
        assert said in told["demo"]


def test_selections_are_collected_once(told):
    assert "selections" in told["demo"]
    assert "Nothing waited" in told["collect"]


@pytest.mark.parametrize("flow", ["build", "assess", "compact", "retire"])
def test_each_flow_says_what_it_did(told, flow):
    assert len(told[flow]) > 20
