# SPDX-License-Identifier: BSD-3-Clause
"""Sweeps in the hands of strangers: odd points and results, damaged and foreign stores, a full disk, two at once."""
import concurrent.futures
import functools
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import unittest
import warnings
from pathlib import Path

import numpy as np

import dyn
import sweeping
from dyn.sweeps.labels import label
from support import wave

try:
    import pandas  # noqa: F401
except ImportError as missing:
    raise unittest.SkipTest("frames need pandas") from missing


def small(seed):
    return dyn.Run(dyn.mlp([1, 3, 1], seed=seed), *wave(), steps=5)


class Labels(unittest.TestCase):
    """What a store knows a value by tells any two apart that are not the same."""

    def test_two_that_differ(self):
        def times(k):
            return lambda v: v * k
        bump = np.zeros(5000)
        bump[2500] = 1
        pairs = [
            (dyn.mlp([1, 3, 1], activation="tanh"), dyn.mlp([1, 3, 1], activation="relu")),
            (dyn.mlp([1, 3, 1], seed=1), dyn.mlp([1, 3, 1], seed=2)),
            (times(1), times(2)), *zip([lambda v, k=1: v * k], [lambda v, k=2: v * k]),
            (functools.partial(np.add, 1), functools.partial(np.add, 2)),
            ({"x": np.zeros(5000)}, {"x": bump}), ([np.zeros(5000)], [bump]), (np.zeros(2), np.zeros(2, np.int64)),
            (dyn.Adam(1e-2), dyn.Adam(1e-2, beta1=0.5)), (dyn.init.normal(1.0), dyn.init.normal(2.0)), (None, "None0"),
            (dyn.Objective.from_functions(1, value=lambda t: t @ t, gradient=lambda t: (t @ t, 2 * t)),
             dyn.Objective.from_functions(1, value=lambda t: 2 * t @ t, gradient=lambda t: (2 * t @ t, 4 * t)))]
        for one, other in pairs:
            self.assertNotEqual(label(one), label(other))

    def test_the_same_is_the_same(self):
        for make in (lambda: dyn.Adam(1e-2), lambda: dyn.mlp([1, 3, 1], seed=1), lambda: {"a": np.ones(3)},
                     lambda: functools.partial(label, 1), lambda: np.array([1, None, "x"], object)):
            self.assertEqual(label(make()), label(make()))
        self.assertEqual(label({"c", "a", "b"}), "{a, b, c}")       # whatever order the process has them in
        self.assertEqual(label(dyn.Adam(1e-2)), "Adam(rate=0.01)")

    def test_in_every_process_the_same(self):
        text = "from dyn.sweeps.labels import label; print(label(lambda v: v in {'a', 'b', 'c', 'd'}))"
        found = {subprocess.run([sys.executable, "-c", text], env={**os.environ, "PYTHONHASHSEED": str(seed)},
                                check=True, capture_output=True, text=True).stdout for seed in range(4)}
        self.assertEqual(len(found), 1)

    def test_two_that_look_alike_are_refused(self):
        class Mute:
            def __repr__(self):
                return "mute"
        one = Mute()
        self.assertEqual(len(dyn.Sweep(lambda a, seed: 1.0, dict(a=[one], seed=[1, 2]))), 2)
        with self.assertRaisesRegex(dyn.InvalidArgument, "two values of a are both described as mute"):
            dyn.Sweep(lambda a: 1.0, dict(a=[one, Mute()]))


class OddPoints(unittest.TestCase):
    def test_the_same_point_twice_is_trained_once(self):
        calls = []
        sweep = dyn.Sweep(lambda a: calls.append(a) or small(1), dict(a=[1, 1, 2, [3], (3,)]), executor="threads")
        sweep.train()
        self.assertEqual((len(calls), sweep.frame()["status"].tolist()), (3, ["done"] * 5))
        self.assertEqual(sweep[0].number, sweep[1].number)

    def test_names(self):
        point = {"a b": 1, "it's": 2, 'q"': 3, "γ": 4, "); DROP TABLE members;": 5}
        sweep = dyn.Sweep(lambda **given: float(sum(given.values())), [point])
        self.assertEqual(sweep.train().frame()["value"].tolist(), [15.0])
        for name in ("status", "step", "loss", "seconds", "message"):
            with self.assertRaisesRegex(dyn.InvalidArgument, f"{name} is a column that every table"):
                dyn.Sweep(lambda **p: 1.0, {name: [1]})
        with self.assertRaisesRegex(dyn.InvalidArgument, "the name 1, which is no text"):
            dyn.Sweep(lambda **p: 1.0, [{1: 1}])
        with self.assertRaisesRegex(dyn.InvalidArgument, "does not take the parameters sead: .*'seed'"):
            dyn.Sweep(small, dict(sead=[1]))

    def test_refused(self):
        for given, message in [
                (dict(points=None), "points=None"), (dict(points=[]), "no points"),
                (dict(points=dict(seed=[])), "seed has no"),
                (dict(points=dict(seed=lambda r: 1), draws=0), "draws=0"), (dict(workers=0), "workers=0"),
                (dict(workers=1.5), "workers=1.5"), (dict(executor="process"), "executor='process'"),
                (dict(points=dict(seed=["\udc80"])), "surrogates"), (dict(store=""), "a folder that is there"),
                (dict(store="/nowhere/at/all.sqlite"), "a folder that is there")]:
            with self.assertRaisesRegex((dyn.InvalidArgument, dyn.FileError), message):
                dyn.Sweep(small, **{"points": dict(seed=[1]), **given})

    def test_order_of_parameters_does_not_matter(self):
        sweep = dyn.Sweep(lambda a, b: a - b, [dict(a=1, b=2), dict(b=3, a=1)]).train()
        self.assertEqual(sweep.frame()["value"].tolist(), [-1, -2])

    def test_members_by_values_of_any_kind(self):
        sweep = dyn.Sweep(lambda a, n: 1.0, dict(a=[np.zeros(2), np.ones(2), float("nan"), None], n=[1, 2]))
        for value in sweep.points[::2]:
            found = sweep.members(a=value["a"], n=2)
            self.assertEqual([label(m.point["a"]) for m in found], [label(value["a"])])
        self.assertEqual([m.point for m in sweep[-1:]], [sweep.points[-1]])

    def test_a_pivot_over_objects(self):
        rules = [dyn.GD(0.1), dyn.Adam(1e-2)]
        sweep = dyn.Sweep(lambda rule, seed: dyn.Run(dyn.mlp([1, 3, 1], seed=seed), *wave(), optimizer=rule, steps=5),
                          dict(rule=rules, seed=[1, 2])).train()
        table = sweep.pivot("rule", "seed", "loss")
        self.assertEqual(list(table.index), ["Adam(rate=0.01)", "GD(rate=0.1)"])
        self.assertEqual(table.loc["GD(rate=0.1)", 2], sweep.members(rule=rules[0], seed=2)[0].history["loss"][-1])
        with self.assertRaisesRegex(dyn.InvalidArgument, "message is text"):
            sweep.pivot("rule", "seed", "message")

    def test_one_array_is_looked_at_once(self):
        """Keys of 2000 points that share 80 MB are made at once."""
        data = np.zeros(10_000_000)
        sweep = dyn.Sweep(lambda data, seed: 1.0, dict(data=[data], seed=range(2000)))
        self.assertEqual(len(sweep), 2000)


class Drawn(unittest.TestCase):
    """What is drawn of values that are no numbers, of members that diverged, and of points that are drawn."""

    def setUp(self):
        try:
            import matplotlib.figure
        except ImportError as missing:
            raise unittest.SkipTest("figures need matplotlib") from missing
        self.ax = matplotlib.figure.Figure().subplots()

    def test_what_diverged_is_no_mean(self):
        def experiment(rate, seed):
            return dyn.Run(dyn.mlp([1, 3, 1], seed=seed), *wave(), optimizer=dyn.GD(rate), steps=5)
        sweep = dyn.Sweep(experiment, dict(rate=[.1, 1e300], seed=[1, 2])).train()
        self.assertEqual(sweep.frame()["status"].tolist(), ["done"] * 2 + ["nonfinite"] * 2)
        losses = sweep.pivot("rate", "seed", "loss")
        self.assertTrue(np.isfinite(losses.loc[.1]).all() and losses.loc[1e300].isna().all())
        self.assertTrue((sweep.pivot("rate", "seed", "step").loc[1e300] < 5).all())
        dyn.plots.bands(self.ax, sweep.frame(), "rate", "loss")
        self.assertEqual(np.isfinite(self.ax.lines[0].get_ydata()).tolist(), [True, False])

    def test_curves_of_drawn_points_have_no_gaps(self):
        points = dict(rate=lambda generator: generator.uniform(), width=[1, 2])
        sweep = dyn.Sweep(lambda rate, width: rate * width, points, draws=5).train()
        dyn.plots.bands(self.ax, sweep.frame(), "rate", "value", "width")
        for line, width in zip(self.ax.lines, (1, 2)):
            self.assertEqual(len(line.get_xdata()), 5)
            np.testing.assert_allclose(line.get_ydata(), width * np.asarray(line.get_xdata()))

    def test_labels_differ(self):
        nets = [dyn.mlp([1, 30, 30, 1], activation=a, seed=s) for a in ("tanh", "relu") for s in (1, 2)]
        sweep = dyn.Sweep(lambda net, rule: float(net.seed), dict(net=nets, rule=[dyn.GD(.1), dyn.Adam(.01)])).train()
        dyn.plots.bands(self.ax, sweep.frame(), "net", "value", "rule")
        shown = [tick.get_text() for tick in self.ax.get_xticklabels()]
        self.assertEqual(len(set(shown)), 4)
        self.assertTrue(all(text.startswith("mlp 1-30-30-1") for text in shown), shown)
        legend = [text.get_text() for text in self.ax.get_legend().get_texts()]
        self.assertEqual(legend, ["rule = GD(rate=0.1)", "rule = Adam(rate=0.01)"])


class OddResults(unittest.TestCase):
    def message(self, made):
        with self.assertWarnsRegex(RuntimeWarning, "1 of 1 members failed.*the first at {\"x\": 1}"):
            return dyn.Sweep(lambda x: made, dict(x=[1]), executor="threads").train()[0].message

    def test_refused_with_a_reason(self):
        for made, message in [(None, "returned None: return the run"), ({"loss": "low"}, "'low', which is no number"),
                              ({"u": [[1], [1, 2]]}, "u is builtins.list"), ({"u": {"v": 1}}, "u is builtins.dict"),
                              ({"step": 1.0}, "step is the name of a parameter or of a column"),
                              (1j, "value is builtins.complex")]:
            self.assertIn(message, self.message(made))

    def test_taken(self):
        made = {1: 2.0, "big": 2**70, "loss": np.inf, "t": "text", "z": np.float32(0.5), "v": (1, 2)}
        found = dyn.Sweep(lambda x: made, dict(x=[2**70])).train()
        row = found.frame().iloc[0]
        self.assertEqual((row["1"], row["loss"], row["t"], row["z"], row["x"]), (2.0, np.inf, "text", 0.5, 2**70))
        self.assertEqual(found[0].arrays["v"].tolist(), [1, 2])
        self.assertEqual(dyn.Sweep(lambda x: {}, dict(x=[1])).train().frame()["status"].tolist(), ["done"])

    def test_a_name_that_is_taken_is_refused_before_training(self):
        def experiment(norm):
            run = dyn.Run(dyn.mlp([1, 3, 1]), *wave(), steps=10**9)
            run.measure(lambda state: 1.0, name="norm", every=100)
            return run
        with self.assertWarnsRegex(RuntimeWarning, "norm is the name of a parameter"):
            dyn.Sweep(experiment, dict(norm=[1]), executor="threads").train()

    def test_what_only_runs_have(self):
        with self.assertRaisesRegex(AttributeError, "member 1, waiting, has no history"):
            dyn.Sweep(small, dict(seed=[1]))[0].history


class OddStores(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.store = os.path.join(self.folder.name, "a ?%#ö.sqlite")

    def changed(self, sql):
        """A store of three, in which something is not as it was."""
        Path(self.store).unlink(missing_ok=True)
        dyn.Sweep(small, dict(seed=range(3)), store=self.store).train()
        with sqlite3.connect(self.store) as db:
            db.execute(sql)
        db.close()

    def test_the_file_is_whole_when_training_ends(self):
        sweep = dyn.Sweep(small, dict(seed=range(3)), store=self.store).train()
        copy = shutil.copy(self.store, self.store + ".copy")        # without the log beside it
        self.assertEqual(dyn.Sweep.open(copy).frame()["status"].tolist(), ["done"] * 3)
        self.assertEqual(sorted(os.listdir(self.folder.name))[-1], Path(copy).name)
        del sweep
        self.assertEqual(len(os.listdir(self.folder.name)), 2)      # the file is closed with the sweep: no log is left

    def test_damaged(self):
        self.changed("UPDATE members SET point = 'x' WHERE member = 1")
        with self.assertRaisesRegex(dyn.FormatError, "the point of member 1 is damaged: x"):
            dyn.Sweep.open(self.store)
        self.changed("UPDATE arrays SET data = x'00' WHERE member = 2")
        with self.assertRaisesRegex(dyn.FormatError, "member 2 is damaged"):
            dyn.Sweep.open(self.store)[1]
        self.changed("UPDATE about SET value = '2' WHERE name = 'schema'")
        with self.assertRaisesRegex(dyn.VersionError, "version 2 of the tables"):
            dyn.Sweep.open(self.store)

    def test_bytes_that_were_changed(self):
        self.changed("VACUUM")
        whole = bytearray(Path(self.store).read_bytes())
        whole[8192::13] = bytes(b ^ 0x5a for b in whole[8192::13])
        Path(self.store).write_bytes(whole)
        with self.assertRaisesRegex(dyn.FileError, "malformed"):
            dyn.Sweep.open(self.store).frame()

    def test_empty(self):
        Path(self.store).touch()
        with self.assertRaisesRegex(dyn.InvalidArgument, "it has no tables"):
            dyn.Sweep.open(self.store)
        self.changed("DELETE FROM members")
        with self.assertRaisesRegex(dyn.InvalidArgument, "holds no members"):
            dyn.Sweep.open(self.store)

    def test_looked_at_where_nobody_can_write(self):
        dyn.Sweep(small, dict(seed=range(3)), store=self.store).train()
        os.chmod(self.store, 0o444)
        os.chmod(self.folder.name, 0o555)
        self.addCleanup(os.chmod, self.folder.name, 0o755)
        text = f"import dyn; print(dyn.Sweep.open({self.store!r}).table()['status'])"
        drop = ["setpriv", "--inh-caps=-dac_override", "--bounding-set=-dac_override"] if os.getuid() == 0 else []
        if drop and shutil.which("setpriv") is None:
            self.skipTest("root may write everywhere")
        seen = subprocess.run([*drop, sys.executable, "-c", text], capture_output=True, text=True, check=True)
        self.assertEqual(seen.stdout.strip(), str(["done"] * 3))
        self.assertEqual(len(os.listdir(self.folder.name)), 1)

    def test_a_full_disk_is_told_and_lived_through(self):
        sweep = dyn.Sweep(lambda seed: {"v": np.full(20_000, float(seed))}, dict(seed=range(100)), store=self.store)
        before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        self.addCleanup(signal.signal, signal.SIGXFSZ, handler)
        resource.setrlimit(resource.RLIMIT_FSIZE, (3_000_000, before[1]))
        try:
            with self.assertRaisesRegex(dyn.FileError, "sqlite: (disk|database or disk is full)"):
                sweep.train()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        np.testing.assert_array_equal(sweep.train()[99].arrays["v"][:2], [99, 99])
        self.assertEqual(sweep.frame()["status"].unique().tolist(), ["done"])

    def test_two_at_once(self):
        """A second process is refused while the first trains, looks meanwhile, and goes on when it is killed."""
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        first = subprocess.Popen([sys.executable, sweeping.__file__, self.store, "long"], env=environment)
        self.addCleanup(first.kill)
        lock = Path(self.store + ".lock")
        while not lock.exists() or not lock.read_text():        # it has the lock
            self.assertIsNone(first.poll())
        with self.assertRaisesRegex(dyn.StateError, f"is being trained by process {first.pid}"):
            dyn.Sweep(sweeping.long, sweeping.POINTS, store=self.store).train()
        self.assertEqual(len(dyn.Sweep.open(self.store)), 12)
        first.kill()
        first.wait()
        dyn.Sweep(sweeping.long, {**sweeping.POINTS, "seed": [0]}, store=self.store).train()
        self.assertFalse(lock.exists())

    def test_two_threads_at_once(self):
        begun, end = threading.Event(), threading.Event()

        def waits(seed):
            begun.set()
            end.wait()
            return 1.0
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            first = pool.submit(dyn.Sweep(waits, dict(seed=[1]), store=self.store).train)
            begun.wait()
            try:
                with self.assertRaisesRegex(dyn.StateError, f"is being trained by process {os.getpid()}"):
                    dyn.Sweep(waits, dict(seed=[1]), store=self.store).train()
            finally:
                end.set()
            self.assertEqual(first.result().table()["status"], ["done"])

    def test_what_ended_when_it_was_stopped_is_kept(self):
        """Members that no work of ours can be stopped in come to their end, and count."""
        ready = threading.Barrier(3)

        def experiment(seed):
            if seed < 2:
                ready.wait()
                stopped.wait()
            return float(seed)
        stopped = threading.Event()
        sweep = dyn.Sweep(experiment, dict(seed=range(100)), store=self.store, workers=2, executor="threads")

        def stop():
            ready.wait()
            sweep.stop()
            threading.Timer(0.3, stopped.set).start()
        threading.Thread(target=stop).start()
        sweep.train()
        self.assertEqual(dyn.Sweep.open(self.store).table()["status"][:2], ["done"] * 2)
        self.assertEqual(sweep.table()["status"].count("waiting"), 98)


class ManyMembers(unittest.TestCase):
    def test_one_after_the_other(self):
        """To go through a sweep takes a time for each of its members, not for each pair of them."""
        sweep = dyn.Sweep(lambda i: {"a": float(i)}, dict(i=range(5000))).train()
        asked = []
        sweep._store._db.set_trace_callback(asked.append)
        self.assertEqual([m.results["a"] for m in sweep[:50]], [float(i) for i in range(50)])
        sweep._store._db.set_trace_callback(None)
        self.assertEqual(len(asked), 150)
        self.assertTrue(all("member = " in text for text in asked), asked[:3])

    def test_nothing_is_left_open(self):
        with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
            warnings.simplefilter("error")
            for i in range(3):
                dyn.Sweep(small, dict(seed=range(4)), store=f"{folder}/{i}").train()
                if i == 0:
                    before = len(os.listdir("/proc/self/fd")), threading.active_count()
            self.assertLessEqual(len(os.listdir("/proc/self/fd")), before[0])
            self.assertLessEqual(threading.active_count(), before[1])


if __name__ == "__main__":
    unittest.main()
