# SPDX-License-Identifier: BSD-3-Clause
"""attention_maps.py in PyTorch: attention is written out, so that the map can be kept; the same arithmetic."""
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from pair import agree, gpt_start as start, ours

TAKE = {"start": "net.views(net.initial())", "maps": "maps", "slopes": "slopes", "work": "run.step"}
# ---- program ----
rng, length = np.random.default_rng(0), 12
text = torch.tensor(np.cumsum(rng.integers(1, 3, (64, length + 1)), axis=1) % 16)
class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.norm1, self.norm2, self.heads = nn.LayerNorm(width), nn.LayerNorm(width), heads
        self.query, self.key, self.value = nn.Linear(width, width), nn.Linear(width, width), nn.Linear(width, width)
        self.out, self.up, self.down = nn.Linear(width, width), nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
    def forward(self, x):
        n, t, c = x.shape
        h = self.norm1(x)
        q, k, v = (f(h).view(n, t, self.heads, -1).transpose(1, 2) for f in (self.query, self.key, self.value))
        scores = q @ k.transpose(2, 3) / (c // self.heads)**0.5
        hidden = torch.triu(torch.ones(t, t, dtype=torch.bool), 1)
        self.map = F.softmax(scores.masked_fill(hidden, float("-inf")), -1)
        x = x + self.out((self.map @ v).transpose(1, 2).reshape(n, t, c))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))
class GPT(nn.Module):
    def __init__(self, vocabulary, length, layers, heads, width):
        super().__init__()
        self.embedding, self.position = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.blocks, self.norm = nn.Sequential(*(Block(width, heads) for _ in range(layers))), nn.LayerNorm(width)
    def forward(self, tokens):
        x = self.embedding(tokens) + self.position.weight[:tokens.shape[1]]
        return self.norm(self.blocks(x)) @ self.embedding.weight.T
net = GPT(16, length, layers=2, heads=2, width=16).double()
start(net)
optimizer = torch.optim.Adam(net.parameters(), lr=3e-3)
maps, slopes = [], []
for step in range(201):
    loss = F.cross_entropy(net(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten())
    if step in (0, 50, 200):
        attention = net.blocks[1].map
        slope = torch.autograd.grad(loss, attention, retain_graph=True)[0]
        maps.append(attention[:, 0].detach())
        slopes.append(slope[:, 0])
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

# ---- check ----
work = step + 1
agree("maps at steps 0 and 50", torch.stack(maps[:2]), ours["maps"][:2], atol=1e-7)
agree("maps at step 200", torch.stack(maps), ours["maps"], atol=1e-5)
agree("the loss's gradient by them", torch.stack(slopes[:2]), ours["slopes"][:2], rtol=1e-7)
