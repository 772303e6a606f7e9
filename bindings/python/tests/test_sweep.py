# SPDX-License-Identifier: BSD-3-Clause
"""Sweeps: members against runs of their own, whoever trains them; what is stored; and being killed."""
import concurrent.futures
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

import numpy as np

import dyn
import sweeping
from dyn._lib import call, lib
from support import interrupt_after, wave

try:
    import pandas  # noqa: F401
except ImportError as missing:
    raise unittest.SkipTest("frames need pandas") from missing


def arrays(sweep):
    """All that members hold, to be compared bit for bit; not which process it was."""
    return [{name: a.tobytes() for name, a in m.arrays.items() if "process" not in name} for m in sweep]


class Points(unittest.TestCase):
    def test_grid_list_and_draws(self):
        grid = dyn.Sweep(sweeping.slow, sweeping.POINTS)
        self.assertEqual([len(grid), grid.points[0], grid.points[-1]],
                         [12, dict(width=3, rate=1e-3, seed=0), dict(width=6, rate=1e-2, seed=2)])
        given = [dict(width=3, rate=.1, seed=1), dict(width=4, rate=.2, seed=0)]
        self.assertEqual(dyn.Sweep(sweeping.slow, given).points, given)
        drawn = dyn.Sweep(sweeping.slow, dict(width=[3, 6], rate=lambda rng: rng.uniform(), seed=[0]), draws=4, seed=5)
        self.assertEqual(len({p["rate"] for p in drawn.points}), 8)
        for i in (0, 5):    # a draw depends on its number alone
            expected = np.random.default_rng(np.random.SeedSequence(5, spawn_key=(i,))).uniform()
            self.assertEqual(drawn.points[i]["rate"], expected)

    def test_values_of_any_kind(self):
        points = dict(optimizer=[dyn.GD(0.1), dyn.Adam(1e-2)], data=[np.zeros(3), np.ones(3)], f=[np.sin, abs],
                      c=[np.float32(0.5)], flag=[True], word=["a"], nothing=[None], wide=[float("inf")])
        sweep = dyn.Sweep(lambda **point: float(point["data"].sum()), points).train()
        self.assertEqual(sweep.frame()["value"].tolist(), [0.0, 0.0, 3.0, 3.0] * 2)

    def test_refused(self):
        for points, message in [(dict(a=[]), "no points"), (dict(a=3), "a=3"), (dict(a="abc"), "a='abc'"),
                                ([dict(a=1), dict(b=1)], "point 1 has the parameters b")]:
            with self.assertRaisesRegex(dyn.InvalidArgument, message):
                dyn.Sweep(sweeping.slow, points)
        with self.assertRaisesRegex(dyn.InvalidArgument, "where it lies"):
            dyn.Sweep(lambda a: 1.0, dict(a=[object()]))
        with self.assertRaisesRegex(TypeError, "an experiment is a function"):
            dyn.Sweep(3, dict(a=[1]))


class SameBits(unittest.TestCase):
    def test_as_a_run_of_its_own(self):
        sweep = dyn.Sweep(sweeping.trained, sweeping.POINTS).train()
        for point, member in zip(sweep.points, sweep):
            run = sweeping.trained(**point).train()
            np.testing.assert_array_equal(member.theta, run.theta)
            np.testing.assert_array_equal(member.history["loss"], run.history["loss"])
            np.testing.assert_array_equal(member["norm"].values, run["norm"].values)
            self.assertEqual((member.step, member.reason), (200, "steps"))

    def test_whoever_trains_them(self):
        expected = arrays(dyn.Sweep(sweeping.trained, sweeping.POINTS, workers=1).train())
        backwards = [p for p in reversed(dyn.Sweep(sweeping.trained, sweeping.POINTS).points)]
        self.assertEqual(arrays(dyn.Sweep(sweeping.trained, backwards, workers=5).train())[::-1], expected)
        self.assertEqual(arrays(dyn.Sweep(sweeping.trained, sweeping.POINTS, executor="processes").train()), expected)
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            self.assertEqual(arrays(dyn.Sweep(sweeping.trained, sweeping.POINTS, executor=pool).train()), expected)

    def test_in_the_class_of_the_context(self):
        """Members compute in the class in which train() is called, in threads and in processes; its bits are a run's."""
        def numerics_of(sweep):
            rows = sweep._store.rows()
            return {rows[i]["numerics"] for i in rows}

        with dyn.Context(isa="reference") as context:
            run = sweeping.trained(**dyn.Sweep(sweeping.trained, sweeping.POINTS).points[0]).train()
            for executor in ("threads", "processes"):
                sweep = dyn.Sweep(sweeping.trained, sweeping.POINTS, executor=executor).train()
                self.assertEqual((sweep.about["numerics"], numerics_of(sweep)), (context.numerics, {context.numerics}))
                np.testing.assert_array_equal(sweep[0].theta, run.theta)

    def test_python_at_every_step_goes_to_processes(self):
        sweep = dyn.Sweep(sweeping.python, sweeping.POINTS).train()
        self.assertEqual(sweep.frame()["status"].unique().tolist(), ["done"])
        self.assertNotIn(os.getpid(), sweep.frame()["process"].tolist())
        here = dyn.Sweep(sweeping.python, sweeping.POINTS, executor="threads").train()
        self.assertEqual(here.frame()["process"].unique().tolist(), [os.getpid()])
        self.assertEqual(arrays(here), arrays(sweep))


class Plans(unittest.TestCase):
    """Members of equal shapes share plans; who comes first, and where, changes no bit of anybody."""

    @staticmethod
    def experiment(width, seed):
        run = dyn.Run(dyn.mlp([1, width, 1], seed=seed), *wave(), optimizer=dyn.Adam(1e-2), batch=7, seed=seed, steps=40)
        run.measure(dyn.Sharpness(k=2), every=10)
        return run

    def test_members_are_runs_of_their_own(self):
        points = [dict(width=width, seed=seed) for seed in range(4) for width in (3, 5, 8)]
        with dyn.Context(threads=1):
            alone = {tuple(point.values()): self.experiment(**point).train() for point in points}
        for order, workers in ((1, 1), (-1, 2), (1, 5)):
            sweep = dyn.Sweep(self.experiment, points[::order], workers=workers, executor="threads").train()
            for member in sweep:
                run = alone[tuple(member.point.values())]
                np.testing.assert_array_equal(member.theta, run.theta)
                np.testing.assert_array_equal(member.history["loss"], run.history["loss"])
                np.testing.assert_array_equal(member["sharpness"].values, run["sharpness"].values)

    def test_a_plan_is_found_again(self):
        """The second member of a shape takes no memory for plans in its context."""
        with dyn.Context(threads=1) as keeper:
            grown = []
            for _ in range(2):
                with dyn.Context(threads=1) as context:
                    call(context, lib.dyn_sweep_share_plans, context, keeper)
                    before = context.bytes
                    run = self.experiment(3, 1)
                    grown.append(context.bytes - before)
            self.assertLess(grown[1], grown[0] - 10_000)
            with self.assertRaisesRegex(dyn.InvalidArgument, "shares plans already"):
                call(run._context, lib.dyn_sweep_share_plans, run._context, keeper)


class Results(unittest.TestCase):
    def test_frame_and_pivot(self):
        sweep = dyn.Sweep(sweeping.slow, sweeping.POINTS, workers=12).train()
        frame = sweep.frame()
        self.assertEqual(list(frame), ["width", "rate", "seed", "status", "step", "loss", "sum", "seconds", "message"])
        np.testing.assert_array_equal(frame["sum"], [sum(p.values()) for p in sweep.points])
        table = sweep.pivot("width", "rate", "sum")
        np.testing.assert_allclose(table, [[w + r + 1 for r in (1e-3, 1e-2)] for w in (3, 6)], rtol=1e-15)
        self.assertEqual((table.index.name, table.columns.name), ("width", "rate"))
        np.testing.assert_array_equal(sweep.members(width=6, seed=2)[0].arrays["vector"], np.arange(6))
        with self.assertRaisesRegex(dyn.InvalidArgument, "no column total"):
            sweep.pivot("width", "rate", "total")

    def test_one_that_fails_or_diverges_touches_no_other(self):
        def experiment(rate):
            if rate < 0:
                raise LookupError("a rate below zero")
            return dyn.Run(dyn.mlp([1, 3, 1], seed=1), *wave(), optimizer=dyn.GD(rate), steps=30)
        sweep = dyn.Sweep(experiment, dict(rate=[0.1, -1.0, 1e300, 0.01])).train()
        self.assertEqual(sweep.frame()["status"].tolist(), ["done", "failed", "nonfinite", "done"])
        self.assertEqual([m.message for m in sweep.failed], ["LookupError: a rate below zero"])
        self.assertIn("loss is inf at step", sweep[2].message)
        self.assertTrue(len(sweep[2].history["loss"]) < 31)
        np.testing.assert_array_equal(sweep[0].theta, experiment(0.1).train().theta)

    def test_what_an_experiment_must_not_return(self):
        for made, message in [({"a": object()}, "a is builtins.object"), ({"x": 1.0}, "x is the name of a parameter"),
                              (dyn.Run(dyn.mlp([1, 1]), [0.0], [0.0]), "has no end")]:
            sweep = dyn.Sweep(lambda x: made, dict(x=[1]), executor="threads").train()
            self.assertIn(message, sweep[0].message)

    def test_measurements_come_back(self):
        def experiment(seed):
            run = dyn.Run(dyn.mlp([1, 5, 1], seed=seed), *wave(), steps=20, validation=wave(9), validate_every=5)
            run.measure(dyn.Sharpness(k=2), every=10)
            run.measure(dyn.Condensation(), at="end")
            run.measure(dyn.ModelRank(), at="end")
            return run
        sweep = dyn.Sweep(experiment, dict(seed=[3])).train()
        run, member = experiment(3).train(), sweep[0]
        np.testing.assert_array_equal(member["sharpness"].values, run["sharpness"].values)
        np.testing.assert_array_equal(member["condensation"].features, run["condensation"].features)
        row = sweep.frame().iloc[0]
        self.assertEqual(row["sharpness"], run["sharpness"].values[-1, 0])
        self.assertEqual(row["condensation"], run["condensation"].effective[-1])
        self.assertEqual(row["rank"], run["rank"].rank[-1])
        self.assertEqual(row["validation_loss"], run.history["validation_loss"][-1])


class Stores(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.store = os.path.join(self.folder.name, "sweep.sqlite")

    def test_read_by_others_while_it_is_open(self):
        sweep = dyn.Sweep(sweeping.trained, sweeping.POINTS, store=self.store).train()
        with sqlite3.connect(self.store) as db:
            self.assertEqual(db.execute("PRAGMA integrity_check").fetchone(), ("ok",))
            found = db.execute("SELECT p.value, count(*), avg(m.loss) FROM members m JOIN parameters p USING (member) "
                               "WHERE p.name = 'width' AND m.status = 'done' GROUP BY 1").fetchall()
            blob, = db.execute("SELECT data FROM histories WHERE member = 1 AND name = 'loss'").fetchone()
            steps, values = db.execute("SELECT steps, \"values\" FROM series WHERE member = 1 AND name = 'norm'").fetchone()
        losses = sweep.frame().groupby("width")["loss"].mean()
        self.assertEqual([(w, n) for w, n, _ in found], [(3, 6), (6, 6)])
        np.testing.assert_allclose([loss for _, _, loss in found], losses, rtol=1e-14)
        np.testing.assert_array_equal(np.frombuffer(blob), sweep[0].history["loss"])
        np.testing.assert_array_equal(np.frombuffer(steps, np.int64), sweep[0]["norm"].steps)
        np.testing.assert_array_equal(np.frombuffer(values), sweep[0]["norm"].values)

    def test_those_that_end_together_are_kept_together(self):
        """Many that are cheap go into the store by few transactions; arrays come back whatever their order of bytes."""
        sweep = dyn.Sweep(lambda seed: {"own": np.arange(seed, seed + 3.0), "swapped": np.arange(3).astype(">i4")},
                          dict(seed=range(200)), store=self.store)
        kept, finish = [], sweep._store.finish
        sweep._store.finish = lambda ended: (kept.append(len(ended)), finish(ended))
        sweep.train()
        self.assertEqual(sum(kept), 200)
        self.assertLess(len([n for n in kept if n]), 50)
        for i, member in enumerate(dyn.Sweep.open(self.store)):
            np.testing.assert_array_equal(member.arrays["own"], [i, i + 1, i + 2])
            np.testing.assert_array_equal(member.arrays["swapped"], [0, 1, 2])
            self.assertEqual(member.arrays["swapped"].dtype.str, "<i4")

    def test_goes_on_and_grows(self):
        first = dyn.Sweep(sweeping.slow, {**sweeping.POINTS, "seed": [0]}, store=self.store).train()
        again = dyn.Sweep(sweeping.slow, {**sweeping.POINTS, "seed": [2, 0, 1]}, store=self.store).train()
        self.assertEqual(len(again.members(seed=1)), 4)
        np.testing.assert_array_equal(again.frame()["seconds"].iloc[1::3], first.frame()["seconds"])
        looked = dyn.Sweep.open(self.store)
        self.assertEqual((len(looked), looked.points[0]), (12, first.points[0]))

    def test_parts_are_taken_in(self):
        whole = dyn.Sweep(sweeping.trained, sweeping.POINTS, store=self.store)
        parts = [self.store + ".part" + str(i) for i in range(3)]
        for i, path in enumerate(parts):
            dyn.Sweep(sweeping.trained, whole.points[i::3], store=path).train()
        whole.take(*parts)
        self.assertEqual(whole.frame()["status"].unique().tolist(), ["done"])
        expected = dyn.Sweep(sweeping.trained, sweeping.POINTS).train()
        self.assertEqual(arrays(whole), arrays(expected))
        self.assertEqual(whole.frame()["norm"].tolist(), expected.frame()["norm"].tolist())
        other = dyn.Sweep(sweeping.long, sweeping.POINTS)
        with self.assertRaisesRegex(dyn.InvalidArgument, "part0 is the store of another sweep"):
            other.take(parts[0])

    def test_failed_ones_are_kept_until_asked_for(self):
        broken = [True]

        def experiment(x):
            if broken[0] and x == 1:
                raise ValueError("broken")
            return float(x)
        sweep = dyn.Sweep(experiment, dict(x=[0, 1]), store=self.store).train()
        broken[0] = False
        self.assertEqual(sweep.train().frame()["status"].tolist(), ["done", "failed"])
        self.assertEqual(sweep.train(retry=True).frame()["value"].tolist(), [0.0, 1.0])

    def test_another_definition_is_refused(self):
        def experiment(steps, activation, rate, data):
            def made(seed):
                net = dyn.mlp([1, 3, 1], activation=activation, seed=seed)
                return dyn.Run(net, *wave(data), optimizer=dyn.Adam(rate), steps=steps)
            return made
        point = dict(seed=[1])
        dyn.Sweep(experiment(5, "tanh", 1e-3, 10), point, store=self.store).train()
        dyn.Sweep(experiment(5, "tanh", 1e-3, 10), point, store=self.store)
        for other in [(6, "tanh", 1e-3, 10), (5, "relu", 1e-3, 10), (5, "tanh", 2e-3, 10), (5, "tanh", 1e-3, 11)]:
            with self.assertRaisesRegex(dyn.InvalidArgument, "the store of another sweep"):
                dyn.Sweep(experiment(*other), point, store=self.store)
        with self.assertRaisesRegex(dyn.InvalidArgument, "its parameters are seed, here they are width"):
            dyn.Sweep(lambda width: 1.0, dict(width=[1]), store=self.store)
        with self.assertRaisesRegex(dyn.InvalidArgument, "none of its finished members"):
            dyn.Sweep(experiment(5, "tanh", 1e-3, 10), dict(seed=[2]), store=self.store)

    def test_other_code_is_refused_where_results_are_returned(self):
        dyn.Sweep(lambda x: x + 1.0, dict(x=[1]), store=self.store).train()
        dyn.Sweep(lambda x: x + 1.0, dict(x=[1, 2]), store=self.store).train()
        with self.assertRaisesRegex(dyn.InvalidArgument, "the code of the experiment is another"):
            dyn.Sweep(lambda x: x + 2.0, dict(x=[1]), store=self.store)

    def test_no_store(self):
        Path(self.store).write_bytes(b"something else entirely" * 100)
        with self.assertRaisesRegex(dyn.FileError, "not a database"):
            dyn.Sweep(sweeping.slow, sweeping.POINTS, store=self.store)
        other = self.store + "2"
        with sqlite3.connect(other) as db:
            db.execute("CREATE TABLE songs (title TEXT)")
        db.close()
        with self.assertRaisesRegex(dyn.InvalidArgument, "it has the tables songs"):
            dyn.Sweep(sweeping.slow, sweeping.POINTS, store=other)
        with self.assertRaisesRegex(dyn.FileError, "is not there"):
            dyn.Sweep.open(self.store + "3")


class Killed(unittest.TestCase):
    """kill -9 of the whole, and of a process that trains a member."""

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.store = os.path.join(self.folder.name, "sweep.sqlite")

    def start(self, *arguments):
        here = str(Path(sweeping.__file__).parent)
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join([here, str(Path(dyn.__file__).parents[1])])}
        return subprocess.Popen([sys.executable, sweeping.__file__, self.store, *arguments], env=environment)

    def finished(self):
        if not os.path.exists(self.store):
            return 0
        with sqlite3.connect(self.store, timeout=10) as db:
            try:
                return db.execute("SELECT count(*) FROM members WHERE status = 'done'").fetchone()[0]
            except sqlite3.OperationalError:    # the tables are not made yet
                return 0

    def wait(self, condition):
        limit = time.time() + 60
        while not condition():
            self.assertLess(time.time(), limit)
            time.sleep(0.01)

    def kill(self, process):
        process.send_signal(signal.SIGKILL)
        process.wait()

    def test_the_parent(self):
        program = self.start("long")
        self.wait(lambda: self.finished() >= 3)
        self.kill(program)
        done = self.finished()
        self.assertLess(done, 12)
        sweep = dyn.Sweep(sweeping.long, sweeping.POINTS, store=self.store)
        self.assertEqual(sweep.frame()["status"].tolist().count("done"), done)
        with sqlite3.connect(self.store) as db:
            before = db.execute("SELECT member, finished, seconds FROM members WHERE status = 'done'").fetchall()
        sweep.train()
        with sqlite3.connect(self.store) as db:
            after = db.execute("SELECT member, finished, seconds FROM members").fetchall()
            self.assertEqual(db.execute("PRAGMA integrity_check").fetchone(), ("ok",))
        self.assertTrue(set(before) <= set(after))      # what was finished was not run again
        self.assertEqual(arrays(sweep), arrays(dyn.Sweep(sweeping.long, sweeping.POINTS).train()))

    def test_the_parent_with_checkpoints(self):
        program = self.start("long", "0.01")
        folder = Path(self.store + ".checkpoints")
        self.wait(lambda: self.finished() >= 2 and any(folder.glob("*.npz")))
        self.kill(program)
        checkpoints = list(folder.glob("*.npz"))
        sweep = dyn.Sweep(sweeping.long, sweeping.POINTS, store=self.store)
        steps = [np.load(path)["state"][1] for path in checkpoints]
        sweep.train(checkpoint_every=60)
        self.assertTrue(any(0 < step < sweeping.LONG for step in steps), steps)
        self.assertEqual(list(folder.glob("*.npz")), [])
        self.assertEqual(arrays(sweep), arrays(dyn.Sweep(sweeping.long, sweeping.POINTS).train()))

    def test_a_worker_once(self):
        flag = os.path.join(self.folder.name, "flag")
        os.environ["DYN_TEST_FLAG"] = flag
        self.addCleanup(os.environ.pop, "DYN_TEST_FLAG")
        sweep = dyn.Sweep(sweeping.murdered, sweeping.POINTS, executor="processes").train()
        self.assertTrue(os.path.exists(flag))
        self.assertEqual(sweep.frame()["status"].unique().tolist(), ["done"])
        self.assertEqual(arrays(sweep), arrays(dyn.Sweep(sweeping.python, sweeping.POINTS).train()))

    def test_a_worker_always(self):
        sweep = dyn.Sweep(sweeping.killed, sweeping.POINTS, executor="processes").train()
        self.assertEqual([m.message for m in sweep.failed], ["its process died"])
        self.assertEqual(sweep.failed[0].point, dict(width=6, rate=1e-3, seed=1))
        self.assertEqual(sweep.frame()["status"].tolist().count("done"), 11)

    def test_processes_end_with_their_parent(self):
        program = self.start("python")
        self.wait(lambda: self.finished() >= 1)
        with sqlite3.connect(self.store) as db:
            blob, = db.execute("SELECT data FROM arrays WHERE name = 'series.process.values'").fetchone()
        worker = int(np.frombuffer(blob)[-1])
        self.kill(program)
        self.wait(lambda: not os.path.exists(f"/proc/{worker}"))


class Stopping(unittest.TestCase):
    points = dict(width=[5], rate=[1e-3], seed=range(6))

    @staticmethod
    def endless(width, rate, seed):
        return sweeping.trained(width, rate, seed, steps=10 if seed == 0 else 10**9)

    def test_ctrl_c(self):
        sweep = dyn.Sweep(self.endless, self.points)
        timer, begun = interrupt_after(0.5), time.perf_counter()
        with self.assertRaises(KeyboardInterrupt):
            sweep.train()
        timer.join()
        self.assertLess(time.perf_counter() - begun, 5)
        self.assertEqual(sweep.frame()["status"].tolist(), ["done"] + 5 * ["waiting"])
        timer = interrupt_after(0.5)
        self.assertIs(sweep.train(interrupt="return"), sweep)
        timer.join()

    def test_stop_from_another_thread(self):
        sweep = dyn.Sweep(self.endless, self.points)
        timer = threading.Timer(0.5, sweep.stop)
        timer.start()
        sweep.train()
        timer.join()
        self.assertEqual(sweep.frame()["status"].tolist(), ["done"] + 5 * ["waiting"])


if __name__ == "__main__":
    unittest.main()
