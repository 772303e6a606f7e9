# SPDX-License-Identifier: BSD-3-Clause
"""Programs that users write on layers: a residual network with batch norm and dropout, a recurrent network with sequences of
different length and a tied embedding, attention maps with the loss's gradient by them. Checked against PyTorch."""
import unittest

import numpy as np

import dyn

try:
    import torch
    import torch.nn.functional as F
    torch.set_num_threads(1)
except ImportError:
    torch = F = None


def residual_network(drop):
    """Two residual blocks on images [8, 8, 1], ten classes."""
    def conv(g, name, x, width):
        w = g.parameter(f"{name}.W", (3, 3, x.shape[-1], width))
        gain, shift = (g.parameter(f"{name}.{n}", (width,), i) for n, i in (("gain", dyn.init.constant(1)), ("shift", dyn.init.zero())))
        return dyn.batch_norm(dyn.conv2d(x, w, padding=1), gain, shift, name=f"{name}.norm")

    def build(g, x):
        x = dyn.relu(conv(g, "begin", x, 8))
        for k in "12":
            y = dyn.dropout(dyn.relu(conv(g, f"{k}a", x, 8)), drop)
            x = dyn.relu(x + conv(g, f"{k}b", y, 8))
        return x.mean((1, 2)) @ g.parameter("W", (8, 10)) + g.parameter("b", (10,))
    return dyn.Model.from_function(build, (8, 8, 1), init=dyn.init.he(), seed=1)


@unittest.skipIf(torch is None, "PyTorch is not installed")
class ResidualNetwork(unittest.TestCase):
    def setUp(self):
        rng = np.random.default_rng(0)
        self.x, self.y = rng.standard_normal((12, 8, 8, 1)), rng.integers(0, 10, 12)

    def in_torch(self, p, states, training):
        """The same with PyTorch's batch norm, which moves `states`."""
        def conv(name, x):
            x = F.conv2d(x, p[f"{name}.W"].permute(3, 2, 0, 1), padding=1)
            return F.batch_norm(x, states[f"{name}.norm.mean"], states[f"{name}.norm.var"], p[f"{name}.gain"],
                                p[f"{name}.shift"], training)
        x = F.relu(conv("begin", torch.tensor(self.x).permute(0, 3, 1, 2)))
        for k in "12":
            x = F.relu(x + conv(f"{k}b", F.relu(conv(f"{k}a", x))))
        return F.cross_entropy(x.mean((2, 3)) @ p["W"] + p["b"], torch.tensor(self.y))

    def test_training_as_in_torch(self):
        net = residual_network(0.0)
        run = dyn.Run(net, self.x, self.y, "cross_entropy", optimizer=dyn.GD(.1))
        parameters = {n: torch.tensor(w, requires_grad=True) for n, w in net.views(net.initial()).items()}
        states = {n: torch.tensor(s) for n, s in net.states.items()}
        optimiser = torch.optim.SGD(parameters.values(), .1)
        for _ in range(3):
            optimiser.zero_grad()
            self.in_torch(parameters, states, True).backward()
            optimiser.step()
        run.train(3)
        for name, w in net.views(run.theta).items():
            np.testing.assert_allclose(w, parameters[name].detach().numpy(), rtol=1e-9, atol=1e-11)
        for name, s in run.states.items():
            np.testing.assert_allclose(s, states[name].numpy(), rtol=1e-10, atol=1e-12)
        # measured by the running moments
        np.testing.assert_allclose(run.objective.value(run.theta), self.in_torch(parameters, states, False).item(), rtol=1e-10)

    def test_dropout_trains_and_measures_without(self):
        net, plain = residual_network(.1), residual_network(0.0)
        runs = [dyn.Run(n, self.x, self.y, "cross_entropy", optimizer=dyn.GD(.1)) for n in (net, plain)]
        values = [run.objective.value(net.initial()) for run in runs]
        self.assertEqual(*values)
        for run in runs:
            run.train(2)
        self.assertFalse((runs[0].theta == runs[1].theta).any())


@unittest.skipIf(torch is None, "PyTorch is not installed")
class SequencesOfDifferentLength(unittest.TestCase):
    def test_masked_loss_and_tied_embedding(self):
        rng = np.random.default_rng(0)
        tokens, lengths = rng.integers(0, 7, (4, 6)), np.array([6, 3, 4, 2])
        mask = (np.arange(5) < lengths[:, None] - 1).astype(float)

        def build(g, x):
            table = g.parameter("E", (7, 5))
            u, w, b = g.parameter("U", (5, 20)), g.parameter("W", (5, 20)), g.parameter("b", (20,))
            return dyn.lstm(dyn.embedding(x, table), w, u, b) @ table.T
        net = dyn.Model.from_function(build, dyn.Indices(5), seed=2)
        self.assertEqual(net.size, 35 + 100 + 100 + 20)
        theta = net.initial()
        loss = dyn.Objective(net, tokens[:, :-1], tokens[:, 1:], loss="cross_entropy", weight=mask)
        value, gradient = loss.gradient(theta)
        p = {n: torch.tensor(w, requires_grad=True) for n, w in net.views(theta).items()}
        layer = torch.nn.LSTM(5, 5, batch_first=True, dtype=torch.float64)
        weights = {"weight_ih_l0": p["W"].T, "weight_hh_l0": p["U"].T, "bias_ih_l0": p["b"], "bias_hh_l0": torch.zeros(20, dtype=torch.float64)}
        h = torch.func.functional_call(layer, weights, (p["E"][torch.tensor(tokens[:, :-1])],))[0]
        each = F.cross_entropy((h @ p["E"].T).transpose(1, 2), torch.tensor(tokens[:, 1:]), reduction="none")
        expected = (each * torch.tensor(mask)).mean()
        self.assertAlmostEqual(value, expected.item(), places=12)
        expected.backward()
        for name, part in net.views(gradient).items():
            np.testing.assert_allclose(part, p[name].grad.numpy(), rtol=1e-10, atol=1e-13)


@unittest.skipIf(torch is None, "PyTorch is not installed")
class AttentionMaps(unittest.TestCase):
    def test_maps_and_the_gradient_by_them(self):
        tokens, labels = np.random.default_rng(0).integers(0, 11, (3, 5)), np.array([1, 2, 3])
        net = dyn.transformer(11, 5, width=4, key_width=3, hidden=6, heads=2, seed=1)
        loss = dyn.Objective(net, tokens, labels, loss="cross_entropy")
        theta = net.initial()
        values, gradients = loss.inside(theta, "layer2.attention", "layer2.heads", gradient=True)
        maps, g = values["layer2.attention"], gradients["layer2.attention"]
        self.assertEqual(maps.shape, (3, 2, 5, 5))
        np.testing.assert_allclose(maps.sum(-1), 1, rtol=1e-12)
        self.assertEqual(np.abs(np.triu(np.ones((5, 5)), 1) * maps).max(), 0)
        # heads = maps @ values, so the gradient by the map is that by the heads times the values
        v = np.linalg.lstsq(maps[0, 1], values["layer2.heads"][0, 1], rcond=None)[0]
        np.testing.assert_allclose(g[0, 1], gradients["layer2.heads"][0, 1] @ v.T, rtol=1e-6, atol=1e-12)


if __name__ == "__main__":
    unittest.main()
