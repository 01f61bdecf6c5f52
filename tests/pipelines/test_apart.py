import os
from pathlib import Path

import pytest

from pipelines.apart import apart
from records.errors import BadInput
from records.settings import settings


def test_it_runs_in_another_process_that_sees_the_same_environment(monkeypatch):
    monkeypatch.setenv("BASIRA_BUCKETS", "3")
    assert apart(os.getpid) != os.getpid()
    assert apart(os.getenv, "BASIRA_BUCKETS") == "3"


def test_bad_input_arrives_with_its_words(tmp_path: Path):
    with pytest.raises(BadInput, match="buckets"):
        apart(settings, tmp_path, {"BASIRA_BUCKETS": "many"})
    assert apart(settings, tmp_path, environ={"BASIRA_BUCKETS": "5"}).buckets == 5
