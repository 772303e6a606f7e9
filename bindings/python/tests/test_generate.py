# SPDX-License-Identifier: BSD-3-Clause
"""Generated data against the papers' rules, counted and computed again here with NumPy."""
import unittest

import numpy as np

import dyn

SHIFT = {1: 5, 2: 1, 3: -2, 4: -8, 9: -2}


def slot(x, anchors):
    """The first slot of each row that holds one of the anchors."""
    return np.isin(x, anchors).argmax(1)


def asked(row, tested):
    """The label of a unified row, read off its ids."""
    shift, values, many = {204: 1, 205: 3, 206: -2, 207: -3}, [], []
    for mark in (201, 202):
        at = int(np.flatnonzero(row == mark)[0])
        end = at + int(np.flatnonzero(row[at:] == 203)[0])
        values.append(row[at + 1] + sum(shift[o] for o in row[at + 2:end]))
        many.append(end - at - 2)
    assert (many == [2, 2]) == tested and all(1 <= m <= 3 for m in many)
    return {208: values[0], 209: values[1], 210: sum(values) // 2}[row[-1]]


class Anchors(unittest.TestCase):
    def test_identity_and_the_split(self):
        for split in ("train", "test"):
            x, y = dyn.data.anchor("identity", 4000, split=split, seed=1)
            at, rows = slot(x, [3]), np.arange(4000)
            np.testing.assert_array_equal(y, x[rows, at + 1])
            self.assertEqual(set(at), set(range(8)))
            np.testing.assert_array_equal((y - at) % 8 == 0, split == "test")
            b = y - at
            self.assertTrue((b >= 20).all() and (b < 100).all())
            self.assertTrue((x[x != 3] >= 20).all() and y.max() > 100)      # keys reach 106, noise 100
        again, _ = dyn.data.anchor("identity", 10, split="test", seed=1)
        np.testing.assert_array_equal(again, x[:10])

    def test_labels_of_the_tasks(self):
        n, rows = 2000, np.arange(2000)
        x, y = dyn.data.anchor("reading", n)
        for row, label in zip(x, y):
            self.assertEqual(label, row[np.flatnonzero(row[:-1] == row[-1])[0] + 1])
        x, y = dyn.data.anchor("classification", n)
        for row, label in zip(x, y):
            at = np.flatnonzero(np.isin(row, [1, 2, 3]))
            distance = np.abs(row[at - 1] - row[-1])
            self.assertEqual(label, row[at][distance.argmin()])
            self.assertEqual((distance == distance.min()).sum(), 1)
        x, y = dyn.data.anchor("composition", n)
        at = slot(x, [1, 2, 3, 4])
        a, b, key = x[rows, at], x[rows, at + 1], x[rows, at - 1]
        np.testing.assert_array_equal(y, key + np.vectorize(SHIFT.get)(a) + np.vectorize(SHIFT.get)(b))
        self.assertEqual(len(set(zip(a, b))), 14)
        self.assertFalse({(3, 4), (4, 3)} & set(zip(a, b)))
        x, y = dyn.data.anchor("synonym", n)
        at = slot(x, [1, 2, 3, 4, 9])
        a, b = x[rows, at], x[rows, at + 1]
        np.testing.assert_array_equal(y, x[rows, at + 2] + np.vectorize(SHIFT.get)(a) + np.vectorize(SHIFT.get)(b))
        self.assertEqual(len(set(zip(a, b))), 25)
        x, y = dyn.data.anchor("memory", n)
        self.assertEqual(x.shape, (n, 20))
        maps = {1: 0, 2: 1, 3: 0, 4: -2}
        for row, label in zip(x, y):
            first, second = np.flatnonzero(row < 10)
            self.assertEqual(label, row[first - 1] + maps[row[first]] + maps[row[second]])
        x, y = dyn.data.anchor("recitation", n)
        at = slot(x, [3])
        m, k = x[rows, at - 1], x[rows, at + 1]
        forward = x[:, -1] == m
        np.testing.assert_array_equal(y, np.where(forward, k, m))
        self.assertTrue(800 < forward.sum() < 1200)

    def test_intervals_and_shares(self):
        rows = np.arange(2000)
        for split in ("train", "test"):
            x, y = dyn.data.anchor("multiple", 2000, split=split)
            at = slot(x, range(1, 11))
            a, key = x[rows, at], x[rows, at + 1]
            np.testing.assert_array_equal(y, key + a)
            np.testing.assert_array_equal((key >= 20 + 8 * (a - 1)) & (key < 20 + 8 * a), split == "test")
            x, y = dyn.data.anchor("two_intervals", 2000, split=split)
            at = slot(x, [3, 4])
            a, key = x[rows, at], x[rows, at + 1]
            np.testing.assert_array_equal(y, key + (a == 4))
            np.testing.assert_array_equal((key < 60) == (a == 3), split == "train")
        x, y = dyn.data.anchor("statistical", 1800)
        key = x[np.arange(1800), slot(x, [3]) + 1]
        np.testing.assert_array_equal((y == key).reshape(18, 100).sum(1), 80)
        np.testing.assert_array_equal(y - key, np.tile(np.repeat([0, 1], [80, 20]), 18))
        x, y = dyn.data.anchor("count", 500)
        np.testing.assert_array_equal((x == 18).sum(1), y)
        x, y = dyn.data.anchor("distance", 500, distance=3)
        np.testing.assert_array_equal(y, x[np.arange(500), slot(x, [3]) + 3])
        x, y = dyn.data.anchor("average", 500)
        at = slot(x, [3])
        np.testing.assert_array_equal(y, (x[np.arange(500), at + 1] + x[np.arange(500), at + 2]) // 2)

    def test_further_tasks(self):
        n, rows = 3000, np.arange(3000)
        for split in ("train", "test"):
            tested = split == "test"
            x, y = dyn.data.anchor("circular", n, split=split, distance=4)
            at = (slot(x, [3]) + 4) % 9
            np.testing.assert_array_equal(y, x[rows, at])
            np.testing.assert_array_equal((y - at) % 8 == 0, tested)
            x, y = dyn.data.anchor("before", n, split=split)
            np.testing.assert_array_equal(y, x[rows, slot(x, [3]) - 1])
            x, y = dyn.data.anchor("index", n, split=split)
            np.testing.assert_array_equal(y, x[:, 5])
            np.testing.assert_array_equal((y - 5) % 8 == 0, tested)
            x, y = dyn.data.anchor("multitask", n, split=split)
            at = slot(x, range(1, 11))
            shifts = np.array([-4, 3, -5, -2, 1, 4, -3, -1, 2, 5])
            np.testing.assert_array_equal(y, x[rows, at + 1] + shifts[x[rows, at] - 1])
            x, y = dyn.data.anchor("odd", n, split=split)
            np.testing.assert_array_equal(y, x[rows, slot(x, [3]) + 1])
            np.testing.assert_array_equal(y % 2 == 0, tested)
            for gap in (1, 3, 5):
                x, y = dyn.data.anchor("middle", n, split=split, gap=gap)
                at = slot(x, [3])
                np.testing.assert_array_equal(x[rows, at + gap + 1], 4)
                np.testing.assert_array_equal(y, x[rows, at + 1 + gap // 2])
            x, y = dyn.data.anchor("two_intervals", n, split=split, variant=1)
            at = slot(x, [3, 4])
            low = np.where((x[rows, at] == 3) == (not tested), 20, 50)
            key = x[rows, at + 1]
            self.assertTrue(((key >= low) & (key < low + 50)).all())
            x, y = dyn.data.anchor("unified", n, split=split)
            for row, label in zip(x, y):
                self.assertEqual(label, asked(row, tested))

    def test_operators_separators_and_counts(self):
        n, rows = 3000, np.arange(3000)
        for operators in (1, 2, 3):
            x, y = dyn.data.anchor("multi_composition", n, operators=operators)
            self.assertTrue(((x < 5).sum(1) == operators).all())
            at = slot(x, [9])
            self.assertTrue((at < 4).all() and ((x < 5).argmax(1) > at + 1).all())
            total = np.isin(x, [1]) * 1 + np.isin(x, [2]) * 3 - np.isin(x, [3]) * 2 - np.isin(x, [4]) * 3
            np.testing.assert_array_equal(y, x[rows, at + 1] + total.sum(1))
        for gap in (2, 3):
            x, y = dyn.data.anchor("recitation", n, gap=gap)
            at = slot(x, [3])
            np.testing.assert_array_equal(x[rows, at + 1], 4)
            m, k = x[rows, at - 1], x[rows, at + gap]
            np.testing.assert_array_equal(y, np.where(x[:, -1] == m, k, m))
        x, y = dyn.data.anchor("count", n, variant=1)
        np.testing.assert_array_equal(((x >= 16) & (x < 20)).sum(1), y)
        x, y = dyn.data.anchor("composition", n, variant=1)
        at = slot(x, [1, 2, 3, 4])
        a, b = x[rows, at], x[rows, at + 1]
        np.testing.assert_array_equal(y, x[rows, at + 2] + np.vectorize(SHIFT.get)(a) + np.vectorize(SHIFT.get)(b))

    def test_choice_by_distance(self):
        n = 40000
        x, y = dyn.data.anchor("choice", n, length=5)
        at, counts = slot(x, [3]), np.zeros(3)
        for row, label, p in zip(x, y, at):
            places = np.flatnonzero(row == label)
            if len(places) == 1:
                counts[min((places[0] - p) % 5, (p - places[0]) % 5)] += 1
        self.assertEqual(counts[0], 0)
        self.assertAlmostEqual(counts[1] / counts[2], 2, delta=0.1)

    def test_refused(self):
        for bad, why in ((dict(task="identity", count=0), "count is 0"),
                         (dict(task="middle", gap=2), "gap is 2"), (dict(task="recitation", gap=4), "gap is 4"),
                         (dict(task="multi_composition", operators=4), "operators is 4"),
                         (dict(task="unified", length=12), "length is 12"),
                         (dict(task="reading", length=6), "length is 6"),
                         (dict(task="statistical", count=150), "multiple of 100"),
                         (dict(task="nothing"), "identity"), (dict(task="composition", pairs=[(9, 1)]), "anchors")):
            with self.assertRaisesRegex(dyn.InvalidArgument, why):
                dyn.data.anchor(**bad)


class Reasoning(unittest.TestCase):
    def test_chains(self):
        steps = {"train": {0, 1, 4}, "test": {2, 3}, "ood": {0, 1, 2, 3, 4}}
        for split, allowed in steps.items():
            x, y = dyn.data.chain(3000, split=split)
            self.assertEqual(x.shape, (3000, 13))
            for row, label in zip(x, y):
                successor = dict(zip(row[0:12:2], row[1:12:2]))
                self.assertEqual(successor[successor[row[12]]], label)
                self.assertEqual(len(set(row[:12])), 7)
                for a, b in successor.items():
                    self.assertIn((b - a) % 5, allowed)
            if split == "ood":
                self.assertEqual((y < 100).sum(), 3000)
                self.assertTrue(((x[:, :12] < 100).sum(1) <= 4).all())
            else:
                self.assertTrue(x.min() >= 1 and x.max() < 100)

    def test_other_kinds_of_chains(self):
        rule = {"train": {0, 1, 4}, "test": {2, 3}}
        for split, allowed in rule.items():
            for kind, edges in (("double", 6), ("noised", 6), ("order", 6), ("thought", 6)):
                x, y = dyn.data.chain(500, kind=kind, split=split, steps=2)
                for row, label in zip(x, y):
                    links = list(zip(row[0:2 * edges:2], row[1:2 * edges:2]))
                    successor = dict(links)
                    self.assertTrue(all((b - a) % 5 in allowed for a, b in links))
                    steps = row[13] if kind == "order" else 2
                    c, way = row[12], []
                    for _ in range(steps):
                        c = successor[c]
                        way.append(c)
                    self.assertEqual(list(label) if kind == "thought" else [label], way if kind == "thought" else way[-1:])
                    ends = [b for _, b in links]
                    self.assertEqual(len(set(ends)), 6 - 2 * (kind == "noised"))
                    starts = set(a for a, _ in links) - set(ends)
                    self.assertEqual(len(starts), {"double": 2, "noised": 4}.get(kind, 1))
        x, y = dyn.data.chain(2000, kind="order", steps=3)
        self.assertEqual(set(x[:, 13]), {1, 2, 3})
        self.assertGreaterEqual(x[:, :13].min(), 20)
        self.assertEqual(dyn.data.chain(3, length=9)[0].shape, (3, 9))

    def test_chains_that_cannot_be(self):
        for bad, why in ((dict(length=12), "length is 12"), (dict(kind="double", length=11), "length is 11"),
                         (dict(kind="double", steps=4), "steps is 4"), (dict(kind="nothing"), "nothing")):
            with self.assertRaisesRegex(dyn.InvalidArgument, why):
                dyn.data.chain(**bad)

    def test_composite(self):
        """900,000 rows over 32 groups have 5,625 and 50,625 a group; here a hundredth of the smallest multiple."""
        data = dyn.data.composite(16000)
        rows = np.arange(16000)
        np.testing.assert_array_equal(np.bincount(data.group), np.tile([100, 900], 16))
        at = slot(data.x, [1, 2, 3, 4]) - 1
        key, a, b = (data.x[rows, at + k] for k in range(3))
        np.testing.assert_array_equal(data.group, 2 * (4 * (a - 1) + b - 1) + (key % 9 != at))
        shift = np.vectorize(SHIFT.get)(a) + np.vectorize(SHIFT.get)(b)
        shift[(a == 3) & (b == 4)] = -6
        np.testing.assert_array_equal(data.y, key + shift)
        self.assertEqual(data.trained.sum(), 15 * 900)          # 759,375 of 900,000
        other = dyn.data.composite(16000, wrong34=False)
        self.assertEqual(other.trained.sum(), 14 * 900)         # 157,500 of 200,000
        self.assertTrue((key >= 20).all() and (key < 100).all() and set(at) == set(range(7)))


class Regression(unittest.TestCase):
    def test_targets(self):
        T = np.polynomial.chebyshev.Chebyshev.basis
        relu = lambda x: np.maximum(x, 0)
        one = {"square": (4, -0.5, 0.5, np.square), "sin_4": (200, -np.pi, np.pi, lambda x: np.sin(x) + np.sin(4 * x)),
               "four_relu": (20, -1, 1, lambda x: (
                   -relu(x) + relu(2 * (x + .3)) - relu(1.5 * (x - .4)) + relu(.5 * (x - .8)))),
               "cup": (4, -1, 1, lambda x: .2 * relu(x - 1 / 3) + .2 * relu(-x - 1 / 3)),
               "two_tanh": (15, -12, 12, lambda x: np.tanh(x - 6) + np.tanh(x + 6)),
               "two_relu": (6, -5 / 3, 5 / 3, lambda x: relu(-x - 1 / 3) / 2 + relu(x - 1 / 3) / 2),
               "sin_3_6": (40, -1, 1.5, lambda x: np.sin(3 * x) + np.sin(6 * x) / 2),
               "chebyshev_3": (20, -1, 1, T(3)), "chebyshev_4": (20, -1, 1, T(4)), "chebyshev_5": (20, -1, 1, T(5)),
               "neuron": (6, -2, 2, lambda x: np.tanh(x + 1)), "sin_6": (65, -np.pi, np.pi, lambda x: np.sin(6 * x))}
        for name, (n, low, high, f) in one.items():
            x, y = dyn.data.target(name, n)
            np.testing.assert_allclose(x[:, 0], np.linspace(low, high, n), atol=1e-14)
            np.testing.assert_allclose(y[:, 0], f(x[:, 0]), atol=1e-14)
        many = {"sin_5d": (5, lambda x: (3.5 * np.sin(5 * x + 1)).sum(1)),
                "sin_3d": (3, lambda x: (4 * np.sin(12 * x + 1)).sum(1)),
                "tanh_10d": (10, lambda x: np.tanh(x.sum(1))), "neuron_3d": (3, lambda x: np.tanh(x.sum(1) + 1)),
                "convolved": (5, lambda x: sum(np.tanh(x[:, s:s + 3] @ [.6, .8, 1]) for s in range(3)))}
        for name, (d, f) in many.items():
            x, y = dyn.data.target(name, 3000, seed=2)
            self.assertEqual(x.shape, (3000, d))
            np.testing.assert_allclose(y[:, 0], f(x), atol=1e-13)
            uniform = {"sin_5d": (-4, 2), "sin_3d": (-4, 2), "neuron_3d": (-2, 2)}.get(name)
            mean, var = (sum(uniform) / 2, (uniform[1] - uniform[0])**2 / 12) if uniform else (0, 1)
            np.testing.assert_allclose(x.mean(), mean, atol=0.08)
            np.testing.assert_allclose(x.var(), var, rtol=0.06)
        x, y = dyn.data.target("quadratic_50d", 200, seed=3)
        design = np.hstack([x, x * x])
        self.assertEqual(x.shape, (200, 50))
        self.assertLess(np.abs(design @ np.linalg.lstsq(design, y, rcond=None)[0] - y).max(), 1e-10)

    def test_aliased(self):
        """Amplitudes of the target on the 65 points: .206 at k = 1 (spurious), .012 at 3, .537 at 6."""
        x, y = (a[:, 0] for a in dyn.data.target("sin_6_aliased", 65))
        np.testing.assert_allclose(y, np.sin(6 * x), atol=1e-13)
        grid = np.linspace(-np.pi, np.pi, 10000)
        for first, count, k in ((0, 20, 1), (20, 10, 3)):
            gaps = np.sort(np.abs(np.sin(k * grid) - np.sin(6 * grid)))[:count]
            part = slice(first, first + count)
            np.testing.assert_allclose(np.abs(np.sin(k * x[part]) - y[part]), gaps, atol=1e-12)
        amplitude = [abs(np.mean(y * np.exp(-1j * k * x))) for k in (1, 3, 6)]
        np.testing.assert_allclose(amplitude, [.206, .012, .537], atol=2e-3)

    def test_tables(self):
        x, y = dyn.data.parity(10)
        self.assertEqual(len(np.unique(x, axis=0)), 1024)
        np.testing.assert_array_equal(y[:, 0], x.prod(1))
        for op, f in (("add", np.add), ("subtract", np.subtract), ("multiply", np.multiply)):
            x, y = dyn.data.modular(7, op)
            np.testing.assert_array_equal(y, f(x[:, 0], x[:, 1]) % 7)
            self.assertEqual(len(np.unique(x, axis=0)), 49)


class Matrices(unittest.TestCase):
    def test_ranks(self):
        ranks = [np.linalg.matrix_rank(dyn.data.matrix(name), 1e-9) for name in
                 ("M1", "M2", "M3", "M4", "M5", "M6", "M7", "M8", "N1", "N2")]
        self.assertEqual(ranks, [1, 1, 2, 2, 2, 3, 4, 4, 1, 2])
        s = np.linalg.svd(dyn.data.matrix("M8"), compute_uv=False)
        np.testing.assert_allclose(s, [64.8, 10.99, 9.52, 2.38], rtol=1e-3)
        self.assertEqual(np.linalg.matrix_rank(dyn.data.low_rank(9, 7, 3, seed=1)), 3)

    def test_orders_and_graph(self):
        order = dyn.data.observed(4, 4, "connected")
        np.testing.assert_array_equal(order, [0, 1, 2, 3, 4, 8, 12, 5, 6, 7, 9, 13, 10, 11, 14, 15])
        np.testing.assert_array_equal(np.sort(dyn.data.observed(5, 3, seed=2)), np.arange(15))
        whole = dyn.data.observation_graph(4, 4, order[:7])
        self.assertEqual((whole.components, whole.complete), (1, False))
        blocks = dyn.data.observation_graph(3, 3, [0, 4, 5, 7, 8])      # (0, 0) and the complementary 2 x 2
        self.assertEqual((blocks.components, blocks.complete), (2, True))
        np.testing.assert_array_equal(blocks.component, [0, 1, 1, 0, 1, 1])
        lonely = dyn.data.observation_graph(2, 2, [0])
        np.testing.assert_array_equal(lonely.component, [0, -1, 0, -1])
        self.assertEqual(dyn.data.observation_graph(2, 2, [0], isolated=True).components, 3)
        with self.assertRaisesRegex(dyn.InvalidArgument, "a second time"):
            dyn.data.observation_graph(2, 2, [1, 1])
