# SPDX-License-Identifier: BSD-3-Clause
"""Families against PyTorch in float64: outputs, gradient, Hessian and Gauss-Newton products, Jacobian per sample."""
import unittest

import numpy as np

import dyn

try:
    import torch
    import torch.nn.functional as F
    torch.set_num_threads(1)
except ImportError:
    torch = F = None


@unittest.skipIf(torch is None, "PyTorch is not installed")
class AgainstTorch(unittest.TestCase):
    """check(net, reference, x): reference(parameters by name, x) is the same network in PyTorch."""

    def close(self, a, b, what):
        b = b.detach().numpy()
        self.assertLessEqual(np.abs(a.reshape(b.shape) - b).max() / max(1.0, np.abs(b).max()), 1e-10, what)

    def check(self, net, reference, x, scale=0.3, jacobian=True):
        rng = np.random.default_rng(3)
        theta = net.initial() + scale * rng.standard_normal(net.size)
        v = rng.standard_normal(net.size)
        names = {n: (t.offset, t.shape) for n, t in net.tensors.items()}

        def outputs(t):
            return reference({n: t[o:o + int(np.prod(s))].reshape(s) for n, (o, s) in names.items()}, torch.tensor(x))
        t, u = torch.tensor(theta), torch.tensor(v)
        f = outputs(t)
        y = rng.standard_normal(f.shape)
        o = dyn.Objective(net, x, y, loss="mse")

        def loss(f):
            return ((f - torch.tensor(y))**2).sum() / len(x)
        self.close(net(theta, x), f, "outputs")
        gradient = torch.func.grad(lambda t: loss(outputs(t)))
        self.close(o.gradient(theta)[1], gradient(t), "gradient")
        self.close(o.hessian(theta) @ v, torch.func.jvp(gradient, (t,), (u,))[1], "Hessian product")
        _, jv = torch.func.jvp(outputs, (t,), (u,))
        _, pull = torch.func.vjp(outputs, t)
        self.close(o.ggn(theta) @ v, pull(2 * jv / len(x))[0], "Gauss-Newton product")
        if jacobian:
            self.close(o.jacobian(theta), torch.func.jacrev(outputs)(t), "Jacobian")


def norm(p, gain, shift, x, eps=1e-5):
    if shift in p:
        return F.layer_norm(x, x.shape[-1:], p[gain], p[shift], eps)
    return x / torch.sqrt((x * x).mean(-1, keepdim=True) + eps) * p[gain]


def turned(x, base=1e4):
    half = x.shape[-1] // 2
    angle = torch.arange(x.shape[-2])[:, None] * base**(-torch.arange(half, dtype=torch.float64) / half)
    a, b = x[..., :half], x[..., half:]
    return torch.cat([a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()], -1)


def torch_transformer(p, tokens, *, layers, heads, act=F and F.relu, kind="post", rotary=False, causal=True, residual=True,
                      last=True, pad=-1, query_only=False, kv_heads=None, buffers=None, table=None):
    """A second writing of the model, from its documentation."""
    n, length = tokens.shape
    x = p["embedding"][tokens]
    if "position" in p:
        x = x + p["position"]
    x = x if table is None else x + table
    seen = (tokens != pad)[:, None, None, :].expand(n, 1, length, length)
    if causal:
        seen = seen & torch.tril(torch.ones(length, length, dtype=torch.bool))
    for number, layer in enumerate(f"layer{i + 1}." for i in range(layers)):
        q = {k.removeprefix(layer): w for k, w in p.items() if k.startswith(layer)}
        y = norm(q, "gain1", "shift1", x) if kind == "pre" else x

        def split(w, b, x, heads):
            z = x @ q[w] + q.get(b, 0)
            return z.reshape(n, length, heads, -1).transpose(1, 2)
        kv = kv_heads or heads
        z = x if query_only else y
        a, b, c = split("Wq", "bq", y, heads), split("Wk", "bk", z, kv), split("Wv", "bv", z, kv)
        a, b = (turned(a), turned(b)) if rotary else (a, b)
        b, c = b.repeat_interleave(heads // kv, 1), c.repeat_interleave(heads // kv, 1)
        s = a @ b.transpose(-1, -2) / a.shape[-1]**.5
        if buffers and number > 0:
            s = s + q["beta"][:, None, None] * (y @ buffers[number - 1].T @ z.transpose(-1, -2))[:, None] / a.shape[-1]**.5
        s = s.masked_fill(~seen, -1e9).softmax(-1)
        h = (s @ c).transpose(1, 2).reshape(n, length, -1)
        h = h @ q["Wo"] + q.get("bo", 0) if "Wo" in q else h
        h = h + (q["alpha"][:, None, None] * s).sum(1) @ z @ buffers[number] if buffers else h
        x = x + h if residual else h
        x = norm(q, "gain1", "shift1", x) if kind == "post" else x
        if "W1" in q:
            y = norm(q, "gain2", "shift2", x) if kind == "pre" else x
            h = act(y @ q["Wg"]) * (y @ q["W1"]) if "Wg" in q else act(y @ q["W1"] + q.get("b1", 0))
            x = x + h @ q["W2"] + q.get("b2", 0)
            x = norm(q, "gain2", "shift2", x) if kind == "post" else x
    x = x[:, -1] if last else x
    x = norm(p, "gain", "shift", x) if kind == "pre" else x
    if "W" in p:
        x = x @ p["W"]
    elif "gain" in p and x.shape[-1] != p["embedding"].shape[0]:
        x = x @ p["embedding"].T
    return x + p.get("b", 0)


@unittest.skipIf(torch is None, "PyTorch is not installed")
class Transformers(AgainstTorch):
    def compare(self, *, reference, vocabulary=11, length=5, jacobian=True, **options):
        tokens = np.random.default_rng(0).integers(0, vocabulary, (3, length))
        net = dyn.transformer(vocabulary, length, **options)
        # a ReLU's kinks and the sharp softmax of large numbers stay away at this size of theta
        self.check(net, lambda p, x: torch_transformer(p, x, **reference), tokens, jacobian=jacobian)

    def test_paper(self):
        self.compare(width=8, key_width=3, hidden=12, reference=dict(layers=2, heads=1))

    def test_heads_and_widths_are_free(self):
        self.compare(width=8, key_width=3, value_width=2, heads=3, hidden=5, layers=1, bias=True, activation="gelu_tanh",
                     reference=dict(layers=1, heads=3, act=lambda x: F.gelu(x, approximate="tanh")))

    def test_pre_norm_with_queries_alone_normed(self):
        self.compare(width=8, heads=2, key_width=0, hidden=6, layers=2, norm="pre", norm_query_only=True, pad=0,
                     reference=dict(layers=2, heads=2, kind="pre", query_only=True, pad=0))

    def test_ablations(self):
        self.compare(width=6, key_width=6, hidden=0, norm="none", mix=False, reference=dict(layers=2, heads=1, kind="none"))
        self.compare(width=6, key_width=2, hidden=0, norm="none", residual=False,
                     reference=dict(layers=2, heads=1, kind="none", residual=False))
        self.compare(vocabulary=6, width=6, key_width=6, hidden=0, norm="none", residual=False, mix=False, project=False,
                     causal=False, output_bias=False,
                     reference=dict(layers=2, heads=1, kind="none", residual=False, causal=False))

    def test_sinusoidal_positions(self):
        places = np.arange(5)[:, None] / 1e4**(np.arange(0, 8, 2) / 8)
        table = torch.tensor(np.stack([np.sin(places), np.cos(places)], -1).reshape(5, 8))
        self.compare(width=8, key_width=3, hidden=4, position="sinusoidal",
                     reference=dict(layers=2, heads=1, table=table))

    def test_buffers(self):
        identity = 3 * [torch.eye(6, dtype=torch.float64)]
        self.compare(width=6, key_width=2, heads=2, hidden=5, layers=3, norm="pre", buffers="identity",
                     reference=dict(layers=3, heads=2, kind="pre", buffers=identity))
        self.compare(length=140, layers=2, width=6, key_width=3, hidden=0, buffers="identity", jacobian=False,
                     reference=dict(layers=2, heads=1, buffers=identity))

    def test_random_buffers(self):
        """Z is read off the model: with all other weights 0 and one layer the stream is e + alpha mean(e) Z."""
        options = dict(vocabulary=60, length=1, width=50, key_width=2, hidden=0, norm="none", position="none", buffer_seed=3,
                       causal=False, output_bias=False, embedding=dyn.init.identity())
        net = dyn.transformer(layers=1, buffers="random", init=dyn.init.zero().tensors({"W": dyn.init.identity()}),
                              buffer_scale=1.0, **options)
        z = net(net.initial(), np.arange(50)[:, None])[:, :50] - np.eye(50)
        self.assertAlmostEqual(z.std() * 50**.5, 1, delta=.05)
        self.assertLess(abs(z.mean()) * 50**.5, .08)
        pair = dyn.transformer(layers=2, buffers="random", init=dyn.init.zero().tensors({"W": dyn.init.identity()}),
                               buffer_scale=1.0, **options)
        both = pair(pair.initial(), np.arange(50)[:, None])[:, :50]         # (1 + Z1) (1 + Z2)
        second = np.linalg.solve(np.eye(50) + z, both) - np.eye(50)
        self.assertLess(abs((z * second).mean()) * 50, .1)
        self.assertAlmostEqual(second.std() * 50**.5, 1, delta=.05)

    def test_long_sequences(self):
        self.compare(length=150, width=6, key_width=3, heads=2, hidden=4, layers=1, pad=0, jacobian=False,
                     reference=dict(layers=1, heads=2, pad=0))

    def test_maps_of_long_sequences(self):
        """heads = attention v, so that <heads, its gradient> = <attention, its gradient>."""
        tokens = np.random.default_rng(0).integers(0, 11, (2, 150))
        net = dyn.transformer(11, 150, width=6, key_width=3, heads=2, hidden=4, seed=1)
        loss = dyn.Objective(net, tokens, tokens[:, 0] % 2, loss="cross_entropy")
        maps, by_maps = loss.inside(net.initial(), "layer2.attention", gradient=True)
        heads, by_heads = loss.inside(net.initial(), "layer2.heads", gradient=True)
        self.assertEqual(maps.shape, (2, 2, 150, 150))
        np.testing.assert_allclose((maps * by_maps).sum(), (heads * by_heads).sum(), rtol=1e-10)
        self.assertGreater(np.abs(by_maps).max(), 0)

    def test_gpt2(self):
        self.compare(style="gpt2", layers=2, heads=2, width=8,
                     reference=dict(layers=2, heads=2, kind="pre", last=False,
                                    act=lambda x: F.gelu(x, approximate="tanh")))

    def test_llama(self):
        self.compare(style="llama", layers=2, heads=4, kv_heads=2, width=8,
                     reference=dict(layers=2, heads=4, kv_heads=2, kind="pre", last=False, rotary=True, act=F and F.silu))


def torch_cnn(p, x, act=torch and torch.tanh, pools=(), padding="same", dense_act=F and F.relu, layers=2):
    x = x.permute(0, 3, 1, 2)
    number = 1
    while f"W{number}" in p and p[f"W{number}"].dim() == 4:
        b = p.get(f"b{number}")
        x = F.conv2d(x, p[f"W{number}"].permute(3, 2, 0, 1), b, padding=padding)
        if f"gain{number}" in p:        # running moments 0 and 1
            x = x / np.sqrt(1 + 1e-5) * p[f"gain{number}"][:, None, None] + p[f"shift{number}"][:, None, None]
        x = act(x)
        x = F.max_pool2d(x, 2) if number in pools else x
        number += 1
    x = x.permute(0, 2, 3, 1).flatten(1)
    while f"W{number}" in p:
        x = x @ p[f"W{number}"] + p.get(f"b{number}", 0)
        x = dense_act(x) if f"W{number + 1}" in p else x
        number += 1
    return x


def torch_resnet(p, x, stages):
    def conv(name, number, x, stride=1):
        w = p[f"{name}W{number}"]
        x = F.conv2d(x, w.permute(3, 2, 0, 1), stride=stride, padding=w.shape[0] // 2) / np.sqrt(1 + 1e-5)
        return x * p[f"{name}gain{number}"][:, None, None] + p[f"{name}shift{number}"][:, None, None]
    x = torch.sin(conv("begin.", "", x.permute(0, 3, 1, 2)))
    for stage, blocks in enumerate(stages):
        for block in range(blocks):
            name = f"stage{stage + 1}.block{block + 1}."
            stride = 2 if stage > 0 and block == 0 else 1
            y = conv(name, 2, torch.sin(conv(name, 1, x, stride)))
            x = torch.sin(y + (conv(name + "shortcut.", "", x, stride) if stride == 2 else x))
    return x.mean((2, 3)) @ p["W"] + p["b"]


@unittest.skipIf(torch is None, "PyTorch is not installed")
class Convolutional(AgainstTorch):
    def images(self, *shape):
        return np.random.default_rng(7).standard_normal(shape)

    def test_two_layers_of_the_paper(self):
        net = dyn.cnn((5, 6, 2), [3], activation="tanh", padding="valid")
        self.assertEqual({n: t.shape for n, t in net.tensors.items()},
                         {"W1": (3, 3, 2, 3), "b1": (3,), "W2": (36, 1), "b2": (1,)})
        self.check(net, lambda p, x: torch_cnn(p, x, padding=0), self.images(4, 5, 6, 2))

    def test_pooling_and_dense_layers(self):
        net = dyn.cnn((6, 5, 1), [2, 0, 3], [4], 2, activation="tanh", dense_activation="sin", kernel=2)
        self.check(net, lambda p, x: torch_cnn(p, x, pools=(1,), dense_act=torch.sin), self.images(3, 6, 5, 1))

    def test_three_axes(self):
        def reference(p, x):
            x = F.conv3d(x.permute(0, 4, 1, 2, 3), p["W1"].permute(4, 3, 0, 1, 2), p["b1"])
            return torch.tanh(x).permute(0, 2, 3, 4, 1).flatten(1) @ p["W2"] + p["b2"]
        net = dyn.cnn((3, 4, 3, 2), [2], outputs=2, activation="tanh", padding="valid", kernel=2)
        self.check(net, reference, self.images(3, 3, 4, 3, 2))

    def test_batch_norm_when_measuring(self):
        net = dyn.cnn((4, 4, 2), [2, 3], batch_norm=True, activation="tanh")
        self.assertNotIn("b1", net.tensors)
        self.check(net, torch_cnn, self.images(3, 4, 4, 2))

    def test_residual(self):
        net = dyn.resnet((1, 2), (6, 5, 2), 3, base=2, activation="sin")
        self.check(net, lambda p, x: torch_resnet(p, x, (1, 2)), self.images(2, 6, 5, 2))

    def test_vgg(self):
        net = dyn.vgg(11, (32, 32, 1), 2, base=1, batch_norm=False, hidden=(3,))
        x = self.images(2, 32, 32, 1)
        pools = [1, 2, 4, 6, 8]         # behind these convolutions
        self.check(net, lambda p, x: torch_cnn(p, x, F.relu, pools), x, jacobian=False)

    def test_residual_for_large_images(self):
        def reference(p, x):
            x = F.conv2d(x.permute(0, 3, 1, 2), p["begin.W"].permute(3, 2, 0, 1), p["begin.b"], 2, 3)
            x = F.max_pool2d(torch.tanh(x), 3, 2, 1)
            y = x
            for k in (1, 2):
                y = F.conv2d(torch.tanh(y) if k == 2 else y, p[f"stage1.block1.W{k}"].permute(3, 2, 0, 1),
                             p[f"stage1.block1.b{k}"], padding=1)
            return torch.tanh(x + y).mean((2, 3)) @ p["W"] + p["b"]
        net = dyn.resnet((1,), (16, 16, 2), 3, base=2, activation="tanh", batch_norm=False, large=True)
        self.check(net, reference, self.images(2, 16, 16, 2))

    def test_sizes(self):
        # 3x3x3x64 + 2 64, four stages, 512 x 10 + 10: torchvision's resnet18 with a 3 x 3 beginning
        self.assertEqual(dyn.resnet().size, 11173962)
        # torchvision's features of vgg16, and 512 x 10 + 10
        self.assertEqual(dyn.vgg(16, batch_norm=False).size, 14714688 + 5130)


@unittest.skipIf(torch is None, "PyTorch is not installed")
class Products(AgainstTorch):
    def test_matrix(self):
        entries = np.array([0, 5, 7, 11, 5])
        self.check(dyn.factorisation([3, 2, 5, 4]),
                   lambda p, x: (p["W1"] @ p["W2"] @ p["W3"]).reshape(-1, 1)[x], entries)

    def test_tensor(self):
        net = dyn.tensor_factorisation([2, 3, 4], rank=2)
        self.check(net, lambda p, x: torch.einsum("ir,jr,kr->ijk", p["A1"], p["A2"], p["A3"]).reshape(-1, 1)[x],
                   np.array([0, 23, 7, 14]))

    def test_diagonal(self):
        x = np.random.default_rng(2).standard_normal((4, 3))
        self.check(dyn.diagonal(3, 3), lambda p, x: x @ (p["a1"] * p["a2"] * p["a3"]).T, x)
        self.check(dyn.diagonal(3, difference=True), lambda p, x: x @ (p["a"]**2 - p["b"]**2).T, x)

    def test_polynomial(self):
        x = np.random.default_rng(2).standard_normal((4, 2))
        self.check(dyn.polynomial(2, 3, 2), lambda p, x: x @ p["W1"] + x**2 @ p["W2"] + x**3 @ p["W3"] + p["b"], x)


@unittest.skipIf(torch is None, "PyTorch is not installed")
class Recurrent(AgainstTorch):
    def compare(self, net, cell, x, embedded=False):
        def reference(p, x):
            x = p["embedding"][x] if embedded else x
            layer = 1
            while f"layer{layer}.W" in p:
                q = {n: p[f"layer{layer}.{n}"] for n in "WUbc"}
                module = getattr(torch.nn, cell)(x.shape[-1], q["U"].shape[0], batch_first=True, dtype=torch.float64)
                weights = {"weight_ih_l0": q["W"].T, "weight_hh_l0": q["U"].T, "bias_ih_l0": q["b"], "bias_hh_l0": q["c"]}
                x = torch.func.functional_call(module, weights, (x,))[0]
                layer += 1
            return x @ (p["W"] if "W" in p else p["embedding"].T) + p["b"]
        self.check(net, reference, x, jacobian=False)

    def test_two_layers_of_all_places(self):
        net = dyn.recurrent(2, 4, 3, 2, cell="gru", layers=2, last=False)
        self.compare(net, "GRU", np.random.default_rng(1).standard_normal((3, 4, 2)))

    def test_simple_cells_of_the_last_place(self):
        x = np.random.default_rng(1).standard_normal((3, 4, 2))

        def reference(p, x):
            h = torch.zeros(3, 5, dtype=torch.float64)
            for t in range(4):
                h = torch.tanh(x[:, t] @ p["layer1.W"] + p["layer1.b"] + h @ p["layer1.U"] + p["layer1.c"])
            return h @ p["W"] + p["b"]
        self.check(dyn.recurrent(2, 4, 5, 2, cell="simple"), reference, x)

    def test_jacobian_of_an_lstm(self):
        x = np.random.default_rng(1).standard_normal((2, 3, 2))

        def reference(p, x):
            h, c = torch.zeros(2, 3, dtype=torch.float64), torch.zeros(2, 3, dtype=torch.float64)
            for t in range(3):
                z = x[:, t] @ p["layer1.W"] + p["layer1.b"] + h @ p["layer1.U"] + p["layer1.c"]
                i, f, g, o = z.chunk(4, 1)
                c = f.sigmoid() * c + i.sigmoid() * g.tanh()
                h = o.sigmoid() * c.tanh()
            return h @ p["W"] + p["b"]
        self.check(dyn.recurrent(2, 3, 3, 1), reference, x)

    def test_tied_embedding(self):
        net = dyn.recurrent(3, 4, 3, 5, vocabulary=5, tied=True, last=False)
        self.assertNotIn("W", net.tensors)
        self.compare(net, "LSTM", np.random.default_rng(1).integers(0, 5, (3, 4)), embedded=True)


@unittest.skipIf(torch is None, "PyTorch is not installed")
class Perceptrons(AgainstTorch):
    def test_skip_and_multipliers(self):
        x = np.random.default_rng(2).standard_normal((4, 3))
        net = dyn.mlp([3, 5, 5, 2], "tanh", skip=True, multipliers=[.5, 2, 3])

        def reference(p, x):
            h = torch.tanh(.5 * (x @ p["W1"] + p["b1"]))
            h = torch.tanh(2 * (h @ p["W2"] + p["b2"])) + h
            return 3 * (h @ p["W3"] + p["b3"])
        self.check(net, reference, x)


    def test_copies(self):
        def reference(p, x):
            one, two = (torch.tanh(x @ p["W1" + c] + p["b1" + c]) @ p["W2" + c] + p["b2" + c] for c in ("", ".2"))
            return .5 * (one - two)
        x = np.random.default_rng(2).standard_normal((4, 3))
        self.check(dyn.mlp([3, 5, 2], "tanh", antisymmetric=True, output_scale=.5), reference, x)

    def test_activations(self):
        x = np.random.default_rng(2).standard_normal((4, 3))
        for name, act in {"relu": F.relu, "leaky_relu": F.leaky_relu, "sigmoid": torch.sigmoid, "gelu": F.gelu,
                          "gelu_tanh": lambda x: F.gelu(x, approximate="tanh"), "silu": F.silu, "softplus": F.softplus,
                          "elu": F.elu, "sin": torch.sin, "x_tanh": lambda x: x * x.tanh(), "erf": torch.erf,
                          "x2_tanh": lambda x: x**2 * x.tanh(), "square": lambda x: x**2, "cube": lambda x: x**3}.items():
            self.check(dyn.mlp([3, 4, 2], name),
                       lambda p, x: act(x @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"], x)

    def test_parametrisations(self):
        """The multipliers of <dyn/model.h>."""
        x, m = np.random.default_rng(2).standard_normal((4, 3)), 5
        for options, c in ((dict(parametrisation="ntk"), (3**-.5, m**-.5)), (dict(parametrisation="mean_field"), (1, 1 / m)),
                           (dict(parametrisation="mup"), (m**.5, m**-.5)),
                           (dict(parametrisation="normalised", gamma=1.5, gamma_prime=.5), (m**-.25, m**-1.25))):
            self.check(dyn.mlp([3, m, 2], "tanh", **options),
                       lambda p, x: c[1] * (torch.tanh(c[0] * (x @ p["W1"] + p["b1"])) @ p["W2"] + p["b2"]), x)


@unittest.skipIf(torch is None, "PyTorch is not installed")
class TestFunctions(AgainstTorch):
    def test_values_and_derivatives(self):
        h = torch.tensor([1.0, -2.0, 3.0], dtype=torch.float64)
        for ours, theirs in (
                (dyn.functions.power(4, 3), lambda t: (t**4 / 4).sum()),
                (dyn.functions.quadratic(h.numpy()), lambda t: (h * t**2).sum() / 2),
                (dyn.functions.rosenbrock(3), lambda t: (100 * (t[1:] - t[:-1]**2)**2 + (1 - t[:-1])**2).sum())):
            theta, v = np.array([.3, -.7, 1.2]), np.array([1.0, 2, -1])
            value, gradient = ours.gradient(theta)
            t, u = torch.tensor(theta), torch.tensor(v)
            self.close(np.array(value), theirs(t), "value")
            self.close(gradient, torch.func.grad(theirs)(t), "gradient")
            self.close(ours.hessian(theta) @ v, torch.func.jvp(torch.func.grad(theirs), (t,), (u,))[1], "Hessian product")


class BadInput(unittest.TestCase):
    """What is wrong is named, family by family: sizes, names, ids, shapes of the data."""

    def refused(self, words, make, *arguments, **options):
        with self.assertRaisesRegex(dyn.Error, words):
            make(*arguments, **options)

    def test_sizes_and_names(self):
        for words, make, arguments, options in (
                ("activation .*'rleu'.* is not one of", dyn.mlp, ([1, 2, 1], "rleu"), {}),
                ("0", dyn.mlp, ([1, 0, 1],), {}),
                ("multipliers", dyn.mlp, ([1, 2, 1],), dict(multipliers=[1.0])),
                ("dropout is 2", dyn.mlp, ([1, 2, 1],), dict(dropout=2.0)),
                ("kernel", dyn.cnn, ((4, 4, 1), [2]), dict(kernel=0)),
                ("5", dyn.cnn, ((4, 4, 1), [2]), dict(kernel=5, padding="valid")),
                ("activation", dyn.cnn, ((4, 4, 1), [2]), dict(activation="tanhh")),
                ("12 layers is not one of 11, 13, 16, 19", dyn.vgg, (12,), {}),
                ("expected .height, width, channels.", dyn.resnet, ((1,), (8, 8)), {}),
                ("base", dyn.resnet, ((1,), (8, 8, 1)), dict(base=0)),
                ("'nrom'|norm .* is not one of", dyn.transformer, (), dict(norm="nrom")),
                ("style|transformer", dyn.transformer, (), dict(style="bert")),
                ("vocabulary is 0", dyn.transformer, (0, 3), {}),
                ("buffers .* is not one of", dyn.transformer, (), dict(buffers="rmba")),
                ("cell .* is not one of", dyn.recurrent, (1, 2), dict(cell="elman")),
                ("width is 0", dyn.recurrent, (1, 2, 0), {}),
                ("tied", dyn.recurrent, (3, 4, 5, 2), dict(vocabulary=7, tied=True)),
                ("0", dyn.factorisation, ([4, 0, 4],), {}),
                ("rank is 0", dyn.tensor_factorisation, ([2, 2],), dict(rank=0)),
                ("inputs is 0", dyn.diagonal, (0,), {}),
                ("depth is 0", dyn.diagonal, (2, 0), {}),
                ("degree is 0", dyn.polynomial, (1, 0), {})):
            with self.subTest(make=make.__name__, options=options):
                self.refused(words, make, *arguments, **options)

    def test_ids_out_of_range(self):
        y = np.zeros((1, 1))
        for net, largest in ((dyn.factorisation([3, 2, 4]), 11), (dyn.tensor_factorisation([2, 3, 4]), 23)):
            for bad in (largest + 1, -1):
                self.refused(f'"entry": index {bad} at position 0', dyn.Objective, net, [bad], y)
        net = dyn.recurrent(3, 2, 4, 5, vocabulary=5)
        self.refused('"tokens": index 5 at position 1', dyn.Objective, net, [[0, 5]], [0], loss="cross_entropy")

    def test_shapes_and_nan(self):
        for net, x in ((dyn.mlp([3, 2, 1]), np.ones((4, 2))), (dyn.cnn((4, 4, 1), [2]), np.ones((4, 4, 5, 1))),
                       (dyn.resnet((1,), (8, 8, 1), base=2), np.ones((4, 8, 8, 2))),
                       (dyn.recurrent(2, 3), np.ones((4, 2, 2))), (dyn.diagonal(3), np.ones((4, 4))),
                       (dyn.polynomial(2), np.ones((4, 3))), (dyn.transformer(5, 3), np.ones((4, 2), int))):
            with self.subTest(net=net):
                self.refused("numbers in 4 samples, the model takes", dyn.Objective, net, x, np.ones((4, 1)))
        self.refused("x: number 1 is not finite", dyn.Objective, dyn.diagonal(2), [[1.0, np.nan]], [1.0])


class Parametrisations(unittest.TestCase):
    def factors(self, widths, name, **options):
        """The product of all c_l, read off a linear network whose weights are 1, and all s_l, measured."""
        net = dyn.mlp(widths, "identity", parametrisation=name, output_bias=False, bias=False, **options)
        stds = [w.std() for w in net.views(net.initial(3)).values()]
        return net(np.ones(net.size), np.ones((1, widths[0])))[0, 0] / np.prod(widths[:-1]), stds

    def near(self, measured, expected):
        np.testing.assert_allclose(measured, expected, rtol=.1)

    def test_products_and_draws(self):
        m = 400
        product, stds = self.factors([2, m, m, 1], "ntk")
        self.assertAlmostEqual(product * m * np.sqrt(2), 1)
        self.near(stds, [1, 1, 1])
        product, _ = self.factors([2, m, m, 1], "mean_field")
        self.assertAlmostEqual(product * m * m, 1)
        product, stds = self.factors([2, m, m, 1], "mup")
        self.assertAlmostEqual(product, 1)
        self.near(stds, [m**-.5] * 3)

    def test_normalised(self):
        m, gamma, prime = 400, 1.5, .5
        product, stds = self.factors([2, m, 1], "normalised", gamma=gamma, gamma_prime=prime)
        self.assertAlmostEqual(product * m**gamma, 1)
        self.near(stds, [m**(prime / 2), m**(-prime / 2)])
        product, stds = self.factors([2, m, m, 1], "normalised", gamma=2)
        self.assertAlmostEqual(product * m**2, 1)
        self.near(stds, [1, 1, 1])
        with self.assertRaisesRegex(dyn.InvalidArgument, "gamma_prime is 0.5: only two layers have it"):
            dyn.mlp([2, m, m, 1], parametrisation="normalised", gamma_prime=.5)
        with self.assertRaisesRegex(dyn.InvalidArgument, "gamma is 1, gamma_prime 0"):
            dyn.mlp([2, m, 1], gamma=1)

    def test_descent_of_the_normalised_model(self):
        """One step moves the normalised weights by kappa/kappa' and kappa kappa' times their gradients."""
        m, gamma, prime, rate = 16, 1.2, .4, 1e-6
        k, kp = m**-gamma, m**-prime
        net = dyn.mlp([1, m, 1], "tanh", parametrisation="normalised", gamma=gamma, gamma_prime=prime, output_bias=False)
        x, y = np.array([[.3], [-.8]]), np.array([[1.], [2.]])
        theta = net.initial(1)
        _, gradient = dyn.Objective(net, x, y, half=True).gradient(theta)
        before, moved = net.views(theta), net.views(-rate * gradient)
        w, b, a = (before[n].ravel() * s for n, s in (("W1", kp**.5), ("b1", kp**.5), ("W2", kp**-.5)))
        h = np.tanh(x * w + b)
        e = k * h @ a - y[:, 0]
        da = -rate * k / kp * (e[:, None] * h).mean(0)
        dw = -rate * k * kp * (e[:, None] * a * (1 - h**2) * x).mean(0)
        np.testing.assert_allclose(moved["W2"].ravel() * kp**-.5, da, rtol=1e-12)
        np.testing.assert_allclose(moved["W1"].ravel() * kp**.5, dw, rtol=1e-12)


class Ranks(unittest.TestCase):
    """Model ranks by their closed forms (arXiv 2211.11623)."""

    def test_completion_has_rank_2rd_minus_r2(self):
        d, rng = 4, np.random.default_rng(0)
        net = dyn.factorisation([d, d, d])
        for r in range(d + 1):
            theta = np.concatenate([(rng.standard_normal((d, r)) @ rng.standard_normal((r, d))).ravel() for _ in range(2)])
            jacobian = dyn.jacobian(net, np.arange(d * d), theta=theta).reshape(d * d, -1)
            self.assertEqual(np.linalg.matrix_rank(jacobian, tol=1e-8), 2 * r * d - r * r)


class Starts(unittest.TestCase):
    def test_a_model_begins_elsewhere(self):
        net = dyn.cnn((4, 4, 1), [2], outputs=1, batch_norm=True, seed=1)
        x = np.random.default_rng(0).standard_normal((5, 4, 4, 1))
        states = {"norm1.mean": [0.5, -1.0], "norm1.var": [2.0, 3.0]}
        moved = net.start(theta=2 * net.initial(), states=states)
        np.testing.assert_array_equal(moved.initial(), 2 * net.initial())
        np.testing.assert_array_equal(moved(net.initial(), x), net(net.initial(), x, states))
        run = dyn.Run(moved.freeze("W1", theta=moved.initial()), x, np.ones((5, 1)))
        np.testing.assert_array_equal(run.states["norm1.var"], [2.0, 3.0])

    def test_outputs_less_those_at_the_start(self):
        x = np.random.default_rng(0).standard_normal((5, 3))
        net = dyn.mlp([3, 4, 2], seed=1)
        centred, theta = net.centred(), net.initial(7)
        np.testing.assert_array_equal(centred(net.initial(), x), 0)
        np.testing.assert_allclose(centred(theta, x), net(theta, x) - net(net.initial(), x), rtol=0, atol=1e-15)
        one, other = (dyn.jacobian(m, x, theta=theta) for m in (net, centred))
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-15)
        with self.assertRaisesRegex(dyn.NotSupported, "has 2 states"):
            dyn.cnn((4, 4, 1), [2], outputs=1, batch_norm=True).centred()

    def test_states_that_are_not_there(self):
        net = dyn.cnn((4, 4, 1), [2], outputs=1, batch_norm=True)
        with self.assertRaisesRegex(dyn.InvalidArgument, "no state 'mean'; there are norm1.mean, norm1.var"):
            net.start(states={"mean": [0, 0]})
        with self.assertRaisesRegex(dyn.ShapeError, "norm1.mean has shape"):
            net.start(states={"norm1.mean": [0, 0, 0]})


class Sizes(unittest.TestCase):
    def test_parameters_of_the_papers(self):
        self.assertEqual(dyn.transformer(201, 20, layers=4, heads=4).size, 5653801)
        self.assertEqual(dyn.transformer(201, 13, layers=3).size, 3358201)
        self.assertEqual(dyn.transformer(201, 20, key_width=200).size, 2732201)

    def test_gpt2_begins_small(self):
        net = dyn.gpt(50, 8, layers=2, heads=2, width=32)
        t = net.views(net.initial())
        self.assertAlmostEqual(t["layer1.W1"].std(), .02, delta=.001)
        self.assertAlmostEqual(t["layer1.W2"].std(), .01, delta=.0006)
        self.assertEqual(np.abs(t["layer1.b1"]).max(), 0)
        self.assertTrue((t["layer1.gain1"] == 1).all() and (t["shift"] == 0).all())

    def test_tokens_outside_the_vocabulary_are_named(self):
        net = dyn.transformer(11, 3, width=4, key_width=2, hidden=0)
        for bad in (11, -1):
            with self.assertRaisesRegex(dyn.InvalidArgument, f'"tokens": index {bad} at position 4, the table has rows 0 to 10'):
                dyn.Objective(net, np.array([[1, 2, 3], [0, bad, 10]]), np.array([1, 2]), loss="cross_entropy")
        loss = dyn.Objective(net, np.array([[1, 2, 3]]), np.array([1]), loss="cross_entropy")
        with self.assertRaisesRegex(dyn.InvalidArgument, '"tokens": index 12 at position 0'):
            loss.set_data("tokens", np.array([[12, 2, 3]]))

    def test_what_does_not_go_together_is_named(self):
        for words, options in {
                "without Wo, 2 heads of 3 must make the width 8": dict(width=8, heads=2, key_width=3, mix=False),
                "the width 8 must be the vocabulary 201": dict(width=8, project=False),
                "an even key_width, it is 3": dict(key_width=3, position="rotary"),
                "3 heads do not fall into 2 groups": dict(heads=3, kv_heads=2),
                "buffer_scale is nan": dict(buffers="random", buffer_scale=float("nan")),
                "depth_scaled needs `weights`": dict(depth_scaled=True),
                "pad is 201, expected -1 or a token below 201": dict(pad=201)}.items():
            with self.assertRaisesRegex(dyn.Error, words):
                dyn.transformer(**options)


if __name__ == "__main__":
    unittest.main()
