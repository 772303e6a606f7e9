# SPDX-License-Identifier: BSD-3-Clause
"""Losses of PyTorch's and JAX's models that stay where they are: against the same network here, and optimisers' states against
the library's own optimisers."""
import unittest
from collections import namedtuple

import numpy as np

import dyn

try:
    import torch
    from torch import nn
    torch.set_num_threads(1)
except ImportError:
    torch = None
try:
    import jax
    import jax.numpy as jnp
except ImportError:
    jax = None

RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((20, 3)), RNG.standard_normal((20, 2))


@unittest.skipIf(torch is None, "PyTorch is not installed")
class Torch(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(1)
        self.module = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2)).double()
        self.x, self.y = torch.from_numpy(X), torch.from_numpy(Y)

    def loss(self):
        return ((self.module(self.x) - self.y)**2).mean()

    def test_derivatives_are_those_of_the_network_here(self):
        guest = dyn.torch_objective(self.module, self.loss)
        net = dyn.from_torch(self.module)
        own = dyn.Objective(net, X, Y, loss="mse", mean_outputs=True)
        theta = guest.theta() + 0.1
        ours = net.load_state_dict(dict(zip(["0.weight", "0.bias", "2.weight", "2.bias"], self.tensors(theta)))).initial()
        self.assertAlmostEqual(guest.value(theta), own.value(ours), places=13)
        slope = net.state_dict(own.gradient(ours)[1])
        np.testing.assert_allclose(guest.gradient(theta)[1], np.concatenate([a.ravel() for a in slope.values()]), atol=1e-13)
        np.testing.assert_allclose(dyn.eigh(guest.hessian(theta), k=3, tolerance=1e-10).values,
                                   dyn.eigh(own.hessian(ours), k=3, tolerance=1e-10).values, rtol=1e-9)
        H, v = guest.hessian(theta), RNG.standard_normal(guest.size)
        np.testing.assert_allclose(H @ v, H.dense() @ v, atol=1e-12)
        self.assertLess(H.asymmetry(), 1e-13)

    def tensors(self, theta):
        shapes = [tuple(p.shape) for p in self.module.parameters()]
        parts = np.split(theta, np.cumsum([int(np.prod(s)) for s in shapes])[:-1])
        return [part.reshape(s) for part, s in zip(parts, shapes)]

    def test_the_module_is_left_as_it_was(self):
        before = {n: t.clone() for n, t in self.module.state_dict().items()}
        guest = dyn.torch_objective(self.module, self.loss)
        self.loss().backward()
        slopes = [p.grad.clone() for p in self.module.parameters()]
        guest.gradient(guest.theta() * 2)
        guest.sharpness(theta=guest.theta() * 2)
        with self.assertRaises(RuntimeError):
            dyn.torch_objective(self.module, lambda: self.module(self.x[:, :2]).mean()).value(guest.theta() * 2)
        for n, t in self.module.state_dict().items():
            self.assertTrue(torch.equal(t, before[n]))
        for p, slope in zip(self.module.parameters(), slopes):
            self.assertTrue(torch.equal(p.grad, slope))

    def test_states_of_optimizers(self):
        o = torch.optim
        for theirs, ours in (
                (lambda p: o.Adam(p, 1e-2, betas=(0.8, 0.95)), dyn.Adam(1e-2, 0.8, 0.95)),
                (lambda p: o.Adam(p, 1e-2, amsgrad=True), dyn.Adam(1e-2, amsgrad=True)),
                (lambda p: o.AdamW(p, 1e-2, weight_decay=0.3), dyn.AdamW(1e-2, weight_decay=0.3)),
                (lambda p: o.Adamax(p, 1e-2), dyn.Adamax(1e-2)),
                (lambda p: o.SGD(p, 1e-2), dyn.GD(1e-2)),
                (lambda p: o.SGD(p, 1e-2, momentum=0.9), dyn.HeavyBall(1e-2, 0.9)),
                (lambda p: o.SGD(p, 1e-2, momentum=0.9, nesterov=True), dyn.Nesterov(1e-2, 0.9)),
                (lambda p: o.RMSprop(p, 1e-2, alpha=0.9), dyn.RMSprop(1e-2, 0.9)),
                (lambda p: o.Adagrad(p, 1e-2), dyn.Adagrad(1e-2))):
            guest = dyn.torch_objective(self.module, self.loss)
            optimizer = theirs(self.module.parameters())
            stepper, theta = dyn.Stepper(ours, guest.size), guest.theta()
            for _ in range(4):
                optimizer.zero_grad()
                self.loss().backward()
                optimizer.step()
                theta = stepper.step(theta, guest.gradient(theta)[1])
            with self.subTest(str(ours)):
                np.testing.assert_allclose(guest.theta(), theta, rtol=0, atol=1e-10)
                d, c = stepper.preconditioner()
                edge = guest.edge(optimizer)
                np.testing.assert_allclose(edge.d, c * d, rtol=1e-9)
                self.assertAlmostEqual(edge.threshold, 2 / 1e-2, places=9)
                root = np.sqrt(c * d)
                exact = np.linalg.eigvalsh(root[:, None] * guest.hessian(theta).dense() * root)[-1]
                self.assertAlmostEqual(guest.sharpness(edge, tolerance=1e-10).values[0] / exact, 1, places=8)

    def test_groups_and_what_has_no_edge(self):
        first, last = self.module[0], self.module[2]
        guest = dyn.torch_objective(self.module, self.loss)
        optimizer = torch.optim.SGD([{"params": first.parameters()}, {"params": last.parameters(), "lr": 0.3}], lr=0.1)
        edge = guest.edge(optimizer)
        np.testing.assert_allclose(edge.d, [1.0] * 20 + [3.0] * 12)
        self.assertEqual(guest.edge(torch.optim.SGD(first.parameters(), lr=0.1)).d[20:].sum(), 0)
        with self.assertRaisesRegex(dyn.StateError, "taken no step yet"):
            guest.edge(torch.optim.Adam(self.module.parameters()))
        with self.assertRaisesRegex(dyn.NotSupported, "torch.optim.LBFGS has no preconditioner"):
            guest.edge(torch.optim.LBFGS(self.module.parameters()))
        with self.assertRaisesRegex(dyn.Error, "must be one number"):
            dyn.torch_objective(self.module, lambda: self.module(self.x)).gradient(guest.theta())

    def test_float32_density_and_training(self):
        module, x, y = self.module.float(), self.x.float(), self.y.float()
        guest = dyn.torch_objective(module, lambda: ((module(x) - y)**2).mean())
        run = dyn.Run(guest, optimizer=dyn.GD(0.1), theta=guest.theta()).train(20)
        self.assertLess(guest.value(run.theta), guest.value(guest.theta()))
        H = guest.hessian(guest.theta())
        self.assertAlmostEqual(H.trace(products=H.size).value / np.trace(H.dense()), 1, places=4)
        nodes = H.density(probes=2, steps=20)
        self.assertLess(nodes.nodes.max(), 1.01 * guest.sharpness().values[0])

    def test_attention(self):
        layer = nn.TransformerEncoderLayer(4, 2, 8, 0.0, batch_first=True).double()
        x = torch.randn(2, 3, 4, dtype=torch.float64)
        guest = dyn.torch_objective(layer, lambda: (layer(x)**3).mean())
        theta, v = guest.theta(), RNG.standard_normal(guest.size)
        differences = (guest.gradient(theta + 1e-5 * v)[1] - guest.gradient(theta - 1e-5 * v)[1]) / 2e-5
        np.testing.assert_allclose(guest.hessian(theta) @ v, differences, atol=1e-6)


class Arrays(unittest.TestCase):
    def test_arrays_go_both_ways_by_dlpack(self):
        class Only:
            """An array that has nothing but __dlpack__."""
            def __dlpack__(self, **options):
                return X.__dlpack__(**options)

            def __dlpack_device__(self):
                return X.__dlpack_device__()
        net = dyn.mlp([3, 4, 2], seed=1)
        theta = net.initial()
        f = net(theta, X)
        given = [Only()] if torch is None else [Only(), torch.from_numpy(X)]
        for x in given:
            np.testing.assert_array_equal(net(theta, x), f)
            self.assertEqual(dyn.Objective(net, x, Y).value(theta), dyn.Objective(net, X, Y).value(theta))
        if torch is not None:
            self.assertEqual(torch.from_dlpack(theta).data_ptr(), theta.ctypes.data)
            with self.assertRaisesRegex(dyn.InvalidArgument, "requires its gradient: pass it detached"):
                net(theta, torch.from_numpy(X).requires_grad_())
        if jax is not None:
            np.testing.assert_allclose(net(theta, jnp.asarray(X)), f, atol=1e-6)
            np.testing.assert_array_equal(np.asarray(jnp.from_dlpack(theta.astype(np.float32))), theta.astype(np.float32))


@unittest.skipIf(jax is None, "JAX is not installed")
class Jax(unittest.TestCase):
    def test_against_the_network_here(self):
        with jax.enable_x64(True):
            params = {"w": RNG.standard_normal((3, 4)), "v": RNG.standard_normal((4, 2))}

            def net(p, x):
                return jnp.tanh(x @ p["w"]) @ p["v"]
            guest = dyn.jax_objective(lambda p: ((net(p, X) - Y)**2).mean(), jax.tree_util.tree_map(jnp.asarray, params))
            here = dyn.from_jax(net, params, X)
            own = dyn.Objective(here, X, Y, loss="mse", mean_outputs=True)
            theta = guest.theta()
            np.testing.assert_array_equal(theta, here.initial())        # both in the order of the tree
            np.testing.assert_allclose(guest.gradient(theta)[1], own.gradient(theta)[1], atol=1e-13)
            np.testing.assert_allclose(guest.hessian(theta).dense(), own.hessian(theta).dense(), atol=1e-12)
            stepper = dyn.Stepper(dyn.Adam(1e-2), guest.size)
            theta = stepper.step(theta, guest.gradient(theta)[1])
            d, c = stepper.preconditioner()
            nu = dict(zip(("v", "w"), (a.reshape(s) for a, s in zip(np.split(stepper.moment(2), [8]), ((4, 2), (3, 4))))))
            state = (namedtuple("ScaleByAdamState", "count mu nu")(1, nu, nu), ())     # as optax has it
            edge = guest.edge(state, dyn.Adam(1e-2))
            np.testing.assert_allclose(edge.d, c * d, rtol=1e-10)
            self.assertEqual(edge.threshold, 200)
            self.assertGreater(guest.sharpness(edge, theta=theta).values[0], 0)
            with self.assertRaisesRegex(dyn.InvalidArgument, "0 parts with second moments"):
                guest.edge((), dyn.Adam(1e-2))

    def test_a_loss_of_several_numbers(self):
        with self.assertRaisesRegex(dyn.ShapeError, r"shape \[2\], must be one number"):
            dyn.jax_objective(lambda w: w, jnp.ones(2))


if __name__ == "__main__":
    unittest.main()
