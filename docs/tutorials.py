# SPDX-License-Identifier: BSD-3-Clause
"""Run the tutorials, text notebooks in docs/tutorials/*.md, and store them with their outputs in
docs/tutorials/stored, which the site shows; they can be opened with Jupyter. Needs nbclient and ipykernel, and PyTorch for one of them.

usage: tutorials.py [NAME ...] [--check]        --check runs nothing: are the stored cells those of the texts?"""
import json
import os
import pathlib
import re
import sys
import tempfile

FOLDER = pathlib.Path(__file__).resolve().parent / "tutorials"
STORED = FOLDER / "stored"
ROOT = FOLDER.parents[1]
FENCE = re.compile(r"^```\{code-cell\}\n(.*?)^```\n", re.M | re.S)
SETUP = "%matplotlib inline"        # in a cell that the site leaves out


def cells(text):
    """(kind, source) of a text notebook's cells, without its head of settings."""
    body = text.split("---\n", 2)[2]
    parts = FENCE.split(body)       # text, code, text, ..., text
    return [("code" if i % 2 else "markdown", part.strip("\n")) for i, part in enumerate(parts) if part.strip()]


def notebook(text):
    """The notebook without outputs, in the format of Jupyter."""
    made = [{"cell_type": "code", "id": "setup", "metadata": {"tags": ["remove-cell"]}, "source": SETUP, "outputs": [],
             "execution_count": None}]
    for number, (kind, source) in enumerate(cells(text)):
        cell = {"cell_type": kind, "id": "cell-%d" % number, "metadata": {}, "source": source}
        made.append({**cell, "outputs": [], "execution_count": None} if kind == "code" else cell)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": made, "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}}, "nbformat": 4,
            "nbformat_minor": 5}


def stamp():
    """A last cell: with what, when and where the outputs were made."""
    code = ('import time, platform\nprint(f"libdyn {dyn.__version__}, {time.strftime(\'%Y-%m-%d\')}, '
            '{dyn.current().report()[\'isa\']}, {dyn.current().threads} threads, {platform.machine()}")')
    return {"cell_type": "code", "id": "stamp", "metadata": {"tags": ["hide-input"]}, "source": code, "outputs": [],
            "execution_count": None}


def execute(path):
    """Run one; stops at an error."""
    import nbclient
    import nbformat
    made = notebook(path.read_text())
    made["cells"].append(stamp())
    read = nbformat.from_dict(made)
    paths = {"PYTHONPATH": ROOT / "bindings/python", "PKG_CONFIG_PATH": ROOT / "build/packaging",
             "LD_LIBRARY_PATH": ROOT / "build/libdyn"}
    os.environ.update({name: str(value) for name, value in paths.items()})
    with tempfile.TemporaryDirectory() as folder:
        nbclient.NotebookClient(read, timeout=600, resources={"metadata": {"path": folder}}).execute()
    for cell in read.cells:
        cell.metadata.pop("execution", None)        # times of day
        if cell.cell_type == "code":                # progress bars
            cell.outputs = [out for out in cell.outputs if out.get("name") != "stderr"]
    STORED.mkdir(exist_ok=True)
    (STORED / (path.stem + ".ipynb")).write_text(nbformat.writes(read, indent=1) + "\n")


def is_stored(path):
    """Whether what is stored has the cells of the text, and outputs."""
    stored = json.loads((STORED / (path.stem + ".ipynb")).read_text())
    found = [(cell["cell_type"], "".join(cell["source"])) for cell in stored["cells"]]
    ran = all(cell["execution_count"] for cell in stored["cells"] if cell["cell_type"] == "code")
    return ran and found[1:-1] == cells(path.read_text())


def main():
    named = [word for word in sys.argv[1:] if not word.startswith("-")]
    paths = [FOLDER / (name + ".md") for name in named] or sorted(FOLDER.glob("*.md"))
    if "--check" in sys.argv:
        old = [path.name for path in paths if not is_stored(path)]
        if old:
            sys.exit("docs/tutorials/stored is not what the texts say: sh docs/tutorials.sh: %s" % ", ".join(old))
        return
    for path in paths:
        execute(path)
        print("ok - %s runs" % path.name, flush=True)
    print("%d passed, 0 failed" % len(paths))


if __name__ == "__main__":
    main()
