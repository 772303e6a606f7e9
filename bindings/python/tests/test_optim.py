# SPDX-License-Identifier: BSD-3-Clause
"""Optimisers and learning rates from Python: defaults, steps by hand, schedules, and runs with each of them."""
import os
import tempfile
import unittest

import numpy as np

import dyn
from support import quadratic, wave

try:
    import torch
    torch.set_num_threads(1)
except ImportError:
    torch = None

QUADRATIC = np.array([1.0, 4.0])


def descend(optimizer, steps=200, theta=(1.0, 1.0)):
    """theta after steps on theta' diag(1, 4) theta / 2, by hand."""
    stepper, theta = dyn.Stepper(optimizer, 2), np.array(theta)
    for _ in range(steps):
        at = stepper.perturb(theta, QUADRATIC * theta) if optimizer.sam else theta
        theta = stepper.step(theta, QUADRATIC * at)
    return theta


def adam(theta, g, rate, m, v, k):
    """Adam as its paper has it, on nodes."""
    m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g**2
    correction = [1 - dyn.exp(k * np.log(b)) for b in (0.9, 0.999)]
    return theta - rate * m / correction[0] / (dyn.sqrt(v / correction[1]) + 1e-8), m, v


class OwnRules(unittest.TestCase):
    def test_adam_written_out_is_adam(self):
        x, y = wave()
        rate = dyn.cosine(1e-2, 50).after_warmup(5)
        for dtype, digits in (("float64", 12), ("float32", 4)):
            own, built_in = (dyn.Run(dyn.mlp([1, 20, 1], seed=1), x, y, optimizer=o, dtype=dtype, batch=8).train(60)
                             for o in (dyn.Rule(rate, adam), dyn.Adam(rate)))
            np.testing.assert_allclose(own.theta, built_in.theta, rtol=0, atol=10.0**-digits)

    def test_a_rule_may_read_all_of_a_vector(self):
        def normalised(theta, g, rate):
            return theta - rate * g / dyn.sqrt((g * g).sum())
        theta = dyn.Stepper(dyn.Rule(0.5, normalised), 2).step([1.0, 2.0], [3.0, -4.0])
        np.testing.assert_allclose(theta, [0.7, 2.4], rtol=1e-15)

    def test_what_is_wrong_is_said(self):
        def boom(theta, g, rate):
            raise ZeroDivisionError("mine")
        with self.assertRaisesRegex(ZeroDivisionError, "mine"):
            dyn.Stepper(dyn.Rule(0.1, boom), 2)
        with self.assertRaisesRegex(dyn.Error, "theta and m as nodes"):
            dyn.Stepper(dyn.Rule(0.1, lambda theta, g, rate, m: theta), 2)
        with self.assertRaisesRegex(dyn.Error, "RULE has no preconditioner"):
            dyn.Run(dyn.mlp([1, 1]), [0.0], [0.0], optimizer=dyn.Rule(0.1)).measure(dyn.Sharpness())

    def test_a_checkpoint_of_another_rule_is_refused(self):
        x, y = wave()
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "run.npz")
            dyn.Run(dyn.mlp([1, 5, 1]), x, y, optimizer=dyn.Rule(1e-2, adam)).train(3).save(path)

            def other(theta, g, rate, m, v):
                return theta - rate * g, m, v
            with self.assertRaisesRegex(dyn.Error, "rule is another one"):
                dyn.Run.load(path, x=x, y=y, optimizer=dyn.Rule(1e-2, other))
            with self.assertRaisesRegex(dyn.Error, "give optimizer="):
                dyn.Run.load(path, x=x, y=y)
            self.assertEqual(dyn.Run.load(path, x=x, y=y, optimizer=dyn.Rule(1e-2, adam)).step, 3)

    def test_a_schedule_of_ones_own_can_be_saved(self):
        x, y = wave()
        rate = dyn.schedule(lambda k: 1e-2 / (1 + k))
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "run.npz")
            run = dyn.Run(dyn.mlp([1, 5, 1], seed=1), x, y, optimizer=dyn.GD(rate)).train(3)
            run.save(path)
            again = dyn.Run.load(path, x=x, y=y, optimizer=dyn.GD(rate)).train(3)
            np.testing.assert_array_equal(again.theta, run.train(3).theta)


class Groups(unittest.TestCase):
    """Tensors whose steps differ."""
    groups = {"b*": {"decay": 0}, "W1": {"rate": 0.1}, "W2": "frozen"}

    def setUp(self):
        self.x, self.y = wave()
        self.net = dyn.mlp([1, 6, 5, 1], seed=1)

    def run_with(self, optimizer, **options):
        return dyn.Run(self.net, self.x, self.y, optimizer=optimizer, **options)

    @unittest.skipIf(torch is None, "PyTorch is not installed")
    def test_adamw_with_groups_and_clipping_is_pytorchs(self):
        run = self.run_with(dyn.AdamW(1e-2, weight_decay=0.3, clip_norm=0.5, groups=self.groups)).train(40)
        tensors = {n: torch.tensor(v, requires_grad=n != "W2") for n, v in self.net.views(self.net.initial()).items()}
        optimizer = torch.optim.AdamW(
            [{"params": [tensors[n] for n in ("b1", "b2", "b3")], "weight_decay": 0.0},
             {"params": [tensors["W1"]], "lr": 1e-3}, {"params": [tensors["W3"]]}], lr=1e-2, weight_decay=0.3)
        x, y = (torch.tensor(v).reshape(-1, 1) for v in (self.x, self.y))
        for _ in range(40):
            optimizer.zero_grad()
            h = torch.tanh(torch.tanh(x @ tensors["W1"] + tensors["b1"]) @ tensors["W2"] + tensors["b2"])
            ((h @ tensors["W3"] + tensors["b3"] - y)**2).mean().backward()
            moved = [t.grad for n, t in tensors.items() if n != "W2"]
            norm = torch.sqrt(sum((g**2).sum() for g in moved))     # PyTorch's clip_grad_norm_ adds 1e-6 to it
            for g in moved:
                g *= min(1, 0.5 / norm)
            optimizer.step()
        for name, value in self.net.views(run.theta).items():
            np.testing.assert_allclose(value, tensors[name].detach().numpy(), rtol=1e-11, atol=1e-13)

    def test_every_rule_keeps_what_is_frozen(self):
        def plain(theta, g, rate):
            return theta - rate * (g + theta)
        for rule in (dyn.GD, dyn.NAdam, dyn.Adadelta, dyn.Muon, dyn.Lion, lambda rate, **o: dyn.Rule(rate, plain, **o)):
            run = self.run_with(rule(1e-2, weight_decay=0.1, groups={"W2": "frozen"})).train(5)
            start, end = (self.net.views(theta) for theta in (self.net.initial(), run.theta))
            np.testing.assert_array_equal(end["W2"], start["W2"])
            self.assertTrue(all((end[n] != start[n]).any() for n in start if n != "W2"), rule)

    def test_an_own_rule_has_the_groups_too(self):
        def plain(theta, g, rate):
            return theta - rate * g
        own, built_in = (self.run_with(o).train(20).theta for o in (
            dyn.Rule(1e-2, plain, weight_decay=0.3, groups=self.groups), dyn.GD(1e-2, weight_decay=0.3, groups=self.groups)))
        np.testing.assert_allclose(own, built_in, rtol=1e-12)

    def test_the_preconditioner_has_their_rates(self):
        run = self.run_with(dyn.AdamW(1e-2, weight_decay=0.3, groups=self.groups))
        found = run.measure(dyn.Sharpness(k=1, tolerance=1e-9), at=3)
        run.train(3)
        theta, gradients = run.theta, []
        for t in range(4):
            gradients.append(run.objective.gradient(self.run_with(run.optimizer).train(t).theta)[1])
        v = sum(0.001 * 0.999**(3 - t) * g**2 for t, g in enumerate(gradients)) / (1 - 0.999**4)
        rate, decay = np.ones(self.net.size), np.ones(self.net.size)
        views = self.net.views(rate), self.net.views(decay)
        views[0]["W1"][...], views[0]["W2"][...] = 0.1, 0
        for name in ("b1", "b2", "b3"):
            views[1][name][...] = 0
        d = 0.1 / 1.9 / (1 - 0.9**4) / (np.sqrt(v) + 1e-8) * rate * 2 / (2 - 1e-2 * 0.3 * rate * decay)
        H = run.objective.hessian(theta) @ np.eye(self.net.size)
        largest = np.linalg.eigvalsh(np.sqrt(d)[:, None] * H * np.sqrt(d))[-1]
        self.assertAlmostEqual(found.result(run).values[0, 0] / largest, 1, places=7)

    def test_what_is_wrong_is_said(self):
        for groups, words in (({"W9": "frozen"}, "W9.*none of 6 tensors.*W1 to b3"), ({"W1": {"lr": 1}}, "must be .frozen"),
                              ({"W1": {"rate": -1}}, "rate is -1"), ({"W1": "slow"}, "must be .frozen")):
            with self.assertRaisesRegex(dyn.Error, words):
                self.run_with(dyn.GD(0.1, groups=groups))
        with self.assertRaisesRegex(dyn.Error, "need a run"):
            dyn.Stepper(dyn.GD(0.1, groups=self.groups), 3)

    def test_a_checkpoint_knows_them(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "run.npz")
            run = self.run_with(dyn.AdamW(1e-2, groups=self.groups)).train(5)
            run.save(path)
            again = dyn.Run.load(path, x=self.x, y=self.y).train(5)
            np.testing.assert_array_equal(again.theta, run.train(5).theta)
            for groups in ({}, {"W2": "frozen"}):
                with self.assertRaisesRegex(dyn.Error, "rule is another one"):
                    dyn.Run.load(path, x=self.x, y=self.y, optimizer=dyn.AdamW(1e-2, groups=groups))


class Rules(unittest.TestCase):
    def test_zero_is_zero(self):
        for optimizer in (dyn.GD(0.0), dyn.Adam(0.0), dyn.Lion(0.0), dyn.constant(0.0)):
            rule = optimizer if isinstance(optimizer, dyn.Optimizer) else dyn.Adam(optimizer)
            np.testing.assert_array_equal(descend(rule, 3), [1, 1])
        stepper = dyn.Stepper(dyn.Adam(0.1, beta1=0.0, beta2=0.0, eps=0.0), 1)
        np.testing.assert_allclose(stepper.step([0.0], [-7.0]), [0.1], rtol=1e-15)

    def test_every_rule_descends(self):
        for rule in (dyn.GD(0.1), dyn.HeavyBall(0.05), dyn.Nesterov(0.05), dyn.Adam(0.05), dyn.Adam(0.05, amsgrad=True),
                     dyn.AdamW(0.05), dyn.Adamax(0.05), dyn.NAdam(0.05), dyn.RMSprop(0.02), dyn.Adagrad(0.5),
                     dyn.RMSprop(0.01, momentum=0.5, centered=True), dyn.Adadelta(10.0), dyn.Lion(0.02),
                     dyn.Sophia(0.02), dyn.SignGD(0.02), dyn.GD(0.1, sam=0.01), dyn.GD(0.1, sam=0.01, sam_adaptive=True)):
            self.assertLess(np.abs(descend(rule)).max(), 0.25, rule)

    def test_preconditioner(self):
        stepper = dyn.Stepper(dyn.Adam(0.1), 2)
        stepper.step([0.0, 0.0], [3.0, -0.5])
        d, c = stepper.preconditioner()
        np.testing.assert_allclose(d, 1 / np.array([3.0, 0.5]), rtol=1e-7)
        self.assertAlmostEqual(c, 1 / 1.9, 14)
        self.assertEqual(stepper.threshold, 20)
        self.assertAlmostEqual(dyn.Adam(0.1).limit() / 380, 1, 14)
        self.assertAlmostEqual(dyn.RMSprop(0.1, momentum=0.9).limit(), 38, 12)
        for rule in (dyn.Lion(), dyn.SignGD(), dyn.GD(0.1, sam=0.1)):
            with self.assertRaises(dyn.NotSupported):
                rule.limit()

    def test_overflow_names_step_and_tensor(self):
        x, y = np.full((4, 1), 1e3), np.full((4, 1), 1e18)
        run = dyn.Run(dyn.mlp([1, 2, 1], activation="identity", seed=1), x, y, optimizer=dyn.Adam(1e-3), dtype="float32")
        with self.assertRaisesRegex(dyn.NonFinite, "moment v of parameter .* step 0.*float32; it is element . of W1|b"):
            run.train(5, progress=False)


class Rates(unittest.TestCase):
    def test_formulas(self):
        t = np.arange(60)
        for rate, expected in (
                (dyn.exponential_decay(0.1, 0.9), 0.1 * 0.9**t),
                (dyn.polynomial_decay(0.1, 40, power=2), 0.1 * np.clip(1 - t / 40, 0, 1)**2),
                (dyn.schedule(lambda k: 1 / (1 + k)), 1 / (1 + t)),
                (dyn.cosine_restarts(0.1, 20), 0.05 * (1 + np.cos(np.pi * (t % 20) / 20)))):
            np.testing.assert_allclose([rate.at(int(k)) for k in t], expected, rtol=1e-12, atol=1e-17)
        cycle = dyn.one_cycle(0.01, 50)
        np.testing.assert_allclose([cycle.at(k) for k in (0, 14, 49, 50)], [4e-4, 0.01, 4e-8, 4e-8], rtol=1e-12)

    def test_rate_of_the_papers(self):
        rate = dyn.cosine(2e-4 * 25, 400, floor=1e-5).after_warmup(40, start=1 / 25)
        for t in (0, 10, 40, 41, 200, 440, 1000):
            u = min(t - 40, 400)
            expected = 2e-4 * (1 + 24 * t / 40) if t <= 40 else 1e-5 + (5e-3 - 1e-5) * (1 + np.cos(np.pi * u / 400)) / 2
            self.assertAlmostEqual(rate.at(t), expected, 14)

    def test_an_exception_in_a_schedule_is_raised(self):
        def fails(t):
            if t == 3:
                raise KeyError("mine")
            return 0.1
        x, y = wave()
        net = dyn.mlp([1, 5, 1], seed=2)
        run = dyn.Run(net, x, y, optimizer=dyn.GD(dyn.schedule(fails)))
        with self.assertRaises(KeyError):
            run.train(10, progress=False)


class Runs(unittest.TestCase):
    def test_sharpness_aware_run_is_the_steps_by_hand(self):
        x, y = wave()
        net = dyn.mlp([1, 5, 1], seed=2)
        run = dyn.Run(net, x, y, optimizer=dyn.Adam(0.01, sam=0.05))
        objective, theta = dyn.Objective(net, x, y), run.theta
        stepper = dyn.Stepper(run.optimizer, objective.size)
        for _ in range(10):
            at = stepper.perturb(theta, objective.gradient(theta)[1])
            theta = stepper.step(theta, objective.gradient(at)[1])
        run.train(10, progress=False)
        np.testing.assert_allclose(run.theta, theta, rtol=1e-12, atol=1e-14)

    def test_sophia_estimates_the_diagonal(self):
        """On a sum of squares every probe is the diagonal itself."""
        run = dyn.Run(quadratic([1.0, 4.0]), theta=[1.0, 1.0], optimizer=dyn.Sophia(0.01, gamma=1.0, weight_decay=0.0))
        run.train(1, progress=False)
        h = 0.01 * np.array([1.0, 4.0])
        m = 0.04 * np.array([1.0, 4.0])
        np.testing.assert_allclose(run.theta, 1 - 0.01 * np.minimum(m / h, 1), rtol=1e-14)

    def test_muon_moves_the_inner_matrices(self):
        net = dyn.mlp([3, 8, 8, 2], seed=3)
        rng = np.random.default_rng(0)
        x, y = rng.standard_normal((20, 3)), rng.standard_normal((20, 2))
        rule = dyn.Muon(0.02, weight_decay=0.0, adam_rate=0.0)
        run = dyn.Run(net, x, y, optimizer=rule)
        before = {name: np.array(v) for name, v in net.views(run.theta).items()}
        run.train(1, progress=False)
        moved = {name for name, v in net.views(run.theta).items() if (v != before[name]).any()}
        self.assertEqual(len(moved), 1)
        name = moved.pop()
        s = np.linalg.svd(before[name] - net.views(run.theta)[name], compute_uv=False) / 0.02
        self.assertTrue((s < 1.3).all() and s[0] > 0.65, s)
        with self.assertRaisesRegex(dyn.InvalidArgument, "no matrix is called nowhere"):
            dyn.Run(net, x, y, optimizer=dyn.Muon(tensors=("nowhere",)))
