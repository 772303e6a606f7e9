# SPDX-License-Identifier: BSD-3-Clause
"""Functions of JAX's as networks, against JAX in float64: outputs, gradients, Hessian products."""
import unittest

import numpy as np

import dyn

try:
    import jax
    import jax.numpy as jnp
    from jax import lax
except ImportError:
    jax = None

RNG = np.random.default_rng(3)


def draw(*shape):
    return RNG.standard_normal(shape) / 2


def layer_norm(x, gain):
    mean = x.mean(-1, keepdims=True)
    return gain * (x - mean) / jnp.sqrt(((x - mean)**2).mean(-1, keepdims=True) + 1e-5)


def attention(p, x):
    q, k, v = jnp.split(x @ p["qkv"], 3, axis=-1)
    q, k, v = (t.reshape(*t.shape[:2], 2, -1) for t in (q, k, v))
    scores = jnp.einsum("nqhd,nkhd->nhqk", q, k) / np.sqrt(q.shape[-1])
    scores = jnp.where(jnp.tril(jnp.ones((x.shape[1],) * 2, bool)), scores, -jnp.inf)
    return jnp.einsum("nhqk,nkhd->nqhd", jax.nn.softmax(scores), v).reshape(x.shape) @ p["out"]


def functions():
    """Name: function, parameters, samples."""
    def perceptron(params, x):
        for w, b in params[:-1]:
            x = jnp.tanh(x @ w + b)
        return x @ params[-1][0] + params[-1][1]

    def decoder(p, tokens):
        x = p["embedding"][tokens] + p["position"][:tokens.shape[1]]
        for layer in p["layers"]:
            x = x + jax.checkpoint(attention)(layer, layer_norm(x, layer["gain"]))
            x = x + jax.nn.gelu(layer_norm(x, layer["gain"]) @ layer["up"]) @ layer["down"]
        return (x @ p["embedding"].T)[:, -1]

    def images(p, x):
        x = lax.conv_general_dilated(x, p["w1"], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        x = lax.reduce_window(jax.nn.relu(x), -jnp.inf, lax.max, (1, 3, 3, 1), (1, 2, 2, 1), "SAME")
        x = jnp.moveaxis(x, -1, 1)
        x = lax.conv_general_dilated(x, p["w2"], (2, 1), ((1, 0), (0, 1)), rhs_dilation=(1, 2), feature_group_count=2,
                                     dimension_numbers=("NCHW", "OIHW", "NCHW"))
        x = lax.conv_transpose(jax.nn.silu(x), p["w3"], (2, 2), "SAME", dimension_numbers=("NCHW", "OIHW", "NCHW"))
        x = lax.reduce_window(x, 0.0, lax.add, (1, 1, 2, 2), (1, 1, 1, 1), "VALID") / 4
        return x.mean((2, 3))

    def recurrent(p, x):
        def step(h, x_t):
            r, z = jnp.split(jax.nn.sigmoid(x_t @ p["gates"] + h @ p["states"]), 2, axis=-1)
            h = (1 - z) * jnp.tanh(x_t @ p["new"] + r * (h @ p["own"])) + z * h
            return h, h
        last, all_places = lax.scan(step, jnp.zeros((x.shape[0], 4)), jnp.swapaxes(x, 0, 1))
        return jnp.concatenate([last, all_places.mean(0), all_places[::-1][0]], axis=1)

    @jax.custom_jvp
    def cubed(x):
        return x**3
    cubed.defjvp(lambda x, t: (cubed(x[0]), 3 * x[0]**2 * t[0]))

    @jax.jit
    def arithmetic(p, x):
        h = x * p["a"] + p["b"][None]
        parts = [cubed(h).sum(1), jnp.linalg.norm(h + 3, axis=1), jax.nn.logsumexp(h, axis=1), jnp.prod(h, axis=1),
                 jnp.cumsum(h, axis=1).sum(1), jnp.clip(h, -.3, .3).sum(1), jnp.var(h, axis=1), jax.nn.elu(h).max(1),
                 jnp.pad(h, ((0, 0), (1, 2)))[:, 1:4].min(1), h[:, jnp.array([2, 0])].sum(1), jnp.flip(h, 1)[:, 0],
                 jnp.roll(h, 1, axis=1)[:, 0], jax.nn.softplus(h).sum(1), jnp.where(h > 0, h, jnp.expm1(h)).sum(1),
                 jnp.sinh(h).sum(1) + jnp.cosh(h).sum(1), jnp.abs(h)[:, ::2].sum(1), (h / (1 + jnp.exp2(h))).sum(1),
                 lax.fori_loop(0, 3, lambda i, v: jnp.sin(v) + i, h).sum(1), jax.nn.log_softmax(h)[:, 0],
                 h[:, 1]]
        return jnp.stack(parts, axis=1)

    def classes(p, tokens):
        shown = jax.nn.one_hot(tokens, 7) @ p["w"]
        return jax.nn.standardize(shown, axis=-1, epsilon=1e-2).sum(1) + jnp.take(p["w"], jnp.arange(2), axis=0).sum()

    layer = dict(qkv=draw(8, 24), out=draw(8, 8), gain=draw(8), up=draw(8, 16), down=draw(16, 8))
    return {
        "perceptron": (perceptron, [(draw(3, 5), draw(5)), (draw(5, 4), draw(4)), (draw(4, 2), draw(2))], draw(5, 3)),
        "decoder": (decoder, dict(embedding=draw(11, 8), position=draw(9, 8),
                                  layers=[layer, {k: -v for k, v in layer.items()}]),
                    RNG.integers(0, 11, (4, 6))),
        "images": (images, dict(w1=draw(3, 3, 2, 4), w2=draw(6, 2, 2, 2), w3=draw(3, 6, 2, 2)), draw(3, 7, 6, 2)),
        "recurrent": (recurrent, dict(gates=draw(2, 8), states=draw(4, 8), new=draw(2, 4), own=draw(4, 4)), draw(3, 5, 2)),
        "arithmetic": (arithmetic, dict(a=draw(3), b=draw(3)), draw(4, 3)),
        "classes": (classes, dict(w=draw(7, 4)), RNG.integers(0, 7, (4, 3)))}


@unittest.skipIf(jax is None, "JAX is not installed")
class In(unittest.TestCase):
    def check(self, name, fn, params, x):
        before = jax.config.jax_enable_x64
        net = dyn.from_jax(fn, params, x)
        self.assertEqual(jax.config.jax_enable_x64, before)
        theta = net.initial()
        with jax.enable_x64(True):
            f = np.asarray(fn(params, x))
            y = RNG.standard_normal(f.shape)
            loss = dyn.Objective(net, x, y, loss="mse")
            np.testing.assert_allclose(loss.predict(theta).reshape(f.shape), f, rtol=0, atol=1e-12 * max(1, np.abs(f).max()))
            scale = loss.value(theta) / ((f - y)**2).mean()

            def value(p):
                return ((fn(p, x) - y)**2).mean() * scale
            v = net.to_jax(RNG.standard_normal(net.size))
            gradient, product = jax.jvp(jax.grad(value), (params,), (v,))
        along = net.theta(dict(zip(net._tree.names, map(np.asarray, jax.tree_util.tree_leaves(v)))))
        for what, ours, theirs in (("gradient", loss.gradient(theta)[1], gradient),
                                   ("product", loss.hessian(theta) @ along, product)):
            for a, b in zip(jax.tree_util.tree_leaves(net.to_jax(ours)), jax.tree_util.tree_leaves(theirs)):
                self.assertLessEqual(np.abs(a - b).max() / max(1, np.abs(b).max()), 1e-10, (name, what))

    def test_against_jax(self):
        for name, (fn, params, x) in functions().items():
            with self.subTest(name):
                self.check(name, fn, params, x)

    def test_training_and_back(self):
        fn, params, x = functions()["perceptron"]
        params = jax.tree_util.tree_map(np.float32, params)
        net = dyn.from_jax(fn, params, x)
        run = dyn.Run(net, x, x[:, :2], loss="mse", optimizer=dyn.GD(0.1)).train(20)
        back = net.to_jax(run.theta)
        self.assertEqual(jax.tree_util.tree_structure(back), jax.tree_util.tree_structure(params))
        self.assertEqual({leaf.dtype for leaf in jax.tree_util.tree_leaves(back)}, {np.dtype("f4")})
        np.testing.assert_allclose(fn(back, x), net(run.theta, x), atol=1e-5)
        self.assertEqual(list(net.tensors), ["0.0", "0.1", "1.0", "1.1", "2.0", "2.1"])

    def test_what_does_not_learn_stays(self):
        params = dict(w=np.ones(3), order=np.array([2, 0, 1]))
        net = dyn.from_jax(lambda p, x: (x * p["w"])[:, p["order"]], params, np.ones((2, 3)))
        self.assertEqual(list(net.tensors), ["w"])
        np.testing.assert_array_equal(net([1.0, 2, 3], np.ones((1, 3))), [[3, 1, 2]])
        np.testing.assert_array_equal(net.to_jax(net.initial())["order"], [2, 0, 1])

    def test_what_is_missing_is_listed(self):
        def odd(p, x):
            h = x * p
            return jnp.sort(h) + jnp.arctan(h) + jax.jit(lax.erf_inv)(h)
        with self.assertRaisesRegex(dyn.InvalidArgument, "sort.*; atan at .*; erf_inv"):
            dyn.from_jax(odd, np.ones(3), np.ones((2, 3)))

    def test_refusals_name_what_is_wrong(self):
        w, x = np.ones(3), np.ones((2, 3))
        for message, fn, params, example in (
                ("gives 2 arrays", lambda p, x: (x * p, x), w, x),
                (r"gives shape \[\] for 2 samples", lambda p, x: (x * p).sum(), w, x),
                ("fn is builtins.int", 3, w, x),
                ("w of params holds numbers that are not finite", lambda p, x: x, {"w": np.array([np.inf])}, x),
                ("holds no array of real numbers", lambda p, x: x, {"k": np.arange(3)}, x),
                ("example has shapes", lambda p, x, y: x * p, w, (x, np.ones(5))),
                ("cond at .*branch chosen by what depends", lambda p, x: lax.cond(x.sum() > 0, jnp.sin, jnp.cos, x * p), w, x),
                ("lt at .*of indices with something else than 0", lambda p, t: p[t + 1], np.ones((4, 2)), np.array([0, 1]))):
            with self.subTest(message), self.assertRaisesRegex(dyn.Error, message):
                dyn.from_jax(fn, params, example)
        with self.assertRaisesRegex(dyn.InvalidArgument, "not made by dyn.from_jax"):
            dyn.mlp([1, 1]).to_jax([0.0, 0.0])


if __name__ == "__main__":
    unittest.main()
