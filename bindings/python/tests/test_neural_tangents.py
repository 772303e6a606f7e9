# SPDX-License-Identifier: BSD-3-Clause
"""Tangent kernels beside neural-tangents', where it is installed (it needs a JAX of its time): perceptron and convolution,
in full and traced, which it divides by the number of outputs; and the linearised network's predictions in time."""
import unittest

import numpy as np

import dyn

try:
    import jax
    import neural_tangents
    from jax import numpy as jnp
    jax.config.update("jax_enable_x64", True)
except (ImportError, AttributeError):      # newer versions of JAX have other names
    neural_tangents = None


def perceptron(net):
    def f(p, x):
        h = jnp.tanh(x @ p["W1"] + p["b1"])
        return h @ p["W2"] + p["b2"]
    return f


def convolution(net):
    def f(p, x):
        h = jax.lax.conv_general_dilated(x, p["W1"], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")) + p["b1"]
        return jnp.tanh(h).reshape(len(x), -1) @ p["W2"] + p["b2"]
    return f


@unittest.skipIf(neural_tangents is None, "neural-tangents is not installed")
class NeuralTangents(unittest.TestCase):
    def compare(self, net, x, f):
        theta = net.initial()
        p = {name: jnp.asarray(value) for name, value in net.views(theta).items()}
        n, outputs = len(x), 10
        for how in ("JACOBIAN_CONTRACTION", "NTK_VECTOR_PRODUCTS"):
            implementation = getattr(neural_tangents.NtkImplementation, how)
            full = neural_tangents.empirical_ntk_fn(f, trace_axes=(), implementation=implementation)(x, None, p)
            traced = neural_tangents.empirical_ntk_fn(f, trace_axes=(-1,), implementation=implementation)(x, None, p)
            ours = dyn.tangent_kernel(net, x, theta=theta).reshape(n, outputs, n, outputs)
            np.testing.assert_allclose(ours.swapaxes(1, 2), full, rtol=1e-10, atol=1e-10)
            np.testing.assert_allclose(dyn.tangent_kernel(net, x, theta=theta, traced=True), outputs * traced, rtol=1e-10)

    def test_digits(self):
        net = dyn.mlp([64, 50, 10], activation="tanh", seed=1)
        self.compare(net, dyn.data.digits()[0][:20], perceptron(net))

    def test_convolution(self):
        net = dyn.cnn((8, 8, 1), channels=[3], outputs=10, activation="tanh", seed=1)
        self.compare(net, dyn.data.digits()[0][:8].reshape(-1, 8, 8, 1), convolution(net))

    def test_the_linearised_network_in_time(self):
        """Gradient flow on their loss |f - y|^2 / (2 n c): their time t is ours t / c on the mean squared error, halved."""
        net = dyn.mlp([64, 50, 10], activation="tanh", seed=1)
        x, y = (a[:20] for a in dyn.data.digits())
        theta = net.initial()
        p = {name: jnp.asarray(value) for name, value in net.views(theta).items()}
        f = perceptron(net)
        kernel = neural_tangents.empirical_ntk_fn(f, trace_axes=())(x, None, p)
        predict = neural_tangents.predict.gradient_descent_mse(kernel, y, trace_axes=())
        ours = dyn.Linearised(net, x, y, theta=theta)
        for time in (0.1, 3.0, 200.0):
            theirs, _ = predict(time, f(p, x), f(p, x), kernel)
            np.testing.assert_allclose(ours(x, time / (2 * 10)), theirs, rtol=1e-7, atol=1e-7)


if __name__ == "__main__":
    unittest.main()
