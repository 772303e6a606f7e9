# SPDX-License-Identifier: BSD-3-Clause
"""Objects give their memory back; contexts."""
import gc
import os
import re
import tempfile
import unittest

import numpy as np

import dyn
from support import wave


def everything():
    """One of each kind of object, used once."""
    net = dyn.mlp([1, 6, 1])
    run = dyn.Run(net, *wave())
    for what in (dyn.Sharpness(), dyn.Condensation(), dyn.ModelRank()):
        run.measure(what, at=("start", "end"))
    run.train(5)
    many = dyn.Replicas(net, *wave(), count=2).train(5)
    pairs = dyn.eigh(dyn.hessian(run).shifted(1.0) * 2.0)
    return run, many, pairs, run["condensation"][0], dyn.spikes(run.history["loss"]), net(run.theta, wave()[0])


class Memory(unittest.TestCase):
    def test_everything_is_given_back(self):
        with dyn.Context(threads=1) as context:
            everything()        # what a context sets up once
            gc.collect()
            before = context.bytes
            kept = everything()
            self.assertGreater(context.bytes, before)
            del kept
            gc.collect()
            self.assertEqual(context.bytes, before)

    def test_a_run_goes_without_the_garbage_collector(self):
        with dyn.Context(threads=1) as context:
            net = dyn.mlp([1, 6, 1])
            before = context.bytes
            gc.disable()
            try:
                run = dyn.Run(net, *wave())
                run.measure(lambda s: s.loss, name="loss seen")
                run.measure(dyn.Sharpness())
                run.train(3)
                del run
                self.assertEqual(context.bytes, before)
            finally:
                gc.enable()

    def test_arrays_in_use_are_kept(self):
        net = dyn.mlp([1, 3, 1])
        o = dyn.Objective(net, np.linspace(0, 1, 50000), np.zeros(50000))
        value = o.value(net.initial())
        gc.collect()
        junk = [np.full(50000, 7.0) for _ in range(20)]
        self.assertEqual(o.value(net.initial()), value)
        self.assertEqual(len(junk), 20)


class Contexts(unittest.TestCase):
    def test_settings(self):
        for isa in ("reference", "vector"):
            with dyn.Context(threads=1, isa=isa) as context:
                self.assertIs(dyn.current(), context)
                self.assertEqual((context.threads, context.isa), (1, isa))
                self.assertEqual(context.report()["isa"], isa)
            self.assertIsNot(dyn.current(), context)

    def test_log(self):
        lines = []
        with dyn.Context(log=lambda level, text: lines.append((level, text))):
            with self.assertRaises(dyn.ShapeError):
                dyn.mlp([1, -3, 1])
        self.assertEqual([level for level, _ in lines], ["error"])
        self.assertIn("dyn_model_perceptron", lines[0][1])

    def test_numeric_classes(self):
        """A class that is asked for is had or refused with both values; a run in it goes on with its bits."""
        own = dyn.current().numerics
        small = re.sub("caches: [^;]*", "caches: 16 KiB, 256 KiB", own)
        for text, what, kind in ((own.replace("version: ", "version: 9"), '"version: 90.1.0", here there is "version: 0.1.0"',
                                  dyn.NotSupported),
                                 ("isa: avx2", '"isa: avx2" stands where "version: 0.1.0" is expected', dyn.InvalidArgument)):
            with self.assertRaisesRegex(kind, "dyn_ctx_create: numerics: .*" + re.escape(what)):
                dyn.Context(numerics=text)
        x = np.linspace(-1, 1, 40)[:, None]
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "half.npz")
            with dyn.Context(numerics=small) as context:
                self.assertEqual(context.numerics, small)
                run = dyn.Run(dyn.mlp([1, 8, 1]), x, np.sin(x), steps=30).train(10)
                run.save(path)
                expected = run.train().theta
            with self.assertRaisesRegex(dyn.Error, "caches: 16 KiB, 256 KiB"):
                dyn.Run.load(path, x=x, y=np.sin(x))
            self.assertEqual(dyn.checkpoint_numerics(path), small)
            with dyn.Context(numerics=dyn.checkpoint_numerics(path)):
                np.testing.assert_array_equal(dyn.Run.load(path, x=x, y=np.sin(x)).train().theta, expected)

    def test_bad_settings(self):
        with self.assertRaisesRegex(dyn.InvalidArgument, "avx9"):
            dyn.Context(isa="avx9")
        for threads in (-1, 0):
            with self.assertRaisesRegex(dyn.InvalidArgument, f"threads is {threads}"):
                dyn.Context(threads=threads)

    def test_do_not_mix(self):
        with dyn.Context(threads=1):
            a = dyn.Operator.from_function(lambda v: v, 3)
        with self.assertRaises(dyn.InvalidArgument):
            a + dyn.Operator.from_function(lambda v: v, 3)

    def test_a_forked_child_goes_on(self):
        run = dyn.Run(dyn.mlp([1, 6, 1]), *wave()).train(5)
        child = os.fork()
        if child == 0:
            run.train(5)
            os._exit(run.step)
        self.assertEqual(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), 10)


if __name__ == "__main__":
    unittest.main()
