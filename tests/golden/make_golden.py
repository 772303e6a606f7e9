# SPDX-License-Identifier: BSD-3-Clause
"""Reference numbers for tests/golden, from PyTorch in float64.

Run with NumPy and PyTorch (made with PyTorch 2.13, CPU): python make_golden.py. Writes data/*.npy beside this file.

Networks: widths WIDTHS[d] for d = 1, 2, 3 hidden layers, parameters in the order W1 [in, out], b1, W2, ... (row-major).
    x.npy [3, 3], y.npy [3, 2] (rows are distributions, for all losses)
    theta<d>.npy [p], v<d>.npy [p]              where and in which direction
    activations<d>.npy [16, 9, p]               every activation (order of enum dyn_activation) with loss number
                                                (activation + d) % 6: gradient, H v, G v, then the Jacobian [3*2, p]
    losses<d>.npy [7, 3, p]                     tanh with every loss: gradient, H v, G v
    values<d>.npy [23]                          the 16 + 7 values of those losses
    trace_x.npy [4, 2], trace_y.npy [4, 1], trace_theta.npy [13], traces.npy [optimisers, 50, 13]
                                                theta after every step of every optimiser of OPTIMISERS, in order
"""
import math
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from torch.func import grad, jacrev

torch.set_default_dtype(torch.float64)
DATA = pathlib.Path(__file__).parent / "data"
WIDTHS = {1: [3, 4, 2], 2: [3, 4, 4, 2], 3: [3, 4, 3, 4, 2]}

ACTIVATIONS = [
    lambda x: x, torch.tanh, F.relu, lambda x: F.leaky_relu(x, 0.01), torch.sigmoid, F.gelu,
    lambda x: F.gelu(x, approximate="tanh"), F.silu, F.softplus, F.elu, torch.sin,
    lambda x: x * torch.tanh(x), lambda x: x * x * torch.tanh(x), lambda x: x * x, lambda x: x**3, torch.erf,
]

# The order of `losses` in perceptron.c.
LOSSES = [
    lambda f, y: F.mse_loss(f, y, reduction="sum") / len(f),
    lambda f, y: F.mse_loss(f, y, reduction="sum") / len(f) / 2,
    lambda f, y: F.mse_loss(f, y),
    lambda f, y: F.mse_loss(f, y, reduction="sum"),
    lambda f, y: F.cross_entropy(f, y),
    lambda f, y: F.binary_cross_entropy_with_logits(f, y, reduction="sum") / len(f),
]
L2 = 0.1    # of the last loss of losses<d>.npy: cross-entropy + L2/2 |theta|^2


def network(widths, activation):
    def forward(theta, x):
        at = 0
        for layer, (n, m) in enumerate(zip(widths, widths[1:])):
            w, b = theta[at:at + n * m].reshape(n, m), theta[at + n * m:at + n * m + m]
            at += n * m + m
            x = x @ w + b
            if layer < len(widths) - 2:
                x = activation(x)
        return x
    return forward


def parameters(widths):
    return sum((n + 1) * m for n, m in zip(widths, widths[1:]))


def curvature(forward, loss, l2, theta, v, x, y):
    """Value of the loss; gradient, H v and G v, G the Gauss-Newton matrix (with that of the l2 term); Jacobian."""
    f = lambda t: forward(t, x)
    total = lambda t: loss(f(t), y) + l2 / 2 * (t @ t)
    gradient = grad(total)
    hv = grad(lambda t: gradient(t) @ v)(theta)
    jacobian = jacrev(f)(theta).reshape(-1, len(theta))
    moved = (jacobian @ v).reshape(y.shape)
    curved = grad(lambda z: (grad(lambda u: loss(u, y))(z) * moved).sum())(f(theta))
    gv = jacobian.T @ curved.flatten() + l2 * v
    return total(theta).item(), torch.stack([gradient(theta), hv, gv]), jacobian


def save(name, array):
    array = np.ascontiguousarray(np.asarray(array, dtype=np.float64))
    assert np.isfinite(array).all(), name
    np.save(DATA / f"{name}.npy", array)


def make_curvature(rng):
    x = torch.tensor(rng.uniform(-1, 1, (3, 3)))
    y = torch.tensor(rng.dirichlet([1, 1], 3))
    save("x", x)
    save("y", y)
    for d, widths in WIDTHS.items():
        theta = torch.tensor(0.5 * rng.standard_normal(parameters(widths)))
        v = torch.tensor(rng.standard_normal(parameters(widths)))
        rows, losses, values = [], [], []
        for a, activation in enumerate(ACTIVATIONS):
            forward = network(widths, activation)
            value, block, jacobian = curvature(forward, LOSSES[(a + d) % 6], 0, theta, v, x, y)
            rows.append(torch.cat([block, jacobian]))
            values.append(value)
        for loss, l2 in [(loss, 0) for loss in LOSSES] + [(LOSSES[4], L2)]:
            value, block, _ = curvature(network(widths, torch.tanh), loss, l2, theta, v, x, y)
            losses.append(block)
            values.append(value)
        save(f"theta{d}", theta)
        save(f"v{d}", v)
        save(f"activations{d}", torch.stack(rows))
        save(f"losses{d}", torch.stack(losses))
        save(f"values{d}", values)


# ---- traces ----

def torch_rule(make, weight=lambda k: 1.0):
    """A PyTorch optimiser; weight(k) is the factor of its learning rate at step k."""
    def trace(theta, gradient):
        t = theta.clone().requires_grad_()
        optimiser = make([t])
        base = optimiser.param_groups[0]["lr"]
        for k in range(50):
            optimiser.param_groups[0]["lr"] = base * weight(k)
            t.grad = gradient(t.detach())
            optimiser.step()
            yield t.detach().clone()
    return trace


def clipped(rule, limit):
    def trace(theta, gradient):
        def shorter(t):
            g = gradient(t)
            return g * min(1.0, limit / g.norm().item())
        return rule(theta, shorter)
    return trace


def sign_descent(rate):
    def trace(theta, gradient):
        for _ in range(50):
            theta = theta - rate * torch.sign(gradient(theta))
            yield theta
    return trace


def plain_adam(rate, b1=0.9, b2=0.999, eps=1e-3, correct=True, inside=False, from_gradient=False, momentum=True):
    """The variants PyTorch has not, from their formulas."""
    def trace(theta, gradient):
        m = v = torch.zeros_like(theta)
        for k in range(50):
            g = gradient(theta)
            if k == 0 and from_gradient:
                m, v = g, g * g
            m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g * g
            c1, c2 = (1 - b1 ** (k + 1), 1 - b2 ** (k + 1)) if correct else (1, 1)
            root = torch.sqrt(v / c2 + eps) if inside else torch.sqrt(v / c2) + eps
            theta = theta - rate * (m / c1 if momentum else g) / root
            yield theta
    return trace


def lion(rate, b1, b2, decay):
    def trace(theta, gradient):
        m = torch.zeros_like(theta)
        for _ in range(50):
            g = gradient(theta)
            theta = theta - rate * (torch.sign(b1 * m + (1 - b1) * g) + decay * theta)
            m = b2 * m + (1 - b2) * g
            yield theta
    return trace


def orthogonalised(x, iterations):
    x = x / x.norm()
    for _ in range(iterations):
        a = x @ x.T
        x = 3.4445 * x + (-4.775 * a + 2.0315 * a @ a) @ x
    return x


def muon(rate, adam_rate, momentum=0.0, decay=0.0, nesterov=True, match_rms=False, iterations=5):
    """The matrices of the network of the traces by Muon in float64, the biases by PyTorch's AdamW."""
    matrices = [(0, 2, 3), (9, 3, 1)]

    def trace(theta, gradient):
        rest = theta.clone().requires_grad_()
        adam = torch.optim.AdamW([rest], lr=adam_rate, weight_decay=decay)
        theta, m = theta.clone(), torch.zeros_like(theta)
        for _ in range(50):
            g = gradient(theta)
            m = momentum * m + (1 - momentum) * g
            rest.data, rest.grad = theta.clone(), g
            adam.step()
            new = rest.detach().clone()
            for at, n_in, n_out in matrices:
                part = slice(at, at + n_in * n_out)
                x = (momentum * m + (1 - momentum) * g if nesterov else m)[part].reshape(n_in, n_out)
                factor = 0.2 * math.sqrt(max(n_in, n_out)) if match_rms else math.sqrt(max(1, n_out / n_in))
                new[part] = (1 - rate * decay) * theta[part] - rate * factor * orthogonalised(x, iterations).flatten()
            theta = new
            yield theta
    return trace


def of_scheduler(make):
    """Factors of the learning rate as a scheduler of PyTorch gives them."""
    optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    scheduler = make(optimiser)
    rates = []
    for _ in range(50):
        rates.append(optimiser.param_groups[0]["lr"] / 0.1)
        optimiser.step()
        if len(rates) < 50:
            scheduler.step()
    return torch_rule(lambda p: torch.optim.SGD(p, lr=0.1), lambda k: rates[k])


def cosine_after_warmup(k, warmup=10, start=0.1, period=30, floor=0.05):
    if k <= warmup:
        return start + (1 - start) * k / warmup
    return floor + (1 - floor) * (1 + math.cos(math.pi * min(k - warmup, period) / period)) / 2


# The order of `optimisers` in traces.c.
OPTIMISERS = [
    torch_rule(lambda p: torch.optim.SGD(p, lr=0.1)),
    torch_rule(lambda p: torch.optim.SGD(p, lr=0.1, weight_decay=0.05)),
    torch_rule(lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9)),
    torch_rule(lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.8, dampening=0.8)),
    torch_rule(lambda p: torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True)),
    torch_rule(lambda p: torch.optim.Adam(p, lr=0.02)),
    torch_rule(lambda p: torch.optim.Adam(p, lr=0.02, betas=(0.8, 0.99), eps=1e-4, weight_decay=0.03)),
    torch_rule(lambda p: torch.optim.AdamW(p, lr=0.02, weight_decay=0.1)),
    torch_rule(lambda p: torch.optim.RMSprop(p, lr=0.01)),
    sign_descent(0.01),
    clipped(torch_rule(lambda p: torch.optim.SGD(p, lr=0.1)), 0.2),
    clipped(torch_rule(lambda p: torch.optim.AdamW(p, lr=0.02, weight_decay=0.1)), 0.2),
    plain_adam(0.02, correct=False),
    plain_adam(0.02, inside=True),
    plain_adam(0.02, from_gradient=True, correct=False),
    plain_adam(0.01, b2=0.99, from_gradient=True, correct=False, momentum=False),
    torch_rule(lambda p: torch.optim.SGD(p, lr=0.1), lambda k: 0.5 ** (k // 15)),
    torch_rule(lambda p: torch.optim.Adam(p, lr=0.02), cosine_after_warmup),
    torch_rule(lambda p: torch.optim.Adam(p, lr=0.02, amsgrad=True)),
    torch_rule(lambda p: torch.optim.AdamW(p, lr=0.02, weight_decay=0.1, amsgrad=True)),
    torch_rule(lambda p: torch.optim.Adamax(p, lr=0.02, weight_decay=0.03)),
    torch_rule(lambda p: torch.optim.NAdam(p, lr=0.02)),
    torch_rule(lambda p: torch.optim.NAdam(p, lr=0.02, betas=(0.8, 0.95), momentum_decay=0.1)),
    torch_rule(lambda p: torch.optim.RMSprop(p, lr=0.01, momentum=0.7)),
    torch_rule(lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.9, eps=1e-3, centered=True)),
    torch_rule(lambda p: torch.optim.RMSprop(p, lr=0.01, alpha=0.9, eps=1e-3, centered=True, momentum=0.5)),
    torch_rule(lambda p: torch.optim.Adagrad(p, lr=0.05)),
    torch_rule(lambda p: torch.optim.Adagrad(p, lr=0.05, initial_accumulator_value=0.2)),
    torch_rule(lambda p: torch.optim.Adadelta(p, lr=1.0)),
    lion(0.003, 0.9, 0.99, 0.1),
    muon(0.01, 0.02, momentum=0.9, decay=0.1),
    muon(0.01, 0.01, nesterov=False, match_rms=True, iterations=3),
    of_scheduler(lambda o: torch.optim.lr_scheduler.ExponentialLR(o, 0.9)),
    of_scheduler(lambda o: torch.optim.lr_scheduler.PolynomialLR(o, 40, 2)),
    of_scheduler(lambda o: torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(o, 4, 2, 0.01)),
    of_scheduler(lambda o: torch.optim.lr_scheduler.OneCycleLR(o, 0.1, 50, cycle_momentum=False)),
]


def make_traces(rng):
    widths = [2, 3, 1]
    x = torch.tensor(rng.standard_normal((4, 2)))
    y = torch.tensor(rng.standard_normal((4, 1)))
    theta = torch.tensor(0.8 * rng.standard_normal(parameters(widths)))
    forward = network(widths, torch.tanh)
    gradient = grad(lambda t: F.mse_loss(forward(t, x), y))
    save("trace_x", x)
    save("trace_y", y)
    save("trace_theta", theta)
    save("traces", torch.stack([torch.stack(list(rule(theta, gradient))) for rule in OPTIMISERS]))


if __name__ == "__main__":
    DATA.mkdir(exist_ok=True)
    generator = np.random.default_rng(20240607)
    make_curvature(generator)
    make_traces(generator)
