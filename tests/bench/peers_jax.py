# SPDX-License-Identifier: BSD-3-Clause
"""JAX's side of the benchmark. Loops over steps are inside one compiled program (lax.scan, donated state). Tried for
training: optax, Adam on a tree of arrays and on one flat vector, the scan unrolled four times."""
import functools
import os

import jax
import jax.numpy as jnp
import numpy as np

from worker import serve, show

if os.environ.get("BENCH_F64"):
    jax.config.update("jax_enable_x64", True)


def is_perceptron(case):
    return case("model", "perceptron") == "perceptron"


def later(name):
    """A verb of next_jax.py, read only when it is asked for."""
    def verb(case):
        import next_jax
        return next_jax.VERBS[name](case)
    return verb


def network(case):
    """(split, apply): theta -> tree of layers, and (tree, x) -> outputs."""
    layers = case.slices()

    def split(theta):
        return [(theta[at:at + a * b].reshape(a, b), None if bias is None else theta[bias:bias + b])
                for at, (a, b), bias in layers]

    def apply(tree, x):
        for i, (w, b) in enumerate(tree):
            x = x @ w if b is None else x @ w + b
            x = jnp.tanh(x) if i + 1 < len(tree) else x
        return x
    return split, apply


def loss_of(case, f, y):
    if case("loss", "mse") == "mse":
        return jnp.mean(jnp.sum((f - y) ** 2, axis=1))
    return -jnp.mean(jnp.sum(y * jax.nn.log_softmax(f), axis=1))


def tree_loss(case):
    _, apply = network(case)
    return lambda tree, x, y: loss_of(case, apply(tree, x), y)


def flat_loss(case):
    """loss(theta) of all samples, theta one vector."""
    if not is_perceptron(case):
        import next_jax
        return next_jax.flat_loss(case)
    split, apply = network(case)
    x, y = jnp.asarray(case.array("x")), jnp.asarray(case.array("y"))
    return lambda theta: loss_of(case, apply(split(theta), x), y)


def adam(rate=1e-3, b1=0.9, b2=0.999, eps=1e-8):
    """(init, update) of Adam on any tree."""
    tree_map = jax.tree_util.tree_map

    def init(p):
        return p, tree_map(jnp.zeros_like, p), tree_map(jnp.zeros_like, p), jnp.float32(0)

    def update(state, g):
        p, m, v, k = state
        k = k + 1
        c1, c2 = rate / (1 - b1 ** k), 1 / (1 - b2 ** k)
        m = tree_map(lambda m, g: b1 * m + (1 - b1) * g, m, g)
        v = tree_map(lambda v, g: b2 * v + (1 - b2) * g * g, v, g)
        p = tree_map(lambda p, m, v: p - c1 * m / (jnp.sqrt(v * c2) + eps), p, m, v)
        return p, m, v, k
    return init, update


def optax_adam(rate):
    import optax
    optimizer = optax.adam(rate)

    def update(state, g):
        change, moments = optimizer.update(g, state[1])
        return optax.apply_updates(state[0], change), moments
    return lambda p: (p, optimizer.init(p)), update


def looper(step, state, inputs, epoch=None, unroll=1):
    """run(units): that many steps in one compiled call. epoch: xs of a scan over an epoch's batches."""
    @functools.partial(jax.jit, static_argnums=1, donate_argnums=0)
    def loop(state, units, inputs, epoch):
        def body(state, batch):
            return step(state, inputs, batch)
        if epoch is None:
            return jax.lax.scan(body, state, None, length=units, unroll=unroll)
        return jax.lax.scan(body, state, epoch[:units], unroll=unroll)

    def run(units):
        run.state, losses = loop(run.state, units, inputs, epoch)
        jax.block_until_ready(run.state)
        return losses
    run.state = jax.tree_util.tree_map(jnp.array, state)
    return run


def batches(case):
    """Indices [batches, batch] of many epochs, or None for full batch."""
    batch = case("batch", 0)
    if not batch:
        return None
    order = case.array("order", np.int32)
    per_epoch = order.shape[1] // batch
    return jnp.asarray(order[:, :per_epoch * batch].reshape(-1, batch))


def train(case):
    if not is_perceptron(case):
        return later("train")(case)
    split, _ = network(case)
    x, y = jnp.asarray(case.array("x")), jnp.asarray(case.array("y"))
    theta = jnp.asarray(case.array("theta"))
    epoch, on_tree = batches(case), tree_loss(case)

    def make(update_pair, flat, unroll):
        init, update = update_pair
        f = (lambda p, x, y: on_tree(split(p), x, y)) if flat else on_tree

        def step(state, data, batch):
            x, y = data if batch is None else (data[0][batch], data[1][batch])
            loss, g = jax.value_and_grad(f)(state[0], x, y)
            return update(state, g), loss
        return looper(step, init(theta if flat else split(theta)), (x, y), epoch, unroll)

    def check(run):
        run(case("check", 100))
        p = run.state[0]
        flat = jnp.concatenate([a.ravel() for a in jax.tree_util.tree_leaves(p)])
        show("loss", float(flat_loss(case)(flat)))
        show("theta_norm", float(np.linalg.norm(np.asarray(flat, np.float64))))
    rate = case("rate", 1e-3)
    variants = [("tree", lambda: make(adam(rate), False, 1))]
    if case("compile", 1):
        variants += [("tree unrolled", lambda: make(adam(rate), False, 4)),
                     ("flat", lambda: make(adam(rate), True, 1)),
                     ("optax", lambda: make(optax_adam(rate), False, 1))]
    return variants, check


def replicas(case):
    split, _ = network(case)
    x, y = jnp.asarray(case.array("x")), jnp.asarray(case.array("y"))
    thetas, rates = jnp.asarray(case.array("thetas")), jnp.asarray(case.array("rates"))
    on_tree = tree_loss(case)

    def make(flat, unroll):
        f = (lambda p, x, y: on_tree(split(p), x, y)) if flat else on_tree

        def one(state, rate, x, y):
            g = jax.grad(f)(state[0], x, y)
            return adam(rate)[1](state, g)

        def step(state, data, _):
            return jax.vmap(one, (0, 0, None, None))(state, rates, *data), None
        start = jax.vmap(lambda t: adam()[0](t if flat else split(t)))(thetas)
        return looper(step, start, (x, y), None, unroll)

    def check(run):
        run(case("check", 100))
        leaves = jax.tree_util.tree_leaves(run.state[0])
        show("theta_norm", float(np.sqrt(sum(float(jnp.sum(a.astype(jnp.float32) ** 2)) for a in leaves))))
    return [("vmap", lambda: make(False, 1)), ("vmap flat", lambda: make(True, 1))], check


def repeated(call):
    """run(units) of a call that returns a device array."""
    def run(units):
        for _ in range(units):
            run.result = jax.block_until_ready(call())
    return run


def gradient(case):
    theta, f = jnp.asarray(case.array("theta")), jax.jit(jax.value_and_grad(flat_loss(case)))

    def check(run):
        run(1)
        show("gradient_norm", float(jnp.linalg.norm(run.result[1])))
    return [("value_and_grad", lambda: repeated(lambda: f(theta)))], check


def product(case):
    theta, g = jnp.asarray(case.array("theta")), jax.grad(flat_loss(case))
    v = jnp.asarray(case.array("v"))
    v = v[0] if case("columns", 1) == 1 else v

    def mapped(f):
        return f if v.ndim == 1 else jax.vmap(f)

    def forward():
        f = jax.jit(lambda t, v: mapped(lambda u: jax.jvp(g, (t,), (u,))[1])(v))
        return repeated(lambda: f(theta, v))

    def reverse():
        f = jax.jit(lambda t, v: mapped(lambda u: jax.grad(lambda t: jnp.vdot(g(t), u))(t))(v))
        return repeated(lambda: f(theta, v))

    def linearised():
        linear = jax.jit(lambda t: jax.linearize(g, t)[1])(theta)
        f = jax.jit(lambda linear, v: mapped(linear)(v))
        return repeated(lambda: f(linear, v))

    def check(run):
        run(1)
        show("product_norm", float(jnp.linalg.norm(run.result)))
    variants = [("jvp of grad", forward), ("grad of grad", reverse)]
    return variants + ([] if case("fresh", 0) else [("linearize", linearised)]), check


def symmetric_solvers(case, size, multiply, save):
    """ARPACK and PRIMME on a product given as a NumPy function."""
    from scipy.sparse.linalg import LinearOperator, eigsh
    count, tolerance = case("count", 5), case("tolerance", 1e-6)
    start = np.random.default_rng(1).standard_normal(size).astype(case.dtype)
    operator = LinearOperator((size, size), matvec=multiply, dtype=case.dtype)

    def arpack():
        return save(*eigsh(operator, count, which="LA", tol=tolerance, v0=start))

    def primme():
        import primme
        return save(*primme.eigsh(operator, count, which="LA", tol=tolerance, v0=start[:, None]))
    return [("ARPACK", arpack), ("PRIMME", primme)]


def eigen(case):
    theta, g = jnp.asarray(case.array("theta")), jax.grad(flat_loss(case))
    f = jax.jit(lambda t, v: jax.jvp(g, (t,), (v,))[1])
    linearise = jax.jit(lambda t: jax.linearize(g, t)[1])
    linear_f = jax.jit(lambda linear, v: linear(v))
    pairs, calls, holder = {}, [0], {}

    def multiply(v):
        calls[0] += 1
        v = np.ascontiguousarray(v, case.dtype).ravel()
        return np.asarray(linear_f(holder["linear"], v) if "linear" in holder else f(theta, v))

    def save(values, vectors):
        order = np.argsort(values)[::-1]
        pairs.update(values=values[order], vectors=vectors.T[order])

    def solver(solve, linear):
        def run(units):
            for _ in range(units):
                calls[0] = 0
                holder.clear()
                if linear:
                    holder["linear"] = jax.block_until_ready(linearise(theta))
                solve()
        return run

    def check(run):
        run(1)
        for value in pairs["values"]:
            show("value", float(value))
        show("products", calls[0])
        case.saved["values-jax"] = pairs["values"]
        case.saved["vectors-jax"] = pairs["vectors"]
    solvers = symmetric_solvers(case, theta.size, multiply, save)
    return [(name + extra, functools.partial(solver, solve, linear)) for name, solve in solvers
            for extra, linear in (("", False), (", linearised", True))], check


def residual(case):
    """Largest |H v - value v| / largest value of saved pairs, in float64: the judge of all solvers."""
    theta, g = jnp.asarray(case.array("theta")), jax.grad(flat_loss(case))
    f = jax.jit(lambda t, v: jax.jvp(g, (t,), (v,))[1])

    def run(units):
        del units

    def check(_):
        for who in case("who", "libdyn").split(","):
            values, vectors = case.array("values-" + who), case.array("vectors-" + who)
            worst = max(np.linalg.norm(f(theta, v / np.linalg.norm(v)) - value * v / np.linalg.norm(v))
                        for value, v in zip(values, vectors))
            show("residual:" + who, float(worst / abs(values[0])))
    return [("residual", lambda: run)], check


def dense(case):
    """Blocks of products. jax.hessian, all products at once, took 39 s and 9.5 GB here and is not tried again."""
    theta = jnp.asarray(case.array("theta"))
    g = jax.grad(flat_loss(case))

    @jax.jit
    def hessian(t):
        _, linear = jax.linearize(g, t)
        return jax.lax.map(linear, jnp.eye(t.size, dtype=t.dtype), batch_size=50)

    def check(run):
        run(1)
        show("matrix_norm", float(jnp.linalg.norm(run.result)))
    return [("products in blocks of 50", lambda: repeated(lambda: hessian(theta)))], check


def singular(case):
    """jax.jacrev over all samples took 13 s and 12 GB here and is not tried again: samples are independent."""
    theta = jnp.asarray(case.array("theta"))
    split, apply = network(case)
    x = jnp.asarray(case.array("x"))

    def per_sample(t):
        return jax.vmap(jax.grad(lambda t, x: apply(split(t), x[None])[0, 0]), (None, 0))(t, x)
    jacobian = jax.jit(per_sample)
    gram = case("route", "exact") == "gram"

    def values(j):
        if not gram:
            return np.linalg.svd(j, compute_uv=False)
        return np.sqrt(np.maximum(np.linalg.eigvalsh(j.T @ j)[::-1], 0))

    def check(run):
        run(1)
        show("largest", float(run.result[0]))
        show("values_norm", float(np.linalg.norm(run.result)))
    return [("vmap of grad, NumPy", lambda: repeated(lambda: values(np.asarray(jacobian(theta)))))], check


serve({"train": train, "replicas": replicas, "gradient": gradient, "product": product, "eigen": eigen,
       "residual": residual, "dense": dense, "singular": singular,
       "attention": later("attention")})
