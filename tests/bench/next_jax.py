# SPDX-License-Identifier: BSD-3-Clause
"""JAX's side of decoders, attention and the convolutional network: a step as one compiled function."""
import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax

import next_data as n
from worker import show


def layer_norm(x, g, b):
    mean = x.mean(-1, keepdims=True)
    return (x - mean) * jax.lax.rsqrt(((x - mean) ** 2).mean(-1, keepdims=True) + 1e-5) * g + b


def qkv_of(net, p, i, x):
    """Queries, keys and values [batch, tokens, heads, key]; of one product or of three."""
    shape = x.shape[:2] + (net.heads, net.key)
    if "%d.qkv" % i in p:
        y = (x @ p["%d.qkv" % i] + p["%d.qkv.b" % i]).reshape(x.shape[:2] + (3, net.heads, net.key))
        return [y[:, :, j] for j in range(3)]
    return [(x @ p["%d.W%s" % (i, name)] + p["%d.b%s" % (i, name)]).reshape(shape) for name in "qkv"]


def mixed(q, k, v):
    """Causal attention, [batch, tokens, heads, key]."""
    tokens = q.shape[1]
    score = jnp.einsum("bqhd,bkhd->bhqk", q, k) / np.float32(np.sqrt(q.shape[3]))
    score = jnp.where(jnp.tril(jnp.ones((tokens, tokens), bool)), score, -1e9)
    return jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(score), v)


def attention(net, p, i, x):
    return mixed(*qkv_of(net, p, i, x)).reshape(x.shape[:2] + (-1,)) @ p["%d.Wo" % i] + p["%d.bo" % i]


def feed_forward(net, p, i, x):
    inner = x @ p["%d.W1" % i] + p["%d.b1" % i]
    inner = jax.nn.gelu(inner) if net.pre else jax.nn.relu(inner)
    return inner @ p["%d.W2" % i] + p["%d.b2" % i]


def decoder_loss(net, p, tokens):
    def norm(x, name):
        return layer_norm(x, p["%sgain%s" % name], p["%sshift%s" % name])
    x = p["embedding"][tokens[:, :-1]] + p["position"]
    for i in range(net.layers):
        for number, block in (("1", attention), ("2", feed_forward)):
            name = ("%d." % i, number)
            x = x + block(net, p, i, norm(x, name)) if net.pre else norm(x + block(net, p, i, x), name)
    logits = norm(x, ("", "")) @ p["embedding"].T if net.pre else x @ p["W"]
    return optax.softmax_cross_entropy_with_integer_labels(logits, tokens[:, 1:]).mean()


def convolution_loss(p, x, y):
    for name in ("c1", "c2"):
        x = jax.lax.conv_general_dilated(x, p[name], (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        x = jnp.tanh(x + p[name + ".b"])
        x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    f = x.reshape(len(x), -1) @ p["out"] + p["out.b"]
    return optax.softmax_cross_entropy(f, y).mean()


def stepper(loss, optimizer, parameters, data, check_steps):
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
        run(check_steps)
        p = run.state[0]
        show("loss", float(loss(p, *data)))
        show("theta_norm", float(np.sqrt(sum(np.sum(np.asarray(a, np.float64) ** 2) for a in p.values()))))
    return [("compiled step", calls), ("scan", scan)], check


def decoder(case):
    net = n.Decoder(case)
    optimizer = optax.adamw(case("rate", 1e-3), weight_decay=0.01)
    if case("clip", 0.0):
        optimizer = optax.chain(optax.clip_by_global_norm(case("clip", 0.0)), optimizer)
    return stepper(functools.partial(decoder_loss, net), optimizer, net.parameters(), (jnp.asarray(net.tokens()),),
                   case("check", 3))


def flat_loss(case):
    """The loss as a function of theta."""
    if case("model", "") == "cnn":
        net = n.Convolution(case)
        x, y = map(jnp.asarray, net.data())
        return lambda theta: convolution_loss(net.split(theta), x, y)
    net = n.Decoder(case)
    tokens = jnp.asarray(net.tokens())
    return lambda theta: decoder_loss(net, net.split(theta), tokens)


def attention_alone(case):
    shape = [case(key, default) for key, default in
             (("samples", 1), ("length", 512), ("heads", 8), ("key_width", 64))]
    heads_first = [shape[i] for i in (0, 2, 1, 3)]
    q, k, v, w = (jnp.asarray(case.array(name).reshape(heads_first).transpose(0, 2, 1, 3)) for name in "qkvw")
    gradients = jax.jit(jax.grad(lambda q, k, v: 0.5 * jnp.vdot(mixed(q, k, v) ** 2, w), (0, 1, 2)))

    def run(units):
        for _ in range(units):
            run.gradients = jax.block_until_ready(gradients(q, k, v))

    def check(run):
        run(1)
        show("gradient_norm", float(np.sqrt(sum(np.sum(np.asarray(g, np.float64) ** 2) for g in run.gradients))))
    return [("einsum", lambda: run)], check


def convolution(case):
    net = n.Convolution(case)
    return stepper(convolution_loss, optax.adam(1e-3), net.parameters(), tuple(map(jnp.asarray, net.data())),
                   case("check", 3))


def train(case):
    return (convolution if case("model", "") == "cnn" else decoder)(case)


VERBS = {"train": train, "attention": attention_alone}
