# SPDX-License-Identifier: BSD-3-Clause
"""What a Hessian product costs, for every family: its time in gradients beside the ratio of their counted work.

usage: products.py [NAME ...]

The count is of the graphs: two operations for each multiplication and addition of a product, one for each element of what
else computes. Times are the least CPU times of several on one thread; a product is one of a block of eight, after the operator has
been made. The goal is a time of at most 1.15 times the count."""
import sys
import time

import numpy as np

import dyn
from dyn.graph import Graph
from dyn.onnx import primitives

MOVES = frozenset("input constant stop identity reshape broadcast permute slice pad concat unfold fold inset".split())


def families():
    """A network of a usual size for each family, and data."""
    rng = np.random.default_rng(0)
    image, tokens = rng.standard_normal((32, 16, 16, 3)), rng.integers(0, 50, (32, 16))
    yield "perceptron", dyn.mlp([64, 100, 100, 10], seed=1), rng.standard_normal((500, 64)), "mse"
    yield "perceptron, gelu", dyn.mlp([64, 100, 100, 10], "gelu", seed=1), rng.standard_normal((500, 64)), "mse"
    yield "cnn", dyn.cnn((16, 16, 3), [16, 0, 32, 0], hidden=(64,), outputs=10, seed=1), image, "mse"
    yield "resnet", dyn.resnet((1, 1), (16, 16, 3), base=16, seed=1), image, "mse"
    yield "transformer", dyn.transformer(50, 16, layers=2, heads=2, width=64, key_width=32, hidden=128, seed=1), tokens, "ce"
    yield "gpt", dyn.gpt(50, 16, layers=2, heads=2, width=64, seed=1), tokens, "sequence"
    yield "llama", dyn.llama(50, 16, layers=2, heads=2, width=64, seed=1), tokens, "sequence"
    for cell in ("simple", "gru", "lstm"):
        yield f"recurrent, {cell}", dyn.recurrent(8, 12, width=48, cell=cell, seed=1), rng.standard_normal((64, 12, 8)), "mse"
    yield "factorisation", dyn.factorisation([40, 40, 40], seed=1), rng.integers(0, 1600, 800), "mse"
    yield "tensor", dyn.tensor_factorisation([12, 12, 12], 6, seed=1), rng.integers(0, 1728, 800), "mse"
    yield "diagonal", dyn.diagonal(200, 3, seed=1), rng.standard_normal((400, 200)), "mse"
    yield "polynomial", dyn.polynomial(20, 4, seed=1), rng.standard_normal((400, 20)), "mse"


def work(g, outputs):
    """Operations of a graph."""
    nodes, total = primitives(g, outputs), 0
    for p in nodes.values():
        if p.operation == "matmul":
            a = nodes[p.operands[0]].shape
            total += 2 * np.prod(p.shape) * a[-2 if p.attribute[0] else -1]
        elif p.operation in ("sum", "amax", "scatter_add"):
            total += np.prod(nodes[p.operands[0]].shape)
        elif p.operation not in MOVES:
            total += np.prod(p.shape)
    return float(total)


def counted(net, x):
    """Work of a Hessian product without what is done once for all directions, over that of a gradient, of a mean square."""
    g = Graph()
    leaf = g.indices if x.dtype.kind == "i" else g.input
    f = net(leaf("x", x.shape))
    s = (f * f).sum()
    w = [g._node(dyn._lib.lib.dyn_graph_find, name.encode()) for name in net.tensors]
    v = [g.input("v_" + name, t.shape) for name, t in net.tensors.items()]
    gradient = g.gradient(s, w)
    product = g.hvp(s, w, v)
    whole, once = work(g, [*gradient, *product]), work(g, gradient)
    return (whole - once) / once


def least(function, rounds=15):
    """Least time of a call."""
    best = np.inf
    for _ in range(rounds):
        begin = time.process_time()
        function()
        best = min(best, time.process_time() - begin)
    return best


def timed(net, x, loss):
    """A Hessian product in gradients."""
    if loss == "mse":
        y = np.zeros((len(x), net.output_size))
    else:
        y = x if loss == "sequence" else x[:, -1]
    options = dict(loss="mse" if loss == "mse" else "cross_entropy")
    objective = dyn.Objective(net, x, y, **options)
    theta = net.initial()
    hessian = objective.hessian(theta)
    v = np.random.default_rng(1).standard_normal((net.size, 8))
    objective.gradient(theta), hessian @ v
    return least(lambda: hessian @ v) / 8 / least(lambda: objective.gradient(theta))


def main():
    wanted, beyond = sys.argv[1:], 0
    print(f"{'family':22s} {'time':>6s} {'count':>6s} {'ratio':>6s}")
    with dyn.Context(threads=1):
        for name, net, x, loss in families():
            if wanted and name not in wanted:
                continue
            with_time, with_count = timed(net, x, loss), counted(net, x)
            beyond += with_time > 1.15 * with_count
            print(f"{name:22s} {with_time:6.2f} {with_count:6.2f} {with_time / with_count:6.2f}", flush=True)
    print(f"{beyond} families above 1.15")


if __name__ == "__main__":
    main()
