"""Every notebook tells its story to the end on a home in which the main job has run, and shows pictures on the way."""

import os
import warnings
from pathlib import Path

import nbformat
import pytest

with warnings.catch_warnings():
    # jupyter_client looks at environment variables of its own when it is imported.
    warnings.simplefilter("ignore", DeprecationWarning)
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError

REPOSITORY = Path(__file__).parents[2]
NOTEBOOKS = sorted((REPOSITORY / "notebooks").glob("*.ipynb"))
PICTURES = ("image/png", "image/svg+xml", "application/vnd.vegalite")


def _read(path):
    return nbformat.read(path, as_version=4)


def _execute(notebook, home):
    """Run all cells in a kernel of their own, in the folder the notebook lies in; the same notebook with outputs."""
    environment = {
        **os.environ,
        "BASIRA_HOME": str(home),
        "PYTHONPATH": str(REPOSITORY),
        "IPYTHONDIR": str(home / "ipython"),  # not a developer's own profile
        "JUPYTER_RUNTIME_DIR": str(home / "jupyter"),
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",
    }
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(REPOSITORY / "notebooks")}}
    )
    return client.execute(env=environment)


def test_there_is_a_notebook_for_each_role():
    assert [path.stem for path in NOTEBOOKS] == ["analyst", "data_scientist", "oversight", "planner"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_output_is_committed(path):
    for cell in _read(path).cells:
        assert cell.cell_type == "markdown" or (cell.outputs == [] and cell.execution_count is None)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs_to_the_end_and_shows_pictures(path, small_run):
    done = _execute(_read(path), small_run.home)
    outputs = [output for cell in done.cells if cell.cell_type == "code" for output in cell.outputs]
    assert [o.text for o in outputs if o.output_type == "stream" and o.name == "stderr"] == []
    kinds = {kind for output in outputs for kind in output.get("data", {})}
    assert any(kind.startswith(PICTURES) for kind in kinds)


def test_without_a_home_the_first_cell_says_what_to_do(tmp_path):
    notebook = _read(NOTEBOOKS[0])
    with pytest.raises(CellExecutionError, match="make demo"):
        _execute(notebook, tmp_path)
