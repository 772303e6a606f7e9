# SPDX-License-Identifier: BSD-3-Clause
"""Fisher matrices and Kronecker factors: against values computed from the definitions for a small network and a small
convolution, against dense Gauss-Newton blocks, and in expectation."""
import unittest

import numpy as np

import dyn
from support import reference


class Fisher(unittest.TestCase):
    def setUp(self):
        self.net, self.theta, self.x, self.y = reference()
        self.loss = dyn.Objective(self.net, self.x, self.y)

    def test_empirical(self):
        F = dyn.empirical_fisher(self.loss, theta=self.theta).dense()
        values = np.linalg.eigvalsh(F)
        np.testing.assert_allclose([np.trace(F), np.linalg.norm(F), values[-1]],
                                   [41.169553460944, 32.913242688770, 32.242550009698], rtol=1e-12)
        self.assertEqual((values > 1e-10).sum(), 4)
        C = dyn.empirical_fisher(self.loss, theta=self.theta, centred=True).dense()
        self.assertAlmostEqual(np.trace(C), 25.426535780136, 11)
        self.assertEqual((np.linalg.eigvalsh(C) > 1e-10).sum(), 3)
        summed = dyn.Objective(self.net, self.x, self.y, sum_samples=True)
        np.testing.assert_allclose(dyn.empirical_fisher(summed, theta=self.theta).dense(), 4 * F, rtol=1e-12, atol=1e-12)


class Factors(unittest.TestCase):
    def setUp(self):
        self.net, self.theta, self.x, self.y = reference()
        self.loss = dyn.Objective(self.net, self.x, self.y)
        self.blocks = [self.loss.ggn(self.theta).dense()[np.ix_(r, r)] for r in (range(9), range(9, 17))]

    def test_reference(self):
        first, second = dyn.kfac(self.loss, theta=self.theta).layers
        self.assertEqual([first.weight, first.bias, second.weight, second.bias], ["W1", "b1", "W2", "b2"])
        self.assertAlmostEqual(np.trace(first.a), 2.082228621462, 11)
        self.assertAlmostEqual(np.trace(first.b), 1.465472481360, 11)
        approximation = np.kron(first.a, first.b)
        self.assertAlmostEqual(np.linalg.norm(approximation), 1.691950015355, 11)
        self.assertAlmostEqual(np.linalg.norm(approximation - self.blocks[0]) / np.linalg.norm(self.blocks[0]),
                               .499304357426, 11)
        np.testing.assert_allclose(np.kron(second.a, second.b), self.blocks[1], atol=1e-13)

    def test_operator(self):
        found = dyn.kfac(self.loss, theta=self.theta)
        dense = found.operator().dense()
        for layer, rows in zip(found.layers, (range(9), range(9, 17))):
            np.testing.assert_allclose(dense[np.ix_(rows, rows)], np.kron(layer.a, layer.b), atol=1e-12)
        self.assertEqual(abs(dense[:9, 9:]).max(), 0)

    def test_inverse(self):
        gradient = self.loss.gradient(self.theta)[1]
        found = dyn.kfac(self.loss, theta=self.theta)
        expected = {"exact": (3.646457993747, 1.876680177562), "pi": (1.841367639588, .814054472013),
                    "sqrt": (1.812259390792, .742176795024), "factors": (4.295885243111, 1.251003370738)}
        for method, norms in expected.items():
            step = found.inverse(.1, method) @ gradient
            np.testing.assert_allclose([np.linalg.norm(step[:9]), np.linalg.norm(step[9:])], norms, rtol=1e-11)
        improved = dyn.kfac(self.loss, theta=self.theta, eigenvalues=True)
        step = improved.inverse(.1) @ gradient
        first = improved.layers[0]
        basis = np.kron(np.linalg.eigh(first.a)[1], np.linalg.eigh(first.b)[1])
        diagonal = np.diag(basis.T @ self.blocks[0] @ basis)
        np.testing.assert_allclose(step[:9], basis @ (basis.T @ gradient[:9] / (diagonal + .1)), rtol=1e-10)
        self.assertAlmostEqual(np.linalg.norm(step[9:]), 1.876680177562, 11)
        self.assertAlmostEqual(improved.layers[0].eigenvalues.max(), 1.427747139332, 11)
        self.assertAlmostEqual(improved.layers[0].eigenvalues.sum(), 3.092288131205, 11)
        error = improved.operator().dense()[:9, :9] - self.blocks[0]
        self.assertAlmostEqual(np.linalg.norm(error) / np.linalg.norm(self.blocks[0]), .498561395021, 11)
        with self.assertRaisesRegex(dyn.InvalidArgument, "EKFAC"):
            improved.inverse(.1, "pi")
        with self.assertRaisesRegex(dyn.InvalidArgument, "lambda 0"):
            found.inverse(0.0)

    def test_losses(self):
        """The last layer's block is exact where the loss's Hessian is the same for all samples, and has the right trace
        always; drawn targets agree in the mean."""
        classes = np.array([1, 0, 1, 0])
        for loss in (dyn.Objective(self.net, self.x, classes, loss="cross_entropy"),
                     dyn.Objective(self.net, self.x, np.eye(2)[classes], loss="binary_cross_entropy", mean_outputs=True),
                     dyn.Objective(self.net, self.x, self.y, half=True, sum_samples=True)):
            G = loss.ggn(self.theta).dense()
            layers = dyn.kfac(loss, theta=self.theta, eigenvalues=True).layers
            self.assertAlmostEqual(sum(layer.eigenvalues.sum() for layer in layers), np.trace(G), 11)
            many = dyn.kfac(loss, theta=self.theta, columns="sampled", draws=20000, eigenvalues=True, seed=1).layers
            self.assertLess(abs(sum(layer.eigenvalues.sum() for layer in many) / np.trace(G) - 1), .03)
        data = dyn.kfac(self.loss, theta=self.theta, columns="empirical", eigenvalues=True).layers
        self.assertAlmostEqual(sum(layer.eigenvalues.sum() for layer in data), 41.169553460944, 10)

    def test_convolution(self):
        x = np.sin(np.outer(np.arange(1, 4), np.arange(1, 10))).reshape(3, 3, 3, 1)
        weights = {"W": np.array([.5, -.3, .2, .4, -.6, .1, .3, .7]).reshape(2, 2, 1, 2), "b": [.1, -.2],
                   "V": [[.4, -.5], [.9, .3]], "c": [0.0, 0.0]}

        def build(g, image):
            W, bias, V, c = (g.parameter(n, np.shape(v)) for n, v in weights.items())
            return dyn.linear(dyn.tanh(dyn.conv2d(image, W, bias)).mean(axis=(1, 2)), V, c)
        net = dyn.Model.from_function(build, (3, 3, 1))
        theta = np.concatenate([np.ravel(v) for v in weights.values()])
        loss = dyn.Objective(net, x, np.zeros((3, 2)))
        block = loss.ggn(theta).dense()[:10, :10]
        self.assertAlmostEqual(np.trace(block), 1.734291681016, 11)
        self.assertAlmostEqual(np.linalg.norm(block), 1.222986730807, 11)
        layer = dyn.kfac(loss, theta=theta, reduce=True).layers[0]
        self.assertAlmostEqual(np.trace(layer.a), 1.223387604243, 11)
        self.assertAlmostEqual(np.trace(layer.b), 1.432034241698, 11)
        error = np.linalg.norm(np.kron(layer.a, layer.b) - block) / np.linalg.norm(block)
        self.assertAlmostEqual(error, .267570043318, 11)
        expand = dyn.kfac(loss, theta=theta, eigenvalues=True)
        self.assertAlmostEqual(expand.layers[0].eigenvalues.sum(), np.trace(block), 11)

    def test_sequences_chunks_and_threads(self):
        """A transformer: every dense layer is found; the trace of EKFAC is that of the blocks; bits do not depend on threads."""
        tokens = np.random.default_rng(0).integers(0, 7, (40, 5))
        found = []
        for threads in 1, 3:
            with dyn.Context(threads=threads):
                net = dyn.gpt(vocabulary=7, length=5, width=8, heads=2, layers=1, hidden=16)
                loss = dyn.Objective(net, tokens, np.roll(tokens, -1, 1), loss="cross_entropy")
                theta = np.random.default_rng(1).normal(size=net.size) / 3
                layers = dyn.kfac(loss, theta=theta, eigenvalues=True).layers
                G = loss.ggn(theta)
                for layer in layers:
                    names = [layer.weight] + ([layer.bias] if layer.bias else [])
                    self.assertAlmostEqual(layer.eigenvalues.sum() / np.trace(G.restricted(names).dense()), 1, 10)
                found.append([layer.a for layer in layers] + [layer.b for layer in layers])
        self.assertGreaterEqual(len(layers), 4)
        self.assertTrue(all((a == b).all() for a, b in zip(*found)))

    def test_refused(self):
        with self.assertRaisesRegex(dyn.NotSupported, "dyn_kfac_create: loss 3"):
            dyn.kfac(dyn.Objective(self.net, self.x, self.y, loss="l1"), theta=self.theta)
        with self.assertRaisesRegex(dyn.NotSupported, "weights"):
            dyn.kfac(dyn.Objective(self.net, self.x, self.y, weight=np.ones(4)), theta=self.theta)
        with self.assertRaisesRegex(dyn.InvalidArgument, "draws 0"):
            dyn.kfac(self.loss, theta=self.theta, draws=0)
