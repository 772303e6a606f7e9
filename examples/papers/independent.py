# SPDX-License-Identifier: BSD-3-Clause
"""Numbers that claims are held against where the papers print none: the same experiments in NumPy and PyTorch, in
double precision, from the same starts, without the library's derivatives, optimisers and compiler.

usage: independent.py [parity | polynomial | neuron | hole ...]"""
import sys

import numpy as np

import dyn


def adam(torch, theta, loss, rate, steps, look):
    """Steps until look, which sees the loss before each, says that it is enough."""
    rule = torch.optim.Adam(theta, lr=rate)
    for step in range(steps):
        rule.zero_grad()
        value = loss()
        if look(step, value):
            break
        value.sum().backward()
        rule.step()


def parity():
    """parity_frequency.parity: |F(.3)| of all points, epoch 1000 over 200."""
    import torch
    x, y = dyn.data.parity(10)
    along = dyn.frequency.project(x, np.ones(10))
    X, Y, ratios = torch.tensor(x), torch.tensor(y).reshape(-1), []
    for seed in (1, 2, 3):
        train = np.random.default_rng(seed).permutation(1024)[:512]
        net = dyn.mlp([10, 1000, 1], "relu", seed=seed)
        w = [torch.tensor(v, requires_grad=True) for v in net.views(net.initial()).values()]
        names, seen = list(net.views(net.initial())), {}
        t = dict(zip(names, w))

        def output(x, t=t):
            return (torch.relu(x @ t["W1"] + t["b1"]) @ t["W2"] + t["b2"])[:, 0]

        def look(step, _, seen=seen, output=output):
            if step == 200:
                seen[200] = output(X).detach().numpy()
        adam(torch, w, lambda: ((output(X[train]) - Y[train])**2).mean(), 2e-4, 1000, look)
        ends = (seen[200], output(X).detach().numpy())
        middle, end = (abs(np.mean(f * np.exp(-.3j * along))) for f in ends)
        ratios.append(end / middle)
    print("parity: |F(.3)|, epoch 1000 over 200:", *np.round(ratios, 4))


def polynomial(steps=100000):
    """flat_minimum.diagram: share of (β₁, β₂) that converges just where β₁ < β₂^(k/(2(k-2))), in ln x, ω and λ^-2."""
    grid = np.linspace(.02, .98, 50)
    b1, b2 = np.meshgrid(grid, grid)
    for k in (4, 6):
        log_x, omega, room = np.zeros_like(b1), 1 - b1, np.ones_like(b1)        # room = λ^-2
        with np.errstate(all="ignore"):
            for _ in range(steps):
                ratio = 1 - 1e-3 * omega / np.sqrt(room)
                log_x += np.log(np.abs(ratio))
                omega = b1 * omega * ratio**-(k - 1.0) + 1 - b1
                room = b2 * room * ratio**-(2 * k - 4.0) + (1 - b2) * np.exp(2 * log_x)
        fell = k * log_x - np.log(k) < -100 * np.log(10)
        clear = abs(b1 - b2**(k / (2 * (k - 2)))) > 1e-9
        stable = b1 < b2**(k / (2 * (k - 2)))
        print("polynomial, k = %d: share as in theory, off the curve: %.4f, not finite: %d" % (
            k, (fell == stable)[clear].mean(), (~np.isfinite(log_x)).sum()))


def neuron(trials=15):
    """recovery.neuron: log10 of the median test error of tanh(x + 1) by 2 and 20 neurons, from n samples."""
    import torch
    for width in (2, 20):
        found = []
        for n in (2, 3, 5):
            data = [np.random.default_rng(t).uniform(-1, 1, (1000 + n, 1)) for t in range(trials)]
            nets = [dyn.mlp([1, width, 1], init=dyn.init.normal(1e-12), seed=t, output_bias=False)
                    for t in range(trials)]
            t = {name: torch.tensor(np.stack([net.views(net.initial())[name] for net in nets]), requires_grad=True)
                 for name in ("W1", "b1", "W2")}
            x = torch.tensor(np.stack(data))
            kept = {}

            def output(x, t=t):
                return torch.tanh(x @ t["W1"] + t["b1"][:, None]) @ t["W2"]

            def look(_, values, kept=kept, x=x, n=n, output=output, t=t):
                for i in np.flatnonzero(values.detach().numpy() <= 1e-8):
                    if i not in kept:
                        kept[i] = ((output(x[i:i + 1, n:], {k: v[i:i + 1] for k, v in t.items()})
                                    - torch.tanh(x[i, n:] + 1))**2).mean().item()
                return len(kept) == trials
            few = x[:, :n]
            adam(torch, list(t.values()), lambda: ((output(few) - torch.tanh(few + 1))**2).mean((1, 2)), .1, 10000,
                 look)
            last = ((output(x) - torch.tanh(x + 1))[:, n:]**2).mean((1, 2)).detach().numpy()
            found.append(np.log10(np.median([kept.get(i, last[i]) for i in range(trials)])))
        print("neuron, width %d: log10 of the median error, n = 2, 3, 5:" % width, *np.round(found, 3), flush=True)


def hole(starts=24):
    """completion.connected, holes 5 and 15: log10 σ_4 of what many starts of variance 1e-8, 1e-10 learn, at once."""
    M = dyn.data.matrix("M6") / 10
    for at, variance in ((5, 1e-8), (15, 1e-8), (15, 1e-10)):
        seen, R = (np.arange(16) != at).reshape(4, 4), np.random.default_rng(7)
        A, B = (variance**.5 * R.normal(size=(starts, 4, 4)) for _ in range(2))
        fourth = np.full(starts, np.nan)
        while np.isnan(fourth).any():
            off = seen * (A @ B - M)
            ends = ((off**2).sum((1, 2)) < 15e-14) & np.isnan(fourth)
            if ends.any():
                fourth[ends] = np.linalg.svd(A[ends] @ B[ends], compute_uv=False)[:, 3]
            A, B = A - .1 / 15 * off @ np.swapaxes(B, 1, 2), B - .1 / 15 * np.swapaxes(A, 1, 2) @ off
        print("hole %d, variance %g: log10 σ_4: %.2f ± %.2f, share up to 1e-8: %.2f" % (
            at, variance, np.log10(fourth).mean(), np.log10(fourth).std(), (fourth <= 1e-8).mean()))


if __name__ == "__main__":
    for name in sys.argv[1:] or ("parity", "polynomial", "neuron", "hole"):
        {"parity": parity, "polynomial": polynomial, "neuron": neuron, "hole": hole}[name]()
