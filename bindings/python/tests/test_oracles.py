# SPDX-License-Identifier: BSD-3-Clause
"""Every measurement of curvature on every family, against dense matrices that NumPy forms in float64 from PyTorch's
outputs, their Jacobian and the Hessians of loss and network: a table of networks, a method for each measurement."""
import unittest
from functools import cache

import numpy as np

import dyn

try:
    import torch
    import torch.nn.functional as F
    from test_families import torch_cnn, torch_resnet, torch_transformer
    torch.set_num_threads(1)
except ImportError:
    torch = F = None

R = np.random.default_rng(11)
DAMPING = 0.1
ON_GRID = np.array([0, 5, 7, 11, 5])


def torch_mlp(p, x):
    return torch.tanh(x @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]


def torch_rnn(p, x, cell):
    h = c = torch.zeros(len(x), p["layer1.U"].shape[0], dtype=torch.float64)
    for t in range(x.shape[1]):
        a, b = x[:, t] @ p["layer1.W"] + p["layer1.b"], h @ p["layer1.U"] + p["layer1.c"]
        if cell == "simple":
            h = torch.tanh(a + b)
        elif cell == "gru":
            (ar, az, an), (br, bz, bn) = a.chunk(3, 1), b.chunk(3, 1)
            z = (az + bz).sigmoid()
            h = (1 - z) * torch.tanh(an + (ar + br).sigmoid() * bn) + z * h
        else:
            i, f, g, o = (a + b).chunk(4, 1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
    return h @ p["W"] + p["b"]


def recurrent(cell):
    return (dyn.recurrent(2, 3, 2, 2, cell=cell), lambda p, x: torch_rnn(p, x, cell), R.normal(size=(3, 3, 2)))


def attention(make, **reference):
    return (make, lambda p, x: torch_transformer(p, x, **reference), R.integers(0, 5, (3, 3)))


def families():
    """name: (network, the same from its tensors in PyTorch, samples)."""
    def gelu(x):
        return F.gelu(x, approximate="tanh")
    return {
        "perceptron": (dyn.mlp([2, 3, 2], "tanh"), torch_mlp, R.normal(size=(5, 2))),
        "CNN": (dyn.cnn((4, 3, 1), [2], outputs=2, activation="tanh", kernel=2, padding="valid"),
                lambda p, x: torch_cnn(p, x, padding=0), R.normal(size=(4, 4, 3, 1))),
        "ResNet": (dyn.resnet((1,), (3, 3, 1), 2, base=1, activation="sin"),
                   lambda p, x: torch_resnet(p, x, (1,)), R.normal(size=(3, 3, 3, 1))),
        "transformer": attention(dyn.transformer(5, 3, width=4, key_width=2, hidden=3, layers=1), layers=1, heads=1),
        "GPT": attention(dyn.gpt(5, 3, layers=1, heads=2, width=2, hidden=3), layers=1, heads=2, kind="pre", last=False,
                         act=gelu),
        "LLaMA": attention(dyn.llama(5, 3, layers=1, heads=2, kv_heads=1, width=4, hidden=3), layers=1, heads=2,
                           kv_heads=1, kind="pre", last=False, rotary=True, act=F.silu),
        "RNN": recurrent("simple"), "GRU": recurrent("gru"), "LSTM": recurrent("lstm"),
        "factorisation": (dyn.factorisation([3, 2, 5]), lambda p, x: (p["W1"] @ p["W2"]).reshape(-1, 1)[x], ON_GRID),
        "tensor": (dyn.tensor_factorisation([2, 3, 4], rank=2), lambda p, x: torch.einsum(
            "ir,jr,kr->ijk", p["A1"], p["A2"], p["A3"]).reshape(-1, 1)[x], ON_GRID),
        "diagonal": (dyn.diagonal(3, 3), lambda p, x: x @ (p["a1"] * p["a2"] * p["a3"]).T, R.normal(size=(4, 3))),
        "polynomial": (dyn.polynomial(2, 2, 2), lambda p, x: x @ p["W1"] + x**2 @ p["W2"] + p["b"],
                       R.normal(size=(4, 2)))}


def mean_square(f, y):
    return ((f - y)**2).sum()


def cross_entropy(f, y):
    return -(y * F.log_softmax(f, -1)).sum(-1).mean()


class Oracle:
    """A network with a loss, and the dense matrices of both: jacobian [n, outputs, p], by_output [n, outputs, outputs], the
    Hessians of each sample's loss in its outputs, and what follows."""

    def __init__(self, net, reference, x, loss):
        self.net, self.x, self.loss = net, x, loss
        self.theta = net.initial() + 0.3 * R.normal(size=net.size)
        places = {name: (t.offset, t.shape) for name, t in net.tensors.items()}

        def outputs(t):
            tensors = {name: t[at:at + int(np.prod(shape))].reshape(shape) for name, (at, shape) in places.items()}
            return reference(tensors, torch.tensor(x))
        self._fill(outputs, mean_square if loss == "mse" else cross_entropy)

    def _fill(self, outputs, loss):
        theta = torch.tensor(self.theta)
        f = outputs(theta)
        y = torch.tensor(R.normal(size=f.shape))
        y = y if loss is mean_square else y.softmax(-1)
        self.objective = dyn.Objective(self.net, self.x, y.numpy(), loss=self.loss)
        n = self.n = len(f)

        def value(t):
            return sum(loss(*pair) for pair in zip(outputs(t), y)) / n
        each = torch.func.vmap(torch.func.grad(loss))(f, y)
        by_output = torch.func.vmap(torch.func.hessian(loss))(f, y)
        self.f = f.numpy()
        self.hessian = torch.autograd.functional.hessian(value, theta).numpy()   # vmap of a layer norm drops its gain
        self.jacobian = torch.func.jacrev(outputs)(theta).numpy().reshape(n, -1, self.net.size)
        width = self.jacobian.shape[1]
        self.by_output = by_output.numpy().reshape(n, width, width)
        self.gradients = np.einsum("nk,nkp->np", each.numpy().reshape(n, width), self.jacobian)
        self.ggn = np.einsum("nkp,nkl,nlq->pq", self.jacobian, self.by_output, self.jacobian) / n


@cache
def oracles():
    """name, loss: its Oracle; a cross-entropy of one output is 0 everywhere."""
    return {(name, loss): Oracle(*made, loss) for name, made in families().items()
            for loss in ("mse", "cross_entropy") if loss == "mse" or made[0].output_size > 1}


def on_every_family(*losses):
    """The test of one Oracle, for all with these losses."""
    def for_all(test):
        def run(self):
            for (name, loss), oracle in oracles().items():
                if loss in losses:
                    with self.subTest(family=name, loss=loss):
                        test(self, oracle)
        run.__doc__ = test.__doc__
        return run
    return for_all


@unittest.skipIf(torch is None, "PyTorch is not installed")
class Oracles(unittest.TestCase):
    def close(self, ours, expected, within=1e-10):
        expected = np.asarray(expected)
        scale = max(1.0, np.abs(expected).max())
        self.assertEqual(np.shape(ours), expected.shape)
        self.assertLessEqual(np.abs(ours - expected).max() / scale, within)

    def estimated(self, estimate, value):
        """Within six standard errors."""
        self.assertLessEqual(abs(estimate.value - value), 6 * estimate.standard_error + 1e-9 * max(1.0, abs(value)))

    @on_every_family("mse", "cross_entropy")
    def test_hessian(self, o):
        H = o.objective.hessian(o.theta).dense()
        self.close(H, o.hessian)
        self.assertGreater(np.abs(o.hessian).max(), 1e-3)

    @on_every_family("mse", "cross_entropy")
    def test_gauss_newton(self, o):
        self.close(o.objective.ggn(o.theta).dense(), o.ggn)

    @on_every_family("mse", "cross_entropy")
    def test_jacobian_and_gradients_of_samples(self, o):
        J = o.jacobian.reshape(-1, o.net.size)
        self.close(o.objective.jacobian(o.theta).reshape(J.shape), J)
        self.close(o.objective.jacobian_map(o.theta).dense(), J)
        self.close(o.objective.sample_gradients(o.theta), o.gradients)

    @on_every_family("mse", "cross_entropy")
    def test_empirical_fisher(self, o):
        g = o.gradients
        self.close(dyn.empirical_fisher(o.objective, theta=o.theta).dense(), g.T @ g / o.n)
        self.close(dyn.empirical_fisher(o.objective, theta=o.theta, centred=True).dense(), np.cov(g.T, bias=True))

    @on_every_family("cross_entropy")
    def test_true_fisher(self, o):
        """The mean of g g^T over classes drawn from the model, each class enumerated: independent places add up."""
        shares = np.exp(o.f - o.f.max(-1, keepdims=True))
        shares = (shares / shares.sum(-1, keepdims=True)).reshape(o.n, -1, o.f.shape[-1])
        places, classes = shares.shape[1:]
        J = o.jacobian.reshape(o.n, places, classes, -1)
        slopes = J - np.einsum("nsc,nscp->nsp", shares, J)[:, :, None]     # of log softmax, class by class
        fisher = np.einsum("nsc,nscp,nscq->pq", shares, slopes, slopes) / (o.n * places)
        self.close(o.objective.ggn(o.theta).dense(), fisher)

    @on_every_family("mse")
    def test_tangent_kernel(self, o):
        J = o.jacobian.reshape(-1, o.net.size)
        ours = dyn.tangent_kernel(o.net, o.x, theta=o.theta)
        self.close(ours, J @ J.T)
        np.testing.assert_array_equal(ours, ours.T)
        self.close(dyn.tangent_kernel(o.net, o.x, theta=o.theta, traced=True),
                   np.einsum("ikp,jkp->ij", o.jacobian, o.jacobian))

    @on_every_family("mse", "cross_entropy")
    def test_eigenpairs(self, o):
        values = np.linalg.eigvalsh(o.hessian)
        A = o.objective.hessian(o.theta)
        for which, expected in (("largest", values[::-1][:3]), ("smallest", values[:3])):
            found = dyn.eigh(A, 3, which, 1e-9)
            self.close(found.values, expected, 1e-8)
            self.close(o.hessian @ found.vectors, found.vectors * found.values, 1e-8)

    @on_every_family("mse", "cross_entropy")
    def test_trace_norm_and_diagonal(self, o):
        A = o.objective.hessian(o.theta)
        for method in ("hutchpp", "hutchinson", "xtrace"):
            self.estimated(A.trace(min(30, o.net.size), method, seed=2), np.trace(o.hessian))
        self.estimated(dyn.frobenius_norm(A, probes=100), np.linalg.norm(o.hessian))
        found = A.diagonal(200)
        self.assertTrue((abs(found.value - np.diag(o.hessian)) <= 6 * found.standard_error + 1e-9).all())

    @on_every_family("mse", "cross_entropy")
    def test_moments_of_the_density(self, o):
        density = o.objective.hessian(o.theta).density(30, min(25, o.net.size))
        for power in range(5):
            moment = dyn.spectral_sum(lambda h: h**power, density, o.net.size)
            self.estimated(moment, np.trace(np.linalg.matrix_power(o.hessian, power)))

    @on_every_family("mse", "cross_entropy")
    def test_sums_over_the_spectrum(self, o):
        G, H = o.objective.ggn(o.theta), o.objective.hessian(o.theta)
        values = np.maximum(np.linalg.eigvalsh(o.ggn), 0)
        self.estimated(dyn.log_determinant(G, DAMPING, probes=30), np.log(values + DAMPING).sum())
        self.estimated(dyn.effective_dimension(G, DAMPING, probes=30), (values / (values + DAMPING)).sum())
        # a share counts on either side of a bound: put it into a gap
        values = np.linalg.eigvalsh(o.hessian)
        gap = np.argmax(np.diff(values)[:len(values) // 2 + 1])
        bound = values[gap:gap + 2].mean()
        self.estimated(dyn.negative_share(H, -bound, probes=60), np.mean(values < bound))

    @on_every_family("mse")
    def test_rank(self, o):
        J = o.jacobian.reshape(-1, o.net.size)
        length = np.linalg.norm(J, axis=0)
        clear = length > 1e-12 * length.max()
        if (clear | (length == 0)).all():
            found = dyn.model_rank(o.net, o.theta, o.x)
        else:                   # a key's bias has no effect but rounding, of which scaling would make a direction
            found = dyn.matrix_rank(o.objective.jacobian(o.theta).reshape(J.shape) * clear)
        values = np.linalg.svd(J[:, clear] / length[clear], compute_uv=False)
        self.assertEqual(found.rank, (values > found.tolerance * values[0]).sum())
        self.assertEqual(found.zero_columns, (~clear).sum())
        self.close(found.singular_values[:found.rank], values[:found.rank], 1e-9)

    @on_every_family("mse")
    def test_rank_by_products(self, o):
        """Of the Jacobian as a map, beside its singular values: all that are above the tolerance, each within the remainder."""
        values = np.linalg.svd(o.jacobian.reshape(-1, o.net.size), compute_uv=False)
        found = dyn.operator_rank(o.objective.jacobian_map(o.theta), tolerance=1e-6)
        s, least = found.singular_values, found.remainder + 1e-12 * values[0]
        self.assertLessEqual(found.remainder, 1e-6 * values[0])
        self.assertTrue((np.abs(values[:len(s)] - s) <= least).all() and (values[len(s):] <= least).all())
        self.assertEqual(found.rank, (s > 1e-6 * s[0]).sum())

    def test_kronecker_factors(self):
        """The eigenvalues of EKFAC add up to the trace of the layer's block. Families whose tensors multiply no rows
        have no factors."""
        without = {"factorisation", "tensor", "diagonal"}
        for (name, loss), o in oracles().items():
            with self.subTest(family=name, loss=loss):
                if name in without:
                    with self.assertRaises(dyn.NotSupported):
                        dyn.kfac(o.objective, theta=o.theta)
                    continue
                layers = dyn.kfac(o.objective, theta=o.theta, eigenvalues=True).layers
                self.assertGreater(len(layers), 0)
                for layer in layers:
                    self.close(layer.eigenvalues.sum(), np.diag(o.ggn)[self.rows(o.net, layer)].sum())

    @staticmethod
    def rows(net, layer):
        tensors = [net.tensors[name] for name in (layer.weight, layer.bias) if name]
        return np.concatenate([t.offset + np.arange(int(np.prod(t.shape))) for t in tensors])

    def test_kronecker_factors_of_a_perceptron(self):
        for loss in ("mse", "cross_entropy"):
            o = oracles()["perceptron", loss]
            W = o.net.views(o.theta)
            hidden = np.tanh(o.x @ W["W1"] + W["b1"])
            back = W["W2"][None] * (1 - hidden**2)[:, :, None]                 # df / d(W1 x + b1), [n, 3, 2]
            for layer, a, s in zip(dyn.kfac(o.objective, theta=o.theta).layers, (o.x, hidden), (back, np.eye(2)[None])):
                a = np.c_[a, np.ones(o.n)]
                self.close(layer.a, a.T @ a / o.n)
                self.close(layer.b, (s @ o.by_output @ s.transpose(0, 2, 1)).mean(0))


if __name__ == "__main__":
    unittest.main()
