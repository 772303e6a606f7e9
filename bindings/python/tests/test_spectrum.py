# SPDX-License-Identifier: BSD-3-Clause
"""Scalars of spectra against dense matrices, parts and layers of Hessians, and their measurement along runs."""
import unittest

import numpy as np

import dyn
from support import wave

R = np.random.default_rng(8)
V = np.r_[12.0, 9.0, 7.0, R.uniform(-0.5, 1.0, 197)]
Q = np.linalg.qr(R.normal(size=(200, 200)))[0]
A = dyn.Operator.from_function((Q * V @ Q.T).__matmul__, 200)


class Scalars(unittest.TestCase):
    def within(self, estimate, value, least=0.0):
        self.assertLessEqual(abs(estimate.value - value), 5 * estimate.standard_error + least)
        self.assertLess(estimate.standard_error, 0.2 * abs(value))

    def test_against_the_eigenvalues(self):
        self.within(dyn.frobenius_norm(A), np.linalg.norm(V))
        self.within(dyn.stable_rank(A), np.sum(V**2) / np.max(np.abs(V)) ** 2)
        positive = np.maximum(V, 0)
        self.within(dyn.effective_dimension(A, 0.1, probes=20), np.sum(positive / (positive + 0.1)))
        self.within(dyn.negative_share(A, probes=20), np.mean(V < 0), 0.01)
        self.within(dyn.negative_share(A, 0.2, probes=20), np.mean(V < -0.2), 0.01)

    def test_a_trace_by_xtrace(self):
        found = A.trace(60, "xtrace")
        self.within(found, V.sum())

    def test_bulk(self):
        found = dyn.bulk(A, most=12)
        bulk = np.sort(V)[-4]
        self.assertEqual(found.outliers, 3)
        self.assertAlmostEqual(found.edge, bulk, delta=1e-3)
        self.assertAlmostEqual(found.gap, 7 - bulk, delta=1e-2)
        self.assertEqual(dyn.bulk(A, most=12, which="smallest").outliers, 0)

    def test_refused(self):
        with self.assertRaisesRegex(dyn.InvalidArgument, "damping"):
            dyn.effective_dimension(A, 0.0)


class Parts(unittest.TestCase):
    def setUp(self):
        self.net = dyn.mlp([2, 6, 5, 1], seed=2)
        x = R.normal(size=(9, 2))
        self.loss = dyn.Objective(self.net, x, np.sin(x.sum(1)))
        self.theta = self.net.initial()

    def test_gauss_newton_and_the_rest(self):
        found = dyn.curvature_parts(self.loss, theta=self.theta, probes=400)
        H, G = self.loss.hessian(self.theta).dense(), self.loss.ggn(self.theta).dense()
        np.testing.assert_allclose(found.residual.dense(), H - G, atol=1e-13)
        for estimate, matrix in ((found.hessian_norm, H), (found.gauss_newton_norm, G), (found.residual_norm, H - G)):
            self.assertLess(abs(estimate.value - np.linalg.norm(matrix)), 5 * estimate.standard_error)

    def test_layers(self):
        H = self.loss.hessian(self.theta).dense()
        found = dyn.layer_spectra(self.loss, 2, theta=self.theta)
        self.assertEqual(list(found), ["layer1", "layer2", "layer3"])
        for pairs, rows in zip(found.values(), (slice(0, 18), slice(18, 53), slice(53, 59))):
            np.testing.assert_allclose(pairs.values, np.linalg.eigvalsh(H[rows, rows])[::-1][:2], rtol=1e-6)
        self.assertEqual(list(dyn.layer_spectra(self.loss, theta=self.theta, by="tensor", matrix="ggn"))[:2], ["W1", "b1"])


class Kinks(unittest.TestCase):
    def test_against_numpy(self):
        net = dyn.mlp([2, 7, 6, 1], "relu", seed=4)
        w, x = net.views(net.initial()), R.normal(size=(50, 2))
        w["b1"][:3] = w["W1"][:, :3] = 0        # three units stand on their kink at every sample
        theta = np.concatenate([w[name].ravel() for name in net.tensors])
        z = np.maximum(x @ w["W1"] + w["b1"], 0) @ w["W2"] + w["b2"]
        expected = np.mean(np.abs(z) <= 0.2 * np.sqrt(np.mean(z**2)))
        np.testing.assert_allclose(dyn.kink_share(net, theta, x, 0.2)[1], expected, rtol=1e-12)
        self.assertAlmostEqual(dyn.kink_share(net, theta, x, 1e-12)[0], 3 / 7, delta=1e-12)
        for other in (dyn.mlp([1, 3, 1]), dyn.transformer(20, 6, layers=1, width=8, key_width=4, hidden=8)):
            with self.assertRaises(dyn.NotSupported):
                dyn.kink_share(other, other.initial(), x)


class AlongARun(unittest.TestCase):
    def test_spectrum(self):
        plain = dyn.Run(dyn.mlp([1, 20, 1], seed=1), *wave(), optimizer=dyn.Adam(1e-2)).train(20)
        run = dyn.Run(dyn.mlp([1, 20, 1], seed=1), *wave(), optimizer=dyn.Adam(1e-2))
        run.measure(dyn.Spectrum(k=3, lanczos=60, probes=30, damping=0.1), at=("start", "end"), budget=0.9)
        found = run.train(20)["spectrum"]
        np.testing.assert_array_equal(run.theta, plain.theta)
        values, vectors = np.linalg.eigh(run.objective.hessian(run.theta).dense())
        np.testing.assert_allclose(found.values[1], values[::-1][:3], atol=3e-4 * values[-1])
        positive = np.maximum(values, 0)
        for name, value in (("trace", values.sum()), ("frobenius", np.linalg.norm(values)),
                            ("effective_dimension", np.sum(positive / (positive + 0.1)))):
            self.assertLess(abs(getattr(found, name)[1] - value), 5 * getattr(found, name + "_error")[1], name)
        gradient = run.objective.gradient(run.theta)[1]
        top = vectors[:, -3:].T @ gradient
        self.assertAlmostEqual(found.alignment[1], top @ top / (gradient @ gradient), delta=2e-3)
        np.testing.assert_allclose(found.weights.sum(-1), 1, rtol=1e-9)

    def test_kronecker(self):
        run = dyn.Run(dyn.mlp([1, 6, 1], seed=1), *wave(), optimizer=dyn.Adam(1e-2))
        run.measure(dyn.Kronecker(), every=5)
        run.measure(dyn.Kronecker(eigenvalues=True, name="ekfac"), at="end")
        run.train(10)
        layers = dyn.kfac(run).layers
        block = np.kron(layers[0].a, layers[0].b)
        found = run["kronecker"]
        self.assertEqual((found.layers, found.steps.tolist()), (["W1", "W2"], [0, 5, 10]))
        self.assertAlmostEqual(found.trace[2, 0], np.trace(block), delta=1e-9)
        self.assertAlmostEqual(found.largest[2, 0], np.linalg.eigvalsh(block)[-1], delta=1e-9)
        G = run.objective.ggn(run.theta).dense()
        self.assertAlmostEqual(run["ekfac"].trace[0].sum(), np.trace(G), delta=1e-9 * np.trace(G))


class Attention(unittest.TestCase):
    def test_scores_of_constructed_maps(self):
        L = 6
        shift = np.eye(L, k=-1)
        shift[0, 0] = 1
        by_chance = np.mean([1 / (i + 1) for i in range(1, L)])
        self.assertAlmostEqual(float(dyn.shift_score(shift)), 1 - by_chance, delta=1e-15)
        one = np.zeros((2, 1, L, L))
        one[0, 0, :, 0], one[1, 0, :, 2] = 1, 1
        np.testing.assert_allclose(dyn.broadcast_score(one, [0, 2]), 1)
        np.testing.assert_allclose(dyn.broadcast_score(one, 0)[:, 0], [1, 0])
        maps = R.dirichlet(np.ones(L), (3, 2, 4, L))
        through = np.eye(L)
        for layer in maps[:, 1].mean(1):
            through = (0.3 * np.eye(L) + 0.7 * layer) @ through
        np.testing.assert_allclose(dyn.rollout(maps, 0.3)[1], through, rtol=1e-12)

    def test_matching(self):
        net = dyn.transformer(30, 8, layers=3, width=12, heads=2, key_width=4, hidden=8, seed=3)
        w = net.views(net.initial())
        qk = [sum(w[f"layer{i}.Wq"][:, h:h + 4] @ w[f"layer{i}.Wk"][:, h:h + 4].T for h in (0, 4)) for i in (1, 2, 3)]
        vo = [w[f"layer{i}.Wv"] @ w[f"layer{i}.Wo"] for i in (1, 2, 3)]
        np.testing.assert_allclose(dyn.matching_kernel(net, net.initial(), 2), qk[1] @ vo[0].T, rtol=1e-12)
        np.testing.assert_allclose(dyn.matching_kernel(net, net.initial(), 3), vo[1] @ qk[2] @ vo[0].T, rtol=1e-12)
        self.assertAlmostEqual(dyn.kernel_score(-2 * np.eye(5)), -1, delta=1e-15)
        self.assertLess(abs(dyn.kernel_score(R.normal(size=(400, 400)))), 5 / 400)
        score, error = dyn.matching_score(np.zeros((12, 12)), w["embedding"])
        self.assertAlmostEqual(score, 1 / 13, delta=1e-15)

    def test_along_a_run(self):
        net = dyn.transformer(30, 6, layers=2, width=8, key_width=4, hidden=8, seed=1)
        x, y = R.integers(0, 30, (20, 6)), R.integers(0, 30, 20)
        run = dyn.Run(net, x, y, loss="cross_entropy", optimizer=dyn.Adam(1e-2))
        run.measure(dyn.Attention(place=np.arange(20) % 6), every=5)
        found = run.train(10)["attention"]
        maps = run.objective.inside(run.theta, "layer1.attention", "layer2.attention")
        np.testing.assert_allclose(found.shift[2, 1], dyn.shift_score(maps["layer2.attention"]).mean(0), rtol=1e-12)
        self.assertAlmostEqual(found.kernel[2, 0], dyn.kernel_score(dyn.matching_kernel(net, run.theta, 2)), delta=1e-12)
        self.assertEqual(found.matching.shape, (3, 1))


class Symmetry(unittest.TestCase):
    def test_another_order_is_found_again(self):
        net = dyn.mlp([3, 16, 12, 2], seed=5)
        orders = [R.permutation(16), R.permutation(12)]
        other = dyn.permute_units(net, net.initial(), orders)
        x = R.normal(size=(7, 3))
        np.testing.assert_allclose(net(other, x), net(net.initial(), x), rtol=1e-12)
        noisy = other + 1e-3 * R.normal(size=net.size)
        try:
            found = dyn.match_units(net, net.initial(), noisy)
        except ImportError:
            self.skipTest("SciPy is not installed")
        np.testing.assert_allclose(found.theta, net.initial(), atol=1e-2)
        np.testing.assert_allclose(net(found.theta, x), net(noisy, x), rtol=1e-12)

    def test_others_are_refused(self):
        net = dyn.transformer(20, 6, layers=1, width=8, key_width=4, hidden=8)
        with self.assertRaises(dyn.NotSupported):
            dyn.match_units(net, net.initial(), net.initial())

    def test_projections_keep_distances(self):
        x = R.normal(size=(2, 500))
        near = dyn.random_projection(x, 400, seed=3)
        exact = np.sum((x[0] - x[1])**2)
        self.assertLess(abs(np.sum((near[0] - near[1])**2) - exact), 5 * np.sqrt(2 / 400) * exact)
        run = dyn.Run(dyn.mlp([1, 5, 1], seed=1), *wave())
        run.measure(dyn.Projection(3, seed=2), every=1)
        found = run.train(4)["projection"]
        np.testing.assert_allclose(found.values[4], dyn.random_projection(run.theta, 3, seed=2), rtol=1e-13)


if __name__ == "__main__":
    unittest.main()
