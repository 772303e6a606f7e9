#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Measurements of networks, beside JAX and SciPy, in one run: tangent kernels, spectral density, K-FAC, slices, tracking.

python measurements.py [--rounds 5] [--only WORD]. libdyn and its peer in turn, medians of the rounds on the cores the
process may use; a ratio is the peer's time over libdyn's, for tracking its products over libdyn's. What both compute is
compared first. The peers are JAX's own transforms, jitted and in float64, compiled before time counts."""
import argparse
import functools
import statistics
import time

import jax
import numpy as np
from jax import numpy as jnp
from scipy.sparse.linalg import LinearOperator, eigsh

import dyn

jax.config.update("jax_enable_x64", True)


def digits(samples):
    x, y = dyn.data.digits()
    return x[:samples], y[:samples]


@functools.cache
def problem():
    """64-50-10 tanh, squared error, on 500 digits: network, theta, x, y; outputs and loss in JAX."""
    net = dyn.mlp([64, 50, 10], activation="tanh", seed=1)
    x, y = digits(500)

    def outputs(t, x):
        w, b, v, c = jnp.split(t, (3200, 3250, 3750))
        return jnp.tanh(x @ w.reshape(64, 50) + b) @ v.reshape(50, 10) + c

    def loss(t):
        return jnp.mean(jnp.sum((outputs(t, x) - y) ** 2, axis=1))
    return net, net.initial(), x, y, outputs, loss


@functools.cache
def convolution():
    """A CNN of 8 x 8 digits: two convolutions of 4 and 8 channels, a pooling, 10 outputs."""
    net = dyn.cnn((8, 8, 1), channels=[4, 0, 8], outputs=10, activation="tanh", seed=1)
    x = digits(200)[0].reshape(-1, 8, 8, 1)
    shapes = [t.shape for t in net.tensors.values()]
    ends = np.cumsum([np.prod(s) for s in shapes])[:-1]

    def outputs(t, x):
        w1, b1, w2, b2, w3, b3 = (p.reshape(s) for p, s in zip(jnp.split(t, ends), shapes))
        convolve = functools.partial(jax.lax.conv_general_dilated, window_strides=(1, 1), padding="SAME",
                                     dimension_numbers=("NHWC", "HWIO", "NHWC"))
        h = jnp.tanh(convolve(x, w1) + b1)
        h = h.reshape(len(h), 4, 2, 4, 2, 4).max((2, 4))
        return jnp.tanh(convolve(h, w2) + b2).reshape(len(h), -1) @ w3 + b3
    return net, net.initial(), x, outputs


def kernel(net, theta, x, outputs):
    @jax.jit
    def peer(t):
        J = jax.vmap(jax.jacrev(lambda t, x: outputs(t, x[None])[0]), (None, 0))(t, x).reshape(-1, len(theta))
        return J @ J.T
    ours = functools.partial(dyn.tangent_kernel, net, x, theta=theta)
    np.testing.assert_allclose(ours(), peer(theta), rtol=1e-9, atol=1e-9)
    return ours, lambda: peer(theta).block_until_ready()


def kernel_of_digits():
    net, theta, x, _, outputs, _ = problem()
    return kernel(net, theta, x[:200], outputs)


def kernel_of_cnn():
    return kernel(*convolution())


def density(probes=4, steps=40):
    """Lanczos quadrature with two orthogonalisations; the peer's products are JAX's, its Lanczos NumPy's."""
    net, theta, x, y, _, loss = problem()
    product = jax.jit(lambda v: jax.jvp(jax.grad(loss), (theta,), (v,))[1])
    H = dyn.hessian(net, x, y, theta=theta)

    def peer():
        for probe in range(probes):
            q = np.random.default_rng(probe).choice([-1.0, 1.0], len(theta)) / np.sqrt(len(theta))
            Q, T = np.empty((steps + 1, len(q))), np.zeros((steps + 1, steps + 1))
            Q[0] = q
            for i in range(steps):
                w = np.array(product(Q[i]))
                T[i, i] = w @ Q[i]
                for _ in range(2):
                    w -= Q[:i + 1].T @ (Q[:i + 1] @ w)
                T[i, i + 1] = T[i + 1, i] = np.linalg.norm(w)
                Q[i + 1] = w / T[i, i + 1]
            np.linalg.eigh(T[:steps, :steps])
    v = np.random.default_rng(0).standard_normal(len(theta))
    np.testing.assert_allclose(H @ v, product(v), rtol=1e-8, atol=1e-9)
    return lambda: H.density(probes, steps), peer


def kfac():
    """The factors of both layers, with a backward pass for every output, and their eigenvectors, which the inverse needs."""
    net, theta, x, y, outputs, _ = problem()
    loss = dyn.Objective(net, x, y)

    @jax.jit
    def peer(t):
        w, b, v, _ = jnp.split(t, (3200, 3250, 3750))
        h = jnp.tanh(x @ w.reshape(64, 50) + b)
        back = jnp.sqrt(2) * (1 - h * h)[:, None, :] * v.reshape(50, 10).T
        ones = jnp.ones((len(x), 1))
        first, second = jnp.hstack([x, ones]), jnp.hstack([h, ones])
        factors = (first.T @ first / len(x), jnp.einsum("ncj,nck->jk", back, back) / len(x), second.T @ second / len(x),
                   2 * jnp.eye(10))
        return *factors, *(jnp.linalg.eigh(f) for f in factors)
    ours = dyn.kfac(loss, theta=theta).layers
    a, b, second = peer(theta)[:3]
    np.testing.assert_allclose(np.kron(ours[0].a[:2, :2], ours[0].b), np.kron(a[:2, :2], b), rtol=1e-8)
    np.testing.assert_allclose(ours[1].a, second, rtol=1e-8, atol=1e-9)
    return lambda: dyn.kfac(loss, theta=theta), lambda: jax.block_until_ready(peer(theta))


def slices(points=101):
    """Losses along a direction."""
    net, theta, x, y, _, loss = problem()
    objective, d = dyn.Objective(net, x, y), np.random.default_rng(1).standard_normal(len(theta)) / 60
    a = np.linspace(-1, 1, points)
    peer = jax.jit(lambda t: jax.lax.map(loss, t))
    np.testing.assert_allclose(dyn.landscape(objective, d, theta=theta, a=a).losses, peer(theta + a[:, None] * d), rtol=1e-9)
    return (lambda: dyn.landscape(objective, d, theta=theta, a=a),
            lambda: peer(theta + a[:, None] * d).block_until_ready())


def tracking(rate=0.1, tolerance=1e-3, rows=30):
    """Products for the sharpness at every step at the edge of stability: tracked, and by ARPACK from the vector before."""
    net, theta, x, y, _, _ = problem()
    run = dyn.Run(net, x, y, optimizer=dyn.GD(rate)).train(300, progress=False)
    run.measure(dyn.Sharpness(tolerance=tolerance, search=False, raw=False), every=1)
    run.measure(lambda state: state.theta, name="theta", every=1)
    run.train(rows, progress=False)
    products, before = 0, None
    for t in run["theta"].values:
        H = run.objective.hessian(t)
        A = LinearOperator(H.shape, matvec=H.__matmul__, dtype=float)
        value, vector = eigsh(A, 1, which="LA", tol=tolerance, v0=before, ncv=6)
        products, before = products + H.products, vector[:, 0]
    return run["sharpness"].products.sum(), products


def of_cold(optimizer, before, tolerance, rows=32):
    """Products of tracked rows against those of cold ones: from the last four measurements, and from the last alone."""
    net, _, x, y, _, _ = problem()
    products = []
    for choice in ({"cold": True}, {}, {"history": 1}):
        run = dyn.Run(net, x, y, optimizer=optimizer).train(before, progress=False)
        run.measure(dyn.Sharpness(tolerance=tolerance, search=False, raw=False, **choice), every=1)
        products.append(run.train(rows, progress=False)["sharpness"].products[1:].sum())
    return products[1] / products[0], products[2] / products[0]


TIMES = {"kernel of digits": kernel_of_digits, "kernel of a CNN": kernel_of_cnn, "density": density, "K-FAC": kfac,
         "slices": slices}


def seconds(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="")
    o = parser.parse_args()
    for name, make in TIMES.items():
        if o.only in name:
            ours, peer = make()
            times = [(seconds(ours), seconds(peer)) for _ in range(o.rounds)]
            mine, other = (1e3 * statistics.median(t[i] for t in times) for i in (0, 1))
            print(f"{name:20s} {mine:10.2f} ms {other:10.2f} ms {other / mine:6.2f}", flush=True)
    if o.only in "tracking":
        mine, other = tracking()
        print(f"{'tracking':20s} {mine:10.0f} products {other:6.0f} products {other / mine:6.2f}")
        for tolerance in (1e-2, 1e-3, 1e-4, 1e-6):
            for optimizer in (dyn.GD(0.1), dyn.Adam(3e-3)):
                for before in (300, 1000):
                    four, one = of_cold(optimizer, before, tolerance)
                    print(f"  {type(optimizer).__name__:5s} from step {before:4d}, tolerance {tolerance:.0e}: {four:.2f} of a "
                          f"cold row's products; from the last vector alone {one:.2f}", flush=True)


if __name__ == "__main__":
    main()
