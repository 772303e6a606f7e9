# SPDX-License-Identifier: BSD-3-Clause
"""recurrent.py in PyTorch: the same arithmetic, so the same losses."""
import numpy as np
import torch
import torch.nn.functional as F

from pair import agree, ours, quick

TAKE = {"E": "net.views(net.initial())['E']", "W": "net.views(net.initial())['W']", "losses": "run.history['loss']",
        "work": "run.step"}
# ---- program ----
rng = np.random.default_rng(0)
V, T, d = 8, 12, 24
tokens, lengths = rng.integers(0, V, size=(256, T)), rng.integers(4, T + 1, size=256)
mask = torch.tensor((np.arange(T) < lengths[:, None]) & (np.arange(T) > 0))
targets, tokens = torch.tensor(np.roll(tokens, 1, axis=1)), torch.tensor(tokens)
class Recurrent(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.E, self.W = (torch.nn.Parameter(torch.tensor(ours[name])) for name in ("E", "W"))
    def forward(self, tokens):
        e, hidden = F.embedding(tokens, self.E), []
        for t in range(T):
            hidden.append(torch.tanh(e[:, t] + hidden[-1] @ self.W if t else e[:, t]))
        return torch.stack(hidden, 1) @ self.E.T
net = Recurrent()
optimizer = torch.optim.Adam(net.parameters(), lr=1e-2)
losses = []
for step in range(20 if quick else 400):
    optimizer.zero_grad()
    each = F.cross_entropy(net(tokens).flatten(0, 1), targets.flatten(), reduction="none").reshape(256, T)
    loss = (each * mask).mean()
    loss.backward()
    optimizer.step()
    losses.append(loss.item())

# ---- check ----
work = len(losses)
agree("losses of the first 20 steps", losses[:20], ours["losses"][:20], rtol=1e-10)
agree("last loss", losses[-1], ours["losses"][-1], atol=1e-3)
