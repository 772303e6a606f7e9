# SPDX-License-Identifier: BSD-3-Clause
"""own_optimiser.py in PyTorch: an optimiser class, and SciPy's Lanczos on products with its preconditioner."""
import numpy as np
import torch
from scipy.sparse.linalg import LinearOperator, eigsh

from pair import agree, digits, ours, start

TAKE = {"start": "run.objective.model.views(run.objective.initial())", "losses": "run.history['loss']",
        "sharpness": "run['sharpness'].values[1:, 0]", "work": "run.step"}
# ---- program ----
x, y = digits()
x, y = torch.tensor(x), torch.tensor(np.eye(10)[y])
class AveragedSign(torch.optim.Optimizer):
    def __init__(self, parameters, lr):
        super().__init__(parameters, dict(lr=lr))
    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            for p in group["params"]:
                m = self.state[p].setdefault("m", torch.zeros_like(p))
                m.mul_(0.9).add_(p.grad, alpha=0.1)
                p.sub_(group["lr"] * (torch.sign(m) + 0.01 * p))
net = start(torch.nn.Sequential(torch.nn.Linear(64, 20), torch.nn.Tanh(), torch.nn.Linear(20, 10)).double())
parameters = list(net.parameters())
optimizer = AveragedSign(parameters, lr=1e-3)
def sharpness():
    slopes = torch.autograd.grad(((net(x) - y)**2).sum(1).mean(), parameters, create_graph=True)
    flat = torch.cat([s.flatten() for s in slopes])
    m = torch.cat([optimizer.state[p]["m"].flatten() for p in parameters])
    root = torch.sqrt(0.1 / 1.9 / (0.9 * m + 0.1 * flat.detach()).abs().clamp(min=1e-6))
    def product(v):
        parts = torch.autograd.grad(flat, parameters, root * torch.tensor(v.ravel()), retain_graph=True)
        return (root * torch.cat([p.flatten() for p in parts])).numpy()
    return eigsh(LinearOperator((len(flat),) * 2, product, dtype=float), 1, which="LA", tol=1e-6)[0][0]
losses, found = [], []
for step in range(60):
    if step in (20, 40):
        found.append(sharpness())
    optimizer.zero_grad()
    loss = ((net(x) - y)**2).sum(1).mean()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())
found.append(sharpness())

# ---- check ----
work = len(losses)
agree("losses", losses, ours["losses"][:60], rtol=1e-9)
agree("preconditioned sharpness", found[:2], ours["sharpness"][:2], rtol=1e-5)
