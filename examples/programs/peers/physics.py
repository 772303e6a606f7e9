# SPDX-License-Identifier: BSD-3-Clause
"""physics.py in PyTorch: derivatives by torch.func, its L-BFGS for 3000 steps, a third of ours, its dense Hessian."""
import numpy as np
import torch
from torch.func import functional_call, grad, hessian, vmap

from pair import agree, ours, start

TAKE = {"start": "u.views(u.initial())", "end": "u.views(run.theta)", "values": "values",
        "loss": "physics.value(run.theta)", "terms": "list(physics.term_values(run.theta).values())",
        "work": "run.step"}
# ---- program ----
u = start(torch.nn.Sequential(torch.nn.Linear(1, 10), torch.nn.Tanh(), torch.nn.Linear(10, 1)).double())
inside, zero = torch.linspace(0, 2, 30).double(), torch.zeros(()).double()
def value(theta, t):
    return functional_call(u, theta, t.reshape(1, 1))[0, 0]
slope = grad(value, 1)
bend = grad(slope, 1)
def terms(theta):
    residual = vmap(bend, (None, 0))(theta, inside) + vmap(value, (None, 0))(theta, inside)
    return (residual**2).mean(), value(theta, zero)**2, (slope(theta, zero) - 1)**2
def loss(theta):
    equation, begin, steep = terms(theta)
    return equation + begin + 2 * steep
optimizer = torch.optim.LBFGS(u.parameters(), max_iter=3_000, max_eval=10_000, history_size=50, tolerance_grad=1e-10,
                              tolerance_change=0, line_search_fn="strong_wolfe")
def closure():
    optimizer.zero_grad()
    found = loss(dict(u.named_parameters()))
    found.backward()
    return found
optimizer.step(closure)
def flat_loss(flat):
    parts = flat.split([p.numel() for p in u.parameters()])
    return loss({name: part.reshape(p.shape) for part, (name, p) in zip(parts, u.named_parameters())})
values = torch.linalg.eigvalsh(hessian(flat_loss)(torch.nn.utils.parameters_to_vector(u.parameters()).detach()))

# ---- check ----
work = optimizer.state[next(u.parameters())]["n_iter"]
agree("final loss, both near 0", loss(dict(u.named_parameters())), ours["loss"], atol=1e-5)
start(u, "end")
found = [v.item() for v in terms(dict(u.named_parameters()))]
agree("terms at our parameters", found, ours["terms"], rtol=1e-9, atol=1e-16)
dense = torch.linalg.eigvalsh(hessian(flat_loss)(torch.nn.utils.parameters_to_vector(u.parameters()).detach()))
agree("all eigenvalues at our parameters", dense, np.sort(ours["values"]), rtol=1e-8)
