# SPDX-License-Identifier: BSD-3-Clause
"""What is wrong is refused with words that help: types of handles, casts that would lose something, zeros, copies."""
import copy
import gc
import pickle
import unittest

import numpy as np

import dyn
from support import quadratic, wave


def small_run(**options):
    return dyn.Run(dyn.mlp([1, 4, 1], seed=1), *wave(), **options)


class Handles(unittest.TestCase):
    def test_the_error_names_both_classes(self):
        H, episodes = dyn.hessian(small_run()), dyn.spikes([1.0, 5.0])
        with self.assertRaisesRegex(TypeError, "dyn.Model or a function expected, not dyn.Operator"):
            dyn.Objective(H, [[1.0], [2.0]], [1.0, 2.0])
        with self.assertRaisesRegex(TypeError, "dyn.Episodes expected, not builtins.int"):
            episodes.predict(1, 3)
        with self.assertRaisesRegex(TypeError, "dyn.Model or dyn.Objective expected, not dyn.Operator"):
            dyn.Run(H)
        with self.assertRaisesRegex(TypeError, "shifted"):
            H + 1
        with self.assertRaisesRegex(TypeError, "dyn.Node expected"):
            g = dyn.Graph()
            g.gradient(g.input("x", ()), [3])
        with self.assertRaisesRegex(TypeError, "numpy.tanh"):
            dyn.tanh(np.ones(3))

    def test_every_function_checks_its_handles(self):
        from dyn._lib import FREE, lib
        H = dyn.hessian(small_run())
        for name, (_, parameters) in lib._signatures.items():
            if parameters and parameters[0] in FREE and parameters[0] != "operator" and not name.endswith("free"):
                function = getattr(lib, name)
                with self.assertRaises(Exception) as caught:
                    function(H, *[0] * (len(parameters) - 1))
                self.assertIn("expected", str(caught.exception), name)


class Copies(unittest.TestCase):
    def test_what_does_not_change_is_shared(self):
        run = small_run()
        for thing in (run.objective, run.objective.model, dyn.hessian(run), dyn.spikes([1.0, 5.0])):
            self.assertIs(copy.copy(thing), thing)
            self.assertIs(copy.deepcopy(thing), thing)

    def test_what_changes_refuses(self):
        run, many = small_run(), dyn.Replicas(dyn.mlp([1, 4, 1]), *wave(), count=2)
        for thing, words in ((run, "save"), (many, "save"), (dyn.Graph(), "again")):
            for function in (copy.copy, copy.deepcopy, pickle.dumps):
                with self.assertRaisesRegex(TypeError, words):
                    function(thing)

    def test_a_replica_keeps_what_it_looks_at(self):
        member = dyn.Replicas(dyn.mlp([1, 4, 1]), *wave(), count=3).train(5)[1]
        gc.collect()
        self.assertEqual(member.step, 5)
        self.assertTrue(np.isfinite(member.theta).all())

    def test_pickles(self):
        net = dyn.mlp([1, 5, 1], activation="x_tanh", init=dyn.init.normal(0.3), seed=9, output_scale=0.5)
        again = pickle.loads(pickle.dumps(net))
        np.testing.assert_array_equal(again.initial(), net.initial())
        np.testing.assert_array_equal(again(net.initial(), wave()[0]), net(net.initial(), wave()[0]))
        own = dyn.Model.from_function(build, (2,))
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(own)).initial(), own.initial())
        for thing in (dyn.Adam(3e-3, beta1=0.0), dyn.init.he(bias=dyn.init.zero()), dyn.cosine(0.1, 20)):
            self.assertEqual(pickle.loads(pickle.dumps(thing)), thing)
        objective = dyn.Objective(net, *wave(), "mse", l2=0.1, half=True)
        theta = net.initial()
        self.assertEqual(pickle.loads(pickle.dumps(objective)).value(theta), objective.value(theta))

    def test_every_family_pickles(self):
        base = dyn.mlp([2, 4, 1], seed=3)
        for net in (dyn.transformer(9, 4, width=8, key_width=4, hidden=6, embedding=dyn.init.normal(0.2), seed=2),
                    dyn.gpt(9, 4, layers=1, heads=2, width=8), dyn.llama(9, 4, layers=1, heads=2, width=8),
                    dyn.cnn((6, 6, 1), [2], [3], 2, kernel=3), dyn.factorisation([3, 2, 3], dyn.init.normal(0.1), 4),
                    dyn.tensor_factorisation([2, 3, 4], rank=2), dyn.diagonal(5, depth=3, difference=True),
                    dyn.polynomial(2, degree=3), dyn.recurrent(2, 3, width=4, cell="gru"), base.centred(),
                    base.freeze("W1", theta=base.initial()), base.start(np.arange(17.0))):
            again = pickle.loads(pickle.dumps(net))
            self.assertEqual(again.tensors, net.tensors)
            np.testing.assert_array_equal(again.initial(), net.initial())
        x = wave()[0][:, None] * [1.0, 2.0]
        centred = pickle.loads(pickle.dumps(base.centred()))
        np.testing.assert_array_equal(centred(base.initial() + 0.1, x), base.centred()(base.initial() + 0.1, x))

    def test_measurements_pickle_without_their_run(self):
        run = small_run()
        measured = dyn.Sharpness(k=2, tolerance=1e-3), dyn.Condensation(layer=1), dyn.ModelRank(probe_std=4)
        for measurement in measured:
            run.measure(measurement, every=2)
        run.train(2)
        for measurement in measured:
            again = pickle.loads(pickle.dumps(measurement))
            self.assertEqual((again.name, again._arguments), (measurement.name, measurement._arguments))
            small_run().measure(again, every=2)

    def test_results_pickle(self):
        run = small_run()
        run.measure(dyn.Sharpness(), every=2)
        run.measure(dyn.Condensation(), every=2)
        run.measure(dyn.ModelRank(), at="end")
        run.train(4)
        for name in ("sharpness", "condensation", "rank"):
            np.testing.assert_array_equal(pickle.loads(pickle.dumps(run[name])).steps, run[name].steps)
        found = run["condensation"][0]
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(found)).cosines(), found.cosines())
        episodes = dyn.above([0.0, 2.0, 0.0, 3.0], 1.0, [0, 10, 20, 30])
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(episodes)).starts, [10, 30])
        pairs = dyn.eigh(dyn.hessian(run), k=2)
        np.testing.assert_array_equal(pickle.loads(pickle.dumps(pairs)).values, pairs.values)


def build(g, x):
    return dyn.tanh(x @ g.parameter("A", (2, 3)))


class Zeros(unittest.TestCase):
    def test_a_rate_of_zero_trains_nothing(self):
        start = dyn.mlp([1, 4, 1], seed=1).initial()
        for optimizer in (dyn.GD(0.0), dyn.HeavyBall(0.0), dyn.Nesterov(0.0), dyn.Adam(0.0), dyn.AdamW(0.0),
                          dyn.RMSprop(0.0), dyn.SignGD(0.0), dyn.GD(dyn.constant(0.0))):
            np.testing.assert_array_equal(small_run(optimizer=optimizer).train(5).theta, start)

    def test_betas_and_factors_of_zero(self):
        h = np.array([1.0, 0.3])
        without = dyn.Run(quadratic(h), optimizer=dyn.GD(0.1), theta=[1.0, 2.0]).train(5).theta
        with_none = dyn.Run(quadratic(h), optimizer=dyn.HeavyBall(0.1, beta=0.0), theta=[1.0, 2.0]).train(5).theta
        np.testing.assert_array_equal(with_none, without)
        two = dyn.Run(quadratic(h), optimizer=dyn.GD(dyn.step(0.1, 2, factor=0.0)), theta=[1.0, 2.0]).train(9)
        np.testing.assert_allclose(two.theta, (1 - 0.1 * h)**2 * [1.0, 2.0], rtol=1e-15)

    def test_starts_of_scale_zero(self):
        for rule in (dyn.init.default, dyn.init.lecun, dyn.init.xavier, dyn.init.xavier_uniform, dyn.init.he,
                     dyn.init.orthogonal, dyn.init.normal, dyn.init.uniform):
            np.testing.assert_array_equal(dyn.mlp([3, 4, 2], init=rule(0.0)).initial(), 0)
        bias = dyn.mlp([3, 4, 2], init=dyn.init.zero(), seed=3)
        own = dyn.mlp([3, 4, 2], init=dyn.init.normal(1.0, bias=dyn.init.default()), seed=3)
        self.assertEqual(np.abs(bias.initial()).max(), 0)
        self.assertLessEqual(np.abs(own.views(own.initial())["b1"]).max(), 1 / np.sqrt(3))

    def test_steps_of_zero(self):
        run = small_run()
        self.assertEqual(run.train(0).step, 0)
        self.assertEqual(small_run(steps=0).train().reason, "steps")
        with self.assertRaisesRegex(dyn.InvalidArgument, "no end"):
            run.train()
        self.assertEqual(small_run(stop_loss=0.0).train(5).step, 5)
        self.assertEqual(small_run(stop_accuracy=0.0).train(5).reason, "accuracy")

    def test_zeros_that_mean_nothing_are_refused(self):
        net, run = dyn.mlp([1, 4, 1]), small_run()
        for function in (lambda: dyn.mlp([1, 4, 1], output_scale=0), lambda: small_run(batch=0),
                         lambda: small_run(record_every=0), lambda: small_run(accuracy_every=0),
                         lambda: dyn.GD(0.1, clip_norm=0.0), lambda: dyn.eigh(dyn.hessian(run), k=0),
                         lambda: dyn.eigh(dyn.hessian(run), tolerance=0), lambda: run.measure(dyn.Sharpness(), every=0),
                         lambda: dyn.model_rank(net, net.initial(), tolerance=0),
                         lambda: dyn.model_rank(net, net.initial(), probes=0),
                         lambda: dyn.spikes([1.0], window=0), lambda: dyn.Context(threads=0)):
            with self.assertRaises(dyn.InvalidArgument):
                function()
        with self.assertRaises(dyn.LimitReached):
            dyn.Objective(net, *wave(), memory_limit=0).value(net.initial())

    def test_zeros_of_measurements(self):
        features = [[1.0, 0.0], [0.0, 1e-9], [0.0, 0.0]]
        self.assertEqual(dyn.CondensationResult(features, dead=0).dead, 1)
        self.assertEqual(dyn.CondensationResult(features, dead=1e-3).dead, 2)
        self.assertEqual(dyn.CondensationResult(features, dead=0, min_share=0).effective, 2)
        loss = np.ones(30)
        loss[[10, 12]] = 5.0
        self.assertEqual(len(dyn.spikes(loss, merge=0)), 2)
        self.assertEqual(len(dyn.spikes(loss, merge=30)), 1)


class Casts(unittest.TestCase):
    def refuses(self, words, function, *arguments, error=dyn.InvalidArgument, **options):
        with self.assertRaisesRegex(error, words):
            function(*arguments, **options)

    def test_functions_of_the_user(self):
        theta = np.ones(3)
        scalar = dyn.Objective.from_functions(3, lambda t: 1.0, lambda t: (1.0, 2.0), lambda t, V: V[0])
        self.refuses("the gradient has shape", scalar.gradient, theta, error=dyn.ShapeError)
        self.refuses("product has shape", lambda: scalar.hessian(theta) @ theta, error=dyn.ShapeError)
        self.refuses("the value is", dyn.Objective.from_functions(3, lambda t: "1").value, theta)
        self.refuses("complex", lambda: dyn.Operator.from_function(lambda v: 1j * v, 3) @ theta)

    def test_arrays(self):
        net = dyn.mlp([1, 4, 1])
        x, y = wave()
        self.refuses("masked", dyn.Objective, net, np.ma.masked_less(x, 0), y)
        self.refuses("complex", dyn.Objective, net, x, y + 0j)
        self.refuses("18446744073709551615", dyn.data.one_hot, np.array([2**64 - 1], np.uint64), 3)
        self.refuses("<U1", net, net.initial(), np.array(["1"]))
        self.refuses("complex", net, net.initial() + 0j, x)
        self.assertEqual(np.iscomplexobj(dyn.hessian(net, x, y) @ (np.ones(net.size) * 1j)), True)

    def test_indices(self):
        H = quadratic([1.0, 2.0, 3.0]).hessian(np.zeros(3))
        np.testing.assert_array_equal(H.restricted([True, False, True]).dense(), np.diag([1.0, 3.0]))
        np.testing.assert_array_equal(H.restricted([-1]).dense(), [[3.0]])
        self.refuses("float", H.restricted, [0.0, 1.0])
        self.refuses("index 3", H.restricted, [3])
        self.refuses("mask", H.restricted, [True, False], error=dyn.ShapeError)
        g = dyn.Graph()
        self.refuses("no index", lambda: g.input("x", (3,))[1.0])
        i = g.indices("i", (2,))
        f = g.compile(g.input("y", (3,)).gather(i))
        self.refuses("expected indices", f, i=[0.5, 1.0], y=np.ones(3))

    def test_numbers(self):
        self.refuses("steps is 1000.0, must be an integer", small_run().train, 1e3)
        self.refuses("seed is -1", small_run, seed=-1)
        self.refuses("seed is 18446744073709551616", dyn.mlp, [1, 2, 1], seed=2**64)
        self.refuses("batch is 21, the data has 20 samples", small_run, batch=21)
        self.refuses("rate is 'fast'", dyn.GD, "fast")
        self.refuses("width", dyn.mlp, [1, 2.5, 1])

    def test_paths_and_names(self):
        self.refuses("NUL", dyn.data.read, "a\0b")
        self.refuses("NUL", small_run().save, "a\0b")
        self.refuses("NUL", small_run().record, "a\0b", 1.0)


class Messages(unittest.TestCase):
    def test_names_are_understood(self):
        np.testing.assert_array_equal(small_run(optimizer="adam").train(3).theta, small_run(optimizer=dyn.Adam()).train(3).theta)
        np.testing.assert_array_equal(dyn.mlp([1, 3, 1], init="xavier").initial(),
                                      dyn.mlp([1, 3, 1], init=dyn.init.xavier()).initial())

    def test_what_they_say(self):
        run = small_run()
        for words, function in (
                ("sgd.*heavy_ball", lambda: small_run(optimizer="sgd")), ("normal.*power", lambda: dyn.mlp([1, 1], init="normal")),
                (r"dyn.Sharpness\(\)", lambda: run.measure("sharpness")),
                (r"dyn.Sharpness\(\)", lambda: run.measure(dyn.Sharpness)),
                (r"dyn.ModelRank\(\)", lambda: run.measure("rank")),
                ("SA.*smallest", lambda: dyn.eigh(dyn.hessian(run), which="SA")),
                ("tresh", lambda: dyn.Condensation(tresh=1)), ("tol", lambda: dyn.ModelRank(tol=1)),
                ("losss", lambda: small_run(losss="mse")), ("threshold is 2", lambda: dyn.Condensation(threshold=2.0)),
                ("threshold", lambda: dyn.Condensation(threshold="high"))):
            with self.assertRaisesRegex((dyn.InvalidArgument, TypeError), words):
                function()

    def test_what_cannot_be_set(self):
        for run in (small_run(), dyn.Replicas(dyn.mlp([1, 4, 1]), *wave(), count=1)[0]):
            for name in ("learning_rate", "optimizer"):
                with self.assertRaisesRegex(AttributeError, name):
                    setattr(run, name, 3)


class Views(unittest.TestCase):
    def test_what_an_observer_sees_can_be_kept_and_not_written(self):
        kept, plain = [], small_run().train(5)

        def look(state):
            with self.assertRaises(ValueError):
                state.theta[0] = 7
            with self.assertRaises(ValueError):
                state.gradient *= 2
            kept.append(state)
        run = small_run()
        run.measure(look)
        run.train(5)
        np.testing.assert_array_equal(run.theta, plain.theta)
        gc.collect()
        np.testing.assert_array_equal(kept[0].theta, run.objective.model.initial())
        np.testing.assert_allclose(kept[3].gradient, run.objective.gradient(kept[3].theta)[1], rtol=1e-12)

    def test_functions_of_the_user(self):
        def value(theta):
            theta[0] = 1
            return 0.0
        with self.assertRaises(ValueError):
            dyn.Objective.from_functions(2, value).value(np.zeros(2))


class Notebooks(unittest.TestCase):
    def test_representations(self):
        run = small_run()
        run.measure(lambda s: s.loss, name="again")
        run.train(30)
        many = dyn.Replicas(dyn.mlp([1, 4, 1]), *wave(), count=2).train(2)
        episodes = dyn.above(run["again"], 0.0)
        for thing, words in ((run.objective.model, "W1 [1, 4]"), (dyn.hessian(run), "[13, 13]"), (run.history, "31 rows"),
                             (episodes, "1: [0, 31)"), (many, "2 ready"), (run["again"], "31 rows"),
                             (run, "step 30, ready"), (run.objective, "20 samples"), (dyn.Graph(), "float64")):
            self.assertIn(words, repr(thing))
        for thing in (run.history, episodes, many, run["again"]):
            self.assertIn("<table>", thing._repr_html_())
        self.assertLess(len(run.history._repr_html_()), 3000)

    def test_names(self):
        self.assertIn("plot", dir(dyn))
        self.assertEqual(set(dir(dyn)), set(dyn.__all__))
        self.assertIn("again", self.completions())

    @staticmethod
    def completions():
        run = small_run()
        run.measure(lambda s: s.loss, name="again")
        return run._ipython_key_completions_()


if __name__ == "__main__":
    unittest.main()
