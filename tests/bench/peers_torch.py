# SPDX-License-Identifier: BSD-3-Clause
"""PyTorch's side of the benchmark. Tried for training: eager with the fused Adam; the whole step, with the same
Adam written by hand on one flat vector, under torch.compile."""
import os

import numpy as np
import torch

from worker import serve, show

torch.set_num_threads(len(os.sched_getaffinity(0)))


def is_perceptron(case):
    return case("model", "perceptron") == "perceptron"


def later(name):
    """A verb of next_torch.py, read only when it is asked for."""
    def verb(case):
        import next_torch
        return next_torch.VERBS[name](case)
    return verb


def tensor(a):
    return torch.from_numpy(np.ascontiguousarray(a))


def split(case, theta):
    return [(theta[at:at + a * b].reshape(a, b), None if bias is None else theta[bias:bias + b])
            for at, (a, b), bias in case.slices()]


def network(layers, x):
    for i, (w, b) in enumerate(layers):
        x = x @ w if b is None else torch.addmm(b, x, w)
        x = torch.tanh(x) if i + 1 < len(layers) else x
    return x


def loss_of(case, f, y):
    if case("loss", "mse") == "mse":
        return ((f - y) ** 2).sum(1).mean()
    return -(y * torch.log_softmax(f, 1)).sum(1).mean()


def data(case):
    return tensor(case.array("x")), tensor(case.array("y")), tensor(case.array("theta"))


def flat_loss(case):
    if not is_perceptron(case):
        import next_torch
        return next_torch.flat_loss(case)
    x, y, _ = data(case)
    return lambda theta: loss_of(case, network(split(case, theta), x), y)


def leaves(case, theta):
    """The layers as separate parameters, and the list of them."""
    layers = [tuple(None if t is None else t.clone().requires_grad_() for t in layer) for layer in split(case, theta)]
    return layers, [t for layer in layers for t in layer if t is not None]


def batches(case):
    """Endless (x, y): everything, or mini-batches in the order given."""
    x, y, _ = data(case)
    batch = case("batch", 0)
    if not batch:
        while True:
            yield x, y
    order = tensor(case.array("order", np.int64))
    while True:
        for epoch in order:
            for rows in epoch[:len(epoch) // batch * batch].split(batch):
                yield x[rows], y[rows]


def eager(case):
    layers, parameters = leaves(case, data(case)[2])
    adam = torch.optim.Adam(parameters, lr=case("rate", 1e-3), fused=True)
    stream = batches(case)

    def run(units):
        for _ in range(units):
            adam.zero_grad(set_to_none=True)
            x, y = next(stream)
            loss_of(case, network(layers, x), y).backward()
            adam.step()
    run.theta = lambda: torch.cat([p.detach().ravel() for p in parameters])
    return run


def whole_step(case):
    """Loss, gradient and Adam on one flat vector in one compiled function."""
    theta = data(case)[2]
    m, v, k = torch.zeros_like(theta), torch.zeros_like(theta), torch.zeros(())
    stream, rate = batches(case), case("rate", 1e-3)

    @torch.compile
    def step(theta, m, v, k, x, y):
        g = torch.func.grad(lambda t: loss_of(case, network(split(case, t), x), y))(theta)
        k.add_(1)
        m.mul_(0.9).add_(g, alpha=0.1)
        v.mul_(0.999).addcmul_(g, g, value=0.001)
        theta.sub_(rate / (1 - 0.9 ** k) * m / (torch.sqrt(v / (1 - 0.999 ** k)) + 1e-8))

    def run(units):
        for _ in range(units):
            step(theta, m, v, k, *next(stream))
    run.theta = lambda: theta
    return run


def train(case):
    if not is_perceptron(case):
        return later("train")(case)
    def check(run):
        run(case("check", 100))
        show("loss", float(flat_loss(case)(run.theta())))
        show("theta_norm", float(run.theta().double().norm()))
    variants = [("eager, fused Adam", lambda: eager(case))]
    if case("compile", 1):
        variants.append(("compiled step", lambda: whole_step(case)))
    return variants, check


def repeated(call):
    def run(units):
        for _ in range(units):
            run.result = call()
    return run


def gradient(case):
    theta, f = tensor(case.array("theta")).requires_grad_(), flat_loss(case)

    def check(run):
        run(1)
        show("gradient_norm", float(run.result.norm()))
    return [("autograd", lambda: repeated(lambda: torch.autograd.grad(f(theta), theta)[0]))], check


def products(f, theta):
    """(fresh, linearised): v -> H v by double backward, the second with the first backward done once."""
    def graph():
        return torch.autograd.grad(f(theta), theta, create_graph=True)[0]
    g = graph()
    return (lambda v: torch.autograd.grad(graph(), theta, v)[0],
            lambda v: torch.autograd.grad(g, theta, v, retain_graph=True)[0])


def product(case):
    theta, v = tensor(case.array("theta")).requires_grad_(), tensor(case.array("v"))
    fresh, once = products(flat_loss(case), theta)

    def each(multiply):
        return lambda: torch.stack([multiply(u) for u in v])

    def check(run):
        run(1)
        show("product_norm", float(run.result.double().norm()))
    variants = [("double backward", lambda: repeated(each(fresh)))]
    return variants + ([] if case("fresh", 0) else [("first backward once", lambda: repeated(each(once)))]), check


def curvlinops_pairs(case):
    """curvlinops' Hessian with SciPy's ARPACK."""
    from curvlinops import HessianLinearOperator
    from scipy.sparse.linalg import eigsh
    x, y, theta = data(case)
    model = Perceptron(case, theta)
    hessian = HessianLinearOperator(model, torch.nn.CrossEntropyLoss(), list(model.parameters()), [(x, y)],
                                    check_deterministic=False)
    start = np.random.default_rng(1).standard_normal(theta.numel()).astype(case.dtype)
    return lambda: eigsh(hessian.to_scipy(), case("count", 5), which="LA", tol=case("tolerance", 1e-6), v0=start)


class Perceptron(torch.nn.Module):
    """The network as a module whose parameters stand in theta's order."""

    def __init__(self, case, theta):
        super().__init__()
        parts = [t for layer in split(case, theta) for t in layer if t is not None]
        self.p = torch.nn.ParameterList([torch.nn.Parameter(t.clone()) for t in parts])

    def forward(self, x):
        for i in range(0, len(self.p), 2):
            x = torch.addmm(self.p[i + 1], x, self.p[i])
            x = torch.tanh(x) if i + 2 < len(self.p) else x
        return x


def pyhessian_pairs(case):
    """PyHessian's power iteration; it stops at a relative change of the value, with residuals near 1e-3."""
    from pyhessian import hessian
    x, y, theta = data(case)
    judge = hessian(Perceptron(case, theta), torch.nn.CrossEntropyLoss(), data=(x, y), cuda=False)

    def solve():
        values, vectors = judge.eigenvalues(maxIter=1000, tol=1e-6, top_n=case("count", 5))
        return np.array(values), np.stack([torch.cat([t.ravel() for t in v]).numpy() for v in vectors]).T
    return solve


def eigen(case):
    pairs = {}

    def solver(make):
        def ready():
            solve = make(case)

            def run(units):
                for _ in range(units):
                    values, vectors = solve()
                    order = np.argsort(values)[::-1]
                    pairs.update(values=values[order], vectors=vectors.T[order])
            return run
        return ready

    def check(run):
        run(1)
        for value in pairs["values"]:
            show("value", float(value))
        case.saved["values-torch"] = pairs["values"]
        case.saved["vectors-torch"] = pairs["vectors"]
    return [("curvlinops, ARPACK", solver(curvlinops_pairs)), ("PyHessian (looser)", solver(pyhessian_pairs))], check


def singular(case):
    x, _, theta = data(case)
    per_sample = torch.func.vmap(torch.func.grad(lambda t, x: network(split(case, t), x[None])[0, 0]), (None, 0))
    gram = case("route", "exact") == "gram"

    def values():
        j = per_sample(theta, x)
        return torch.linalg.eigvalsh(j.T @ j).clamp(min=0).sqrt().flip(0) if gram else torch.linalg.svdvals(j)

    def check(run):
        run(1)
        show("largest", float(run.result[0]))
        show("values_norm", float(run.result.norm()))
    return [("vmap of grad, torch.linalg", lambda: repeated(values))], check


serve({"train": train, "gradient": gradient, "product": product, "eigen": eigen,
       "singular": singular, "attention": later("attention")})
