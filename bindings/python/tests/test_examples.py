# SPDX-License-Identifier: BSD-3-Clause
"""Every docstring of the public names has an example, and the examples of all docstrings say what comes out."""
import doctest
import importlib
import inspect
import pkgutil
import unittest

import numpy as np

import dyn


def installed(package):
    """The package, or None where it is not installed."""
    try:
        return importlib.import_module(package)
    except ImportError:
        return None


matplotlib, torch, jax, tokenizers, pandas, onnx, scipy = map(
    installed, ("matplotlib", "torch", "jax", "tokenizers", "pandas", "onnx", "scipy"))
if matplotlib:
    matplotlib.use("Agg")
    installed("matplotlib.figure")

#: modules that cannot be imported, or whose examples cannot be run, without these packages
NEEDS = {"dyn.plots": matplotlib, "dyn._report": matplotlib, "dyn.exchange": torch, "dyn._torch": torch,
         "dyn.exchange_jax": jax, "dyn._jax": jax, "dyn.guests": torch and jax, "dyn._text": tokenizers,
         "dyn.sweeps": pandas, "dyn.plots.sweeps": pandas, "dyn.onnx": onnx, "dyn.symmetry": scipy}
#: modules whose names have no examples yet; to become shorter, never longer
WITHOUT = {"dyn." + name for name in "logs".split()}
SPACES = ["dyn", "dyn.branches", "dyn.completion", "dyn.data", "dyn.degenerate", "dyn.frequency", "dyn.init",
          "dyn.nilpotent", "dyn.recovery"] + (["dyn.plots"] if matplotlib else [])


def public():
    """(name, object) of all classes and functions that users call."""
    for name in SPACES:
        space = importlib.import_module(name)
        for key in getattr(space, "__all__", None) or vars(space):
            thing = getattr(space, key)
            own = getattr(thing, "__module__", "").startswith(name) and not key.startswith("_")
            if own and (inspect.isclass(thing) or inspect.isroutine(thing)):
                yield f"{name}.{key}", thing


def modules():
    """All modules of the package that can be imported here."""
    for found in pkgutil.walk_packages(dyn.__path__, "dyn."):
        if all(package or not found.name.startswith(module) for module, package in NEEDS.items()):
            yield importlib.import_module(found.name)


class Examples(unittest.TestCase):
    def test_every_public_name_has_one(self):
        names = dict(public())
        self.assertGreater(len(names), 100)
        self.assertEqual([name for name, thing in names.items()
                          if ">>>" not in (inspect.getdoc(thing) or "") and thing.__module__ not in WITHOUT], [])

    def test_they_are_true(self):
        for module in modules():
            with self.subTest(module=module.__name__):
                report = []
                runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
                for test in doctest.DocTestFinder().find(module, extraglobs={"dyn": dyn, "np": np,
                                                                             "matplotlib": matplotlib}):
                    runner.run(test, out=report.append)
                self.assertEqual("".join(report), "")


if __name__ == "__main__":
    unittest.main()
