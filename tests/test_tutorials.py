"""The notebooks are in step with their scripts, and hold nothing but what a reader should see."""

import re
from pathlib import Path

import nbformat
import pytest

jupytext = pytest.importorskip("jupytext")

pytestmark = pytest.mark.one_backend  # no network takes part

TUTORIALS = Path(__file__).parent.parent / "tutorials"
SCRIPTS = sorted(TUTORIALS.glob("[0-9]*.py"))
UNWANTED = re.compile(r"WARNING|Warning:|Traceback|/root/|/home/|/tmp/|\d%\|")


@pytest.fixture(params=SCRIPTS, ids=lambda path: path.stem)
def script(request):
    return request.param


@pytest.fixture
def notebook(script):
    return nbformat.read(script.with_suffix(".ipynb"), as_version=4)


def test_every_script_has_a_notebook_and_the_reverse():
    assert SCRIPTS
    assert [path.with_suffix(".py") for path in sorted(TUTORIALS.glob("*.ipynb"))] == SCRIPTS


def test_notebook_is_in_step_with_its_script(script, notebook):
    cells = jupytext.read(script, fmt="py:percent").cells
    assert [(cell.cell_type, cell.source) for cell in notebook.cells] == [
        (cell.cell_type, cell.source) for cell in cells
    ], f"run: python tutorials/build.py {script.stem}"


def test_notebook_was_executed_from_top_to_bottom(notebook):
    nbformat.validate(notebook)
    counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
    assert counts == list(range(1, len(counts) + 1))
    assert notebook.metadata.kernelspec.name == "python3"


def test_outputs_hold_text_and_pictures_only(notebook):
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    for output in outputs:
        assert output.output_type in ("stream", "display_data", "execute_result")
        assert output.get("name") != "stderr"
        text = output.get("text", "") + output.get("data", {}).get("text/plain", "")
        assert not UNWANTED.search(text), text


def test_enough_outputs_are_compared(notebook):
    checked = [cell for cell in notebook.cells if cell.source.startswith("# NBVAL_CHECK_OUTPUT")]
    assert len(checked) >= 4
    assert all(cell.outputs for cell in checked)


def test_notebook_is_small(script):
    assert script.with_suffix(".ipynb").stat().st_size < 3e6
