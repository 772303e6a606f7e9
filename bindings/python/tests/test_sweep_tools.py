# SPDX-License-Identifier: BSD-3-Clause
"""What is made of sweeps: figures, cost, files for other programs, reports; executors of others."""
import csv
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
import unittest.mock
from pathlib import Path

import numpy as np

import dyn
import sweeping
from support import wave

try:
    import matplotlib
    matplotlib.use("Agg")
    import pandas
except ImportError as missing:
    raise unittest.SkipTest("frames and figures need pandas and matplotlib") from missing


def numbers(a, b, seed, kind="x"):
    return {"slope": a - b + 0.01 * seed, "size": float(10**a)}


class Figures(unittest.TestCase):
    def sweep(self, **points):
        return dyn.Sweep(numbers, points).train()

    def test_a_map_with_the_contour_of_zero(self):
        sweep = self.sweep(a=np.linspace(0, 3, 7), b=np.linspace(0, 3, 9), seed=[0, 1])
        figure = dyn.plot(sweep, value="slope")
        ax = figure.axes[0]
        image, = ax.images
        np.testing.assert_allclose(image.get_array(), sweep.pivot("a", "b", "slope"))
        self.assertEqual(image.get_clim(), (-2.995, 3.005) if image.get_clim()[0] > -3 else (-3.005, 3.005))
        path, = ax.collections[0].get_paths()
        a, b = path.vertices[:, 1] * 0.5, path.vertices[:, 0] * 3 / 8      # the middle of a cell is its value
        np.testing.assert_allclose(a - b, -0.005, atol=1e-12)
        self.assertEqual((ax.get_xlabel(), ax.get_ylabel()), ("b", "a"))
        table = dyn.plot(sweep.pivot("a", "b", "slope"))
        np.testing.assert_array_equal(table.axes[0].images[0].get_array(), image.get_array())

    def test_curves_with_bands(self):
        sweep = self.sweep(a=[0.0, 1.0, 2.0], b=[0.0, 1.0], seed=[0, 1, 2])
        slope, size = dyn.plot(sweep).axes
        for line, b in zip(slope.lines, [0.0, 1.0]):
            np.testing.assert_allclose(line.get_ydata(), [a - b + 0.01 for a in (0, 1, 2)])
        band = slope.collections[0].get_paths()[0].vertices
        self.assertAlmostEqual(band[:, 1].max(), 2.01 + 0.01)      # mean and standard deviation of 0, .01, .02
        self.assertEqual(size.get_yscale(), "log")
        np.testing.assert_allclose(size.lines[0].get_ydata(), [1, 10, 100])

    def test_small_multiples_share_their_colours(self):
        sweep = self.sweep(a=np.arange(6.0), b=np.arange(6.0), kind=["p", "q", "r"], seed=[0])
        figure = dyn.plot(sweep, value="slope", across=["a", "b", "kind"])
        maps = [ax for ax in figure.axes if ax.images and ax.get_title()]
        self.assertEqual([ax.get_title() for ax in maps], ["kind = p", "kind = q", "kind = r"])
        self.assertEqual(len({ax.images[0].get_clim() for ax in maps}), 1)

    def test_histories(self):
        sweep = dyn.Sweep(sweeping.trained, sweeping.POINTS).train()
        ax = matplotlib.figure.Figure().subplots()
        dyn.plots.histories(ax, sweep, by="rate")
        rows = [m.history["loss"] for m in sweep.members(rate=1e-3)]
        np.testing.assert_array_equal(ax.lines[0].get_ydata(), np.median(rows, axis=0))

    def test_refused(self):
        sweep = self.sweep(a=[1.0, 2.0], b=[0.0], seed=[0])
        for options, message in [(dict(value="height"), "no column 'height'"), (dict(across=["c"]), "c is no parameter")]:
            with self.assertRaisesRegex(dyn.InvalidArgument, message):
                dyn.plot(sweep, **options)


class Cost(unittest.TestCase):
    def test_seconds_and_bytes(self):
        points = dict(width=[40], rate=[1e-3], seed=range(3))
        sweep = dyn.Sweep(sweeping.long, points, workers=1)
        cost = sweep.cost()
        self.assertEqual((cost.members, cost.workers), (3, 1))
        sweep.train()
        self.assertGreater(cost.seconds, 0)         # how near, tests/bench/sweeps.py shows
        self.assertAlmostEqual(cost.total, 3 * cost.seconds)
        with dyn.Context(threads=1) as context:
            before = context.bytes
            run = sweeping.long(40, 1e-3, 0).train()
            used = context.bytes - before
        self.assertEqual(run.step, sweeping.LONG)
        self.assertTrue(used / 2 < cost.bytes < 2 * used, (cost, used))
        self.assertEqual(sweep.cost().members, 0)

    def test_of_what_works_by_itself(self):
        with self.assertRaisesRegex(dyn.NotSupported, "not known before"):
            dyn.Sweep(sweeping.slow, sweeping.POINTS).cost()


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.store = self.folder / "s.sqlite"
        self.sweep = dyn.Sweep(sweeping.trained, sweeping.POINTS, store=self.store).train()

    def test_csv(self):
        self.sweep.write_csv(self.folder / "s.csv")
        with open(self.folder / "s.csv", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual([float(row["loss"]) for row in rows], self.sweep.frame()["loss"].tolist())
        self.assertEqual(rows[-1]["width"], "6")

    def test_npz(self):
        self.sweep.write_npz(self.folder / "s.npz")
        with np.load(self.folder / "s.npz") as found:
            np.testing.assert_array_equal(found["norm"], self.sweep.frame()["norm"])
            np.testing.assert_array_equal(found["3/theta"], self.sweep[3].theta)
            self.assertEqual(found["status"].tolist(), ["done"] * 12)

    def test_info_and_report(self):
        import contextlib
        import io
        import sys
        from dyn.__main__ import main
        out = io.StringIO()
        with contextlib.redirect_stdout(out), unittest.mock.patch.object(sys, "argv", ["dyn", "info", str(self.store)]):
            self.assertEqual(main(), 0)
        self.assertIn("members: 12 done", out.getvalue())
        self.assertIn("rate: 2 values: 0.001, 0.01", out.getvalue())
        dyn.report(self.sweep, self.folder / "s.html")
        page = (self.folder / "s.html").read_text()
        self.assertIn("<svg", page)
        self.assertIn("12 members", page)

    def test_tensorboard(self):
        try:
            import tensorboardX  # noqa: F401
        except ImportError:
            self.skipTest("no tensorboardX")
        run = sweeping.trained(3, 1e-3, 0)
        board = dyn.TensorBoard(self.folder / "one")
        run.log(board, every=50)
        run.train()
        board.close()
        written = b"".join(path.read_bytes() for path in (self.folder / "one").iterdir())
        for word in (b"loss", b"gradient_norm", b"norm"):
            self.assertIn(word, written)
        self.sweep.write_tensorboard(self.folder / "all")
        self.assertEqual(len(list((self.folder / "all").iterdir())), 12)


class Executors(unittest.TestCase):
    def same(self, executor, **options):
        here = dyn.Sweep(sweeping.trained, sweeping.POINTS).train()
        there = dyn.Sweep(sweeping.trained, sweeping.POINTS, executor=executor, **options).train()
        for a, b in zip(here, there):
            np.testing.assert_array_equal(a.theta, b.theta)
            np.testing.assert_array_equal(a.history["loss"], b.history["loss"])

    def test_processes_of_the_standard_library(self):
        import concurrent.futures
        import multiprocessing
        with concurrent.futures.ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
            self.same(pool)

    def test_mpi4py(self):
        try:
            import mpi4py  # noqa: F401
        except ImportError:
            self.skipTest("no mpi4py")
        if not shutil.which("mpirun"):
            self.skipTest("no mpirun")
        with tempfile.TemporaryDirectory() as folder:
            store = os.path.join(folder, "s.sqlite")
            here = str(Path(sweeping.__file__).parent)
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join([here, str(Path(dyn.__file__).parents[1])]),
                           "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
                           "OMPI_MCA_rmaps_base_oversubscribe": "1"}
            done = subprocess.run(["mpirun", "-n", "3", sys.executable, "-m", "mpi4py.futures", sweeping.__file__, store,
                                   "trained", "mpi"], env=environment, capture_output=True, text=True, timeout=120)
            self.assertEqual(done.returncode, 0, done.stderr)
            there = dyn.Sweep(sweeping.trained, sweeping.POINTS, store=store)
            self.assertEqual(there.frame()["status"].unique().tolist(), ["done"])
            for a, b in zip(there, dyn.Sweep(sweeping.trained, sweeping.POINTS).train()):
                np.testing.assert_array_equal(a.theta, b.theta)

    def test_dask(self):
        try:
            from dask.distributed import Client, LocalCluster
        except ImportError:
            self.skipTest("no dask.distributed")
        os.environ.setdefault("DASK_DISTRIBUTED__ADMIN__TICK__LIMIT", "1h")
        with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster) as client:
            self.same(client.get_executor(), workers=2)

    def test_ray(self):
        """Ray has no executor; what the guide makes of its futures is one."""
        try:
            import ray
        except ImportError:
            self.skipTest("no ray")

        class Ray:
            def submit(self, function, *arguments):
                return ray.remote(function).remote(*arguments).future()

        here = [str(Path(sweeping.__file__).parent), str(Path(dyn.__file__).parents[1])]
        ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="ERROR",
                 runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join(here)}})
        self.addCleanup(ray.shutdown)
        self.same(Ray(), workers=2)


if __name__ == "__main__":
    unittest.main()
