# SPDX-License-Identifier: BSD-3-Clause
"""The pages of the reference, from what the package and the headers contain: nothing can be forgotten."""
import inspect
import pathlib
import sys

import dyn
import dyn.plots
import gallery

ROOT = pathlib.Path(__file__).resolve().parents[1]
SPECIAL = "__call__, __getitem__, __len__, __matmul__, __iter__"
ORDER = ("model", "init", "graph", "data", "objective", "optim", "run", "run_view", "replicas", "measure", "condensation",
         "rank", "episodes", "operator", "eigen", "plots", "context", "errors")     # others after them
SPACES = (dyn.data, dyn.init, dyn.plots)        # modules that users name: dyn.data.digits


def public(space):
    """(name, object) of what a module offers, in its order; classes and functions only."""
    names = getattr(space, "__all__", None) or [name for name in vars(space) if not name.startswith("_")]
    found = [(name, getattr(space, name)) for name in names]
    return [(name, thing) for name, thing in found if inspect.isclass(thing) or inspect.isroutine(thing)]


def rooms():
    """Title, text of the page, and full names of what stands on it, for each module."""
    by_module = {}
    for name, thing in public(dyn):
        if thing.__module__.startswith("dyn"):
            by_module.setdefault(thing.__module__, []).append(("dyn." + name, thing))
    for space in SPACES:
        by_module[space.__name__] = [(space.__name__ + "." + name, thing) for name, thing in public(space)
                                     if thing.__module__.startswith(space.__name__)]
    for module, things in by_module.items():
        yield module.replace("dyn.", "").strip("_"), inspect.getdoc(sys.modules[module]), things


def python_page(title, text, things):
    """Markdown with a directive for each name."""
    lines = ["# " + title, "", text, ""]
    for name, thing in things:
        kind = "function" if not inspect.isclass(thing) else "exception" if issubclass(thing, Exception) else "class"
        lines += ["```{eval-rst}", ".. auto%s:: %s" % (kind, name)]
        if inspect.isclass(thing):
            lines += ["   :members:", "   :special-members: " + SPECIAL, "   :show-inheritance:"]
        lines += ["```", ""]
    return "\n".join(lines)


def contents(title, text, names):
    """A page that lists others."""
    return "# %s\n\n%s\n\n```{toctree}\n:maxdepth: 1\n\n%s\n```\n" % (title, text, "\n".join(names))


def fill(folder, pages):
    """Write {name: text}, and remove what no longer belongs there. Equal files are left, so that Sphinx reads them once."""
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.md"):
        if old.stem not in pages:
            old.unlink()
    for name, text in pages.items():
        path = folder / (name + ".md")
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def write(folder):
    """All of the reference."""
    python = {title: python_page(title, text, things) for title, text, things in rooms()}
    ordered = sorted(python, key=lambda title: ORDER.index(title) if title in ORDER else len(ORDER))
    c = {header.stem: "# %s\n\n```{doxygenfile} %s\n```\n" % (header.name, header.name)
         for header in sorted((ROOT / "include/dyn").glob("*.h")) if header.name != "dyn.h"}
    fill(folder / "python", {**python, "index": contents("Python", "All of the package `dyn`, by module.", ordered)})
    fill(folder / "c", {**c, "index": contents("C", "The public headers. `#include <dyn/dyn.h>` takes them all.", c)})
    for name, pages in (("programs", gallery.programs()), ("papers", gallery.papers())):
        fill(folder / name, pages)
