"""Turns the scripts of this folder into notebooks: converts, executes, stores with the pictures.

    python tutorials/build.py                     all of them
    python tutorials/build.py 01_quickstart       this one

A notebook runs in the Python that runs this file. An error in a cell, or an unexpected line on
stderr, stops the build and leaves the stored notebook as it was.
"""

import argparse
import base64
import io
import re
import time
from pathlib import Path

import jupytext
import nbformat
from nbclient import NotebookClient
from PIL import Image

FOLDER = Path(__file__).parent
METADATA = {
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
# What stderr may hold, and is not stored: progress bars, and log lines of TensorFlow at its import.
NOISE = re.compile(r".*\d%\||WARNING: All log messages before absl|[IW]\d{4} ")
LARGE = 60_000  # characters of a stored picture that is worth making smaller


def convert(script):
    """Returns the notebook of a percent script, without outputs."""
    notebook = jupytext.read(script, fmt="py:percent")
    notebook.metadata = METADATA
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    for index, cell in enumerate(notebook.cells):
        cell.metadata = {}
        cell.id = f"cell-{index:02d}"  # the same at every build
    return notebook


def clean(cell):
    """Takes the noise on stderr out of the outputs of a code cell; complains about other lines."""
    for output in cell.outputs:
        if output.get("name") == "stderr":
            lines = [line for line in output.text.split("\n") if line and not NOISE.match(line)]
            if lines:
                raise RuntimeError(f"stderr of this cell:\n\n{cell.source}\n\n" + "\n".join(lines))
    cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]


def shrink(cell):
    """Gives large pictures a palette of 256 colours: a third of the size, and no visible loss."""
    for output in cell.outputs:
        png = output.get("data", {}).get("image/png", "")
        if len(png) < LARGE:
            continue
        picture = Image.open(io.BytesIO(base64.b64decode(png))).convert("RGB")
        smaller = io.BytesIO()
        picture.quantize(256, kmeans=1, dither=Image.Dither.NONE).save(
            smaller, "png", optimize=True
        )
        output.data["image/png"] = base64.b64encode(smaller.getvalue()).decode()


def build(script):
    """Executes one script as a notebook and writes it beside the script."""
    start = time.monotonic()
    notebook = convert(script)
    NotebookClient(
        notebook,
        timeout=None,
        kernel_name="python3",
        coalesce_streams=True,
        record_timing=False,
        resources={"metadata": {"path": str(FOLDER)}},
    ).execute()
    notebook.metadata = METADATA  # without the version of this machine
    for cell in notebook.cells:
        if cell.cell_type == "code":
            clean(cell)
            shrink(cell)
    path = script.with_suffix(".ipynb")
    nbformat.write(notebook, path)
    seconds = time.monotonic() - start
    print(f"{path.name}: {seconds:.0f} s, {path.stat().st_size / 1e6:.1f} MB")


def main():
    """Builds the notebooks named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", help="such as 01_quickstart (default: all)")
    names = parser.parse_args().names
    for script in [FOLDER / f"{name}.py" for name in names] or sorted(FOLDER.glob("[0-9]*.py")):
        build(script)


if __name__ == "__main__":
    main()
