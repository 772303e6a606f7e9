# SPDX-License-Identifier: BSD-3-Clause
"""A checkpoint to look at, from Python and from the shell: what the run had, without its data."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np

import dyn
from dyn._saved import Saved
from support import wave

try:
    import matplotlib
    matplotlib.use("Agg")
except ImportError:
    matplotlib = None


class Files(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.path = os.path.join(cls.folder.name, "state.npz")
        cls.training = dyn.Run(dyn.mlp([1, 5, 1], seed=3), *wave(), optimizer=dyn.Adam(1e-2))
        cls.training.measure(dyn.Sharpness(k=2), every=5)
        cls.training.measure(dyn.Condensation(), every=5)
        cls.training.measure(dyn.ModelRank(probe_std=4), at="end")
        cls.training.measure(lambda state: state.step**2, name="own", every=5)
        cls.training.train(20).save(cls.path)

    def shell(self, *arguments):
        """What python -m dyn prints, and its exit code."""
        package = str(pathlib.Path(dyn.__file__).parents[1])
        paths = os.pathsep.join([package, os.environ.get("PYTHONPATH", "")])
        run = subprocess.run([sys.executable, "-m", "dyn", *arguments], capture_output=True, text=True, timeout=120,
                             env={**os.environ, "PYTHONPATH": paths, "MPLBACKEND": "Agg"})
        return run.stdout + run.stderr, run.returncode

    def test_measurements_are_those_of_the_run(self):
        saved = Saved(self.path)
        self.assertEqual(saved.measured, self.training.measured)
        self.assertEqual((saved.step, saved.objective.size), (20, self.training.objective.size))
        np.testing.assert_array_equal(saved.history["loss"], self.training.history["loss"])
        np.testing.assert_array_equal(saved["sharpness"].values, self.training["sharpness"].values)
        np.testing.assert_array_equal(saved["condensation"][-1].cosines(), self.training["condensation"][-1].cosines())
        np.testing.assert_array_equal(saved["rank"].rank, self.training["rank"].rank)
        np.testing.assert_array_equal(saved["own"].values, [0, 25, 100, 225, 400])

    def test_what_is_no_checkpoint(self):
        path = os.path.join(self.folder.name, "other.npz")
        np.savez(path, a=np.ones(3))
        with self.assertRaisesRegex(dyn.InvalidArgument, "other.npz is no checkpoint of a run: it has a"):
            Saved(path)

    @unittest.skipIf(matplotlib is None, "matplotlib is not installed")
    def test_info(self):
        text, code = self.shell("info", self.path)
        self.assertEqual(code, 0, text)
        self.assertIn("model: W1 [1, 5], b1 [5], W2 [5, 1], b2 [1]", text)
        self.assertIn("optimiser: Adam(rate=0.01", text)
        self.assertIn("sharpness: 5 rows", text)
        array = os.path.join(self.folder.name, "array.npy")
        np.save(array, np.ones((2, 3)))
        self.assertEqual(self.shell("info", array), ("array.npy: float64 [2, 3]\n", 0))

    @unittest.skipIf(matplotlib is None, "matplotlib is not installed")
    def test_report(self):
        page = os.path.join(self.folder.name, "page.html")
        text, code = self.shell("report", self.path, "-o", page)
        self.assertEqual((text, code), (page + "\n", 0))
        written = pathlib.Path(page).read_text(encoding="utf-8")
        self.assertIn(f"{self.training.history['loss'][-1]:.6g} at the end", written)
        self.assertIn("<svg", written)

    def test_what_cannot_be_read(self):
        missing = os.path.join(self.folder.name, "missing.npy")
        text, code = self.shell("info", missing)
        self.assertEqual(code, 1)
        self.assertIn("missing.npy", text)


if __name__ == "__main__":
    unittest.main()
