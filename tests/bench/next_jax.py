# SPDX-License-Identifier: BSD-3-Clause
"""JAX's side of the works to come: the decoder transformer and the small CNN, a step as one compiled function."""
import jax
import jax.numpy as jnp
import numpy as np
import optax

import next_data as n
from worker import show


def layer_norm(x, g, b):
    mean = x.mean(-1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(((x - mean) ** 2).mean(-1, keepdims=True) + 1e-5) * g + b


def attention(p, i, x):
    batch, tokens, _ = x.shape
    qkv = (x @ p["%d.qkv" % i] + p["%d.qkv.b" % i]).reshape(batch, tokens, 3, n.HEADS, n.HEAD)
    q, k, v = qkv[:, :, 0], qkv[:, :, 1], qkv[:, :, 2]
    score = jnp.einsum("bqhd,bkhd->bhqk", q, k) / np.float32(np.sqrt(n.HEAD))
    score = jnp.where(jnp.tril(jnp.ones((tokens, tokens), bool)), score, -1e9)
    mixed = jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(score), v)
    return mixed.reshape(batch, tokens, -1) @ p["%d.mix" % i] + p["%d.mix.b" % i]


def transformer_loss(p, tokens):
    x = p["embed"][tokens[:, :-1]] + p["position"]
    for i in range(n.LAYERS):
        x = layer_norm(x + attention(p, i, x), p["%d.1g" % i], p["%d.1b" % i])
        inner = jax.nn.relu(x @ p["%d.up" % i] + p["%d.up.b" % i])
        x = layer_norm(x + inner @ p["%d.down" % i] + p["%d.down.b" % i], p["%d.2g" % i], p["%d.2b" % i])
    return optax.softmax_cross_entropy_with_integer_labels(x @ p["out"], tokens[:, 1:]).mean()


def convolution_loss(p, x, y):
    for name in ("c1", "c2"):
        x = jax.lax.conv_general_dilated(x, p[name], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        x = jnp.tanh(x + p[name + ".b"])
        x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    f = x.reshape(len(x), -1) @ p["out"] + p["out.b"]
    return optax.softmax_cross_entropy_with_integer_labels(f, y).mean()


def stepper(loss, optimizer, parameters, data):
    """(variants, check) of training: one compiled step called from Python, or a scan over the steps."""
    def step(state, data):
        p, moments = state
        value, g = jax.value_and_grad(loss)(p, *data)
        change, moments = optimizer.update(g, moments, p)
        return (optax.apply_updates(p, change), moments), value
    once = jax.jit(step, donate_argnums=0)
    many = jax.jit(lambda state, data, count: jax.lax.scan(lambda s, _: step(s, data), state, None, length=count),
                   static_argnums=2, donate_argnums=0)

    def start():
        p = {name: jnp.array(a) for name, a in parameters.items()}
        return p, optimizer.init(p)

    def calls():
        def run(units):
            for _ in range(units):
                run.state, run.loss = once(run.state, data)
            jax.block_until_ready(run.state)
        run.state = start()
        return run

    def scan():
        def run(units):
            run.state, losses = jax.block_until_ready(many(run.state, data, units))
            run.loss = losses[-1]
        run.state = start()
        return run

    def check(run):
        run(3)
        show("loss", float(run.loss))
    return [("compiled step", calls), ("scan", scan)], check


def transformer(case):
    parameters, tokens = n.transformer(case("tokens", n.TOKENS))
    optimizer = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(1e-4, weight_decay=0.01))
    return stepper(transformer_loss, optimizer, parameters, (jnp.asarray(tokens),))


def convolution(case):
    del case
    parameters, x, y = n.convolution()
    return stepper(convolution_loss, optax.adam(1e-3), parameters, (jnp.asarray(x), jnp.asarray(y)))


VERBS = {"transformer": transformer, "convolution": convolution}
