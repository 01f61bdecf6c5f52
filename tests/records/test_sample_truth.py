"""The hidden truth stays hidden: no product module opens it, and causes of irregularity never read who someone is."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import records
from records.sample import officers, permits, risk

ROOT = Path(records.__file__).parents[1]
ROOMS = ("records", "features", "evidence", "models", "risk_rules", "serving", "pipelines")
FILES = ("entries.parquet", "missing_exits.parquet", "policy.json")


def test_no_product_module_opens_the_hidden_truth() -> None:
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            if path.is_relative_to(ROOT / "records" / "sample"):
                continue
            tree = ast.parse(path.read_text(encoding="utf-8"))
            texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
            parts = {part for text in texts if "\n" not in text for part in text.replace("\\", "/").split("/")}
            assert "truth" not in parts, f"{path} names the folder of the hidden truth"
            assert not parts & set(FILES), f"{path} names a file of the hidden truth"
            modules = {n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.module}
            assert "records.sample.hidden" not in modules, f"{path} imports the hidden truth"


def test_causes_never_read_who_someone_is() -> None:
    for module in (risk, permits):
        tree = ast.parse(inspect.getsource(module))
        read = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
        assert not read & {"male", "born", "nationality", "child", "name_chance"}, module.__name__


def test_the_policy_reads_no_identity_but_what_it_is_handed() -> None:
    named = set(inspect.signature(officers.checks).parameters)
    assert {"marked", "young_man"} <= named
