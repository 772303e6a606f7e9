# SPDX-License-Identifier: BSD-3-Clause
"""Families trained to the state that their papers report, at sizes that take seconds."""
import unittest

import numpy as np

import dyn


def identity_task(n, seed, test, length=9):
    """Anchor 3 is followed by the key, which is the label (arXiv 2401.08309, task 1): keys with (key - place) mod 8 = 0 are
    kept for the test."""
    rng = np.random.default_rng(seed)
    tokens = rng.integers(20, 101, (n, length))
    place = rng.integers(0, length - 1, n)
    base = rng.choice([b for b in range(20, 100) if (b % 8 == 0) == test], n)
    tokens[np.arange(n), place], tokens[np.arange(n), place + 1] = 3, base + place
    return tokens, base + place


class AnchorFunctions(unittest.TestCase):
    """Identity needs two layers: one attention layer cannot find the anchor and shift to the key (paper: 1.0, .1)."""

    def accuracy(self, layers, steps):
        x, y = identity_task(1000, 0, False)
        unseen, labels = identity_task(500, 1, True)
        net = dyn.transformer(201, 9, layers=layers, width=64, key_width=32, hidden=128, seed=1)
        run = dyn.Run(net, x, y, "cross_entropy", optimizer=dyn.AdamW(2e-3, weight_decay=.01), batch=100, dtype="float32")
        run.train(steps)
        return run.accuracy(), (run.predict(unseen).argmax(1) == labels).mean()

    def test_two_layers_learn_the_identity(self):
        seen, unseen = self.accuracy(2, 250)
        self.assertGreater(seen, .99)
        self.assertGreater(unseen, .85)

    def test_one_layer_does_not(self):
        seen, unseen = self.accuracy(1, 250)
        self.assertGreater(seen, .9)
        self.assertLess(unseen, .15)


class Completion(unittest.TestCase):
    """A rank-1 matrix of 4 x 4 is recovered from 2 r d - r^2 = 7 entries, not from 6 (arXiv 2211.11623)."""

    def error(self, n):
        m = np.outer([1, 2, 2, 1.5], [4, .6, 1.8, .8])
        entries = np.array([0, 1, 2, 3, 4, 8, 12])[:n]
        net = dyn.factorisation([4, 4, 4], init=dyn.init.normal(1e-7), seed=1)
        run = dyn.Run(net, entries, m.ravel()[entries], optimizer=dyn.GD(.02), stop_loss=1e-12)
        run.train(60_000)
        a, b = net.views(run.theta).values()
        return np.linalg.norm(a @ b - m) / 16

    def test_seven_entries_suffice(self):
        self.assertLess(self.error(7), 1e-4)
        self.assertGreater(self.error(6), .05)


class Condensation(unittest.TestCase):
    """Kernels of a small start align with the principal direction of the data (arXiv 2305.09947)."""

    def ratio(self, eps):
        rng = np.random.default_rng(0)
        k = np.arange(8)
        waves = [np.outer(np.cos(a * k / 5 + p), np.cos(b * k / 5 + q)) for a, b, p, q in rng.uniform(0, 3, (40, 4))]
        x = np.array(waves)[..., None]
        y = x.mean((1, 2)) - x.mean()
        net = dyn.cnn((8, 8, 1), [32], activation="tanh", padding="valid", init=dyn.init.normal(eps), seed=2)
        patches = np.lib.stride_tricks.sliding_window_view(x[..., 0], (3, 3), (1, 2)).reshape(40, 36, 9)
        patches = np.concatenate([patches, np.ones((40, 36, 1))], -1)
        v1 = np.linalg.svd((y[:, :, None] * patches).mean(0))[2][0]
        run = dyn.Run(net, x, y, optimizer=dyn.GD(2e-3), stop_loss=.9 * (y**2).mean())
        run.train(100_000)
        w = net.views(run.theta)
        kernels = np.concatenate([w["W1"].reshape(9, 32), w["b1"][None]])
        return np.linalg.norm(v1 @ kernels) / np.linalg.norm(kernels)

    def test_kernels_align_as_the_start_shrinks(self):
        large, small, tiny = (self.ratio(eps) for eps in (1e-2, 1e-3, 1e-4))
        self.assertLess(large, .8)
        self.assertGreater(small, .9)
        self.assertGreater(tiny, .99)


if __name__ == "__main__":
    unittest.main()
