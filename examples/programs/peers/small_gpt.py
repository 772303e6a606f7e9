# SPDX-License-Identifier: BSD-3-Clause
"""small_gpt.py in PyTorch: the same start and the same batches, so the same losses to single precision."""
import os
import tempfile
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from pair import agree, gpt_start as start, ours, quick

TAKE = {"losses": "run.history['loss']", "work": "steps",
        "start": "net.views(net.initial())"}
SIZE = "--quick"
path = tempfile.mktemp()
with open(os.__file__, "rb") as source, open(path, "wb") as file:       # the same file
    text = source.read()
    for _ in range(40_000_000 // len(text)):
        file.write(text)
# ---- program ----
length, batch, steps = 128, 4 if quick else 32, 12 if quick else 2000
text = np.memmap(path, np.uint8, "r")
def blocks(number):
    starts = np.random.default_rng(number).integers(0, len(text) - length, batch)
    tokens = torch.tensor(text[starts[:, None] + np.arange(length + 1)].astype(int))
    return tokens[:, :-1], tokens[:, 1:]
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
        a = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(a.transpose(1, 2).reshape(n, t, c))
        return x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))
class GPT(nn.Module):
    def __init__(self, vocabulary, length, layers, heads, width):
        super().__init__()
        self.embedding, self.position = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.blocks, self.norm = nn.Sequential(*(Block(width, heads) for _ in range(layers))), nn.LayerNorm(width)
    def forward(self, tokens):
        x = self.embedding(tokens) + self.position.weight[:tokens.shape[1]]
        return self.norm(self.blocks(x)) @ self.embedding.weight.T
net = GPT(256, length, layers=2, heads=4, width=64)
start(net)
decayed = [p for name, p in net.named_parameters() if p.ndim == 2]
plain = [p for name, p in net.named_parameters() if p.ndim == 1]
groups = [{"params": decayed, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}]
optimizer = torch.optim.AdamW(groups, lr=1e-3)
def rate(t):
    warm = steps // 20
    return (t + 1) / warm if t < warm else (1 + np.cos(np.pi * (t - warm) / (steps - warm))) / 2
schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate)
losses, begun = [], time.perf_counter()
for step in range(steps):
    x, y = blocks(step)
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x).flatten(0, 1), y.flatten())
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimizer.step()
    schedule.step()
    losses.append(loss.item())
speed = steps * batch * length / (time.perf_counter() - begun)
written = torch.zeros((1, length), dtype=torch.long)
with torch.no_grad():
    for place in range(8 if quick else length - 1):
        logits = net(written)[0, place] / 0.8
        written[0, place + 1] = torch.multinomial(F.softmax(logits, 0), 1)[0]
print(f"{speed:.0f} tokens/s, loss {losses[-1]:.2f}:", bytes(written[0].tolist()))

# ---- check ----
work = steps
agree("first loss", losses[0], ours["losses"][0], rtol=1e-5)
agree("losses", losses, ours["losses"][:len(losses)], rtol=5e-3)
os.remove(path)
