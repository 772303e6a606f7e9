# SPDX-License-Identifier: BSD-3-Clause
"""A small GPT on the bytes of a file never read whole: no decay for gains and biases, tokens per second, a sample."""
import os
import sys
import tempfile
import time

import numpy as np

import dyn

quick = "--quick" in sys.argv
folder = tempfile.TemporaryDirectory()
path = os.path.join(folder.name, "text")
with open(os.__file__, "rb") as source, open(path, "wb") as file:       # some 40 MB of Python
    text = source.read()
    for _ in range(40_000_000 // len(text)):
        file.write(text)

# ---- program ----
length, batch, steps = 128, 4 if quick else 32, 12 if quick else 2000
text = np.memmap(path, np.uint8, "r")
def blocks(number):
    starts = np.random.default_rng(number).integers(0, len(text) - length, batch)
    tokens = text[starts[:, None] + np.arange(length + 1)].astype(int)
    return tokens[:, :-1], tokens[:, 1:]
net = dyn.gpt(256, length, layers=2, heads=4, width=64, seed=1)
plain = {pattern: {"decay": 0} for pattern in ("*gain*", "*shift*", "*.b*")}
optimizer = dyn.AdamW(dyn.cosine(1e-3, steps).after_warmup(steps // 20), weight_decay=0.1, clip_norm=1.0, groups=plain)
run = dyn.Run(net, *blocks(0), "cross_entropy", optimizer, stream=blocks, dtype="float32", steps=steps)
start = time.perf_counter()
run.train()
speed = steps * batch * length / (time.perf_counter() - start)
rng, written = np.random.default_rng(0), np.zeros((1, length), int)
for place in range(8 if quick else length - 1):
    logits = net(run.theta, written)[0].reshape(length, 256)[place] / 0.8
    written[0, place + 1] = np.argmax(logits + rng.gumbel(size=256))
print(f"{speed:.0f} tokens/s, loss {run.history['loss'][-1]:.2f}:", bytes(written[0, 1:place + 2].astype(np.uint8)))

# ---- check: the loss is NumPy's; decay is where it should be; a stop in mid-stream changes no bit; names count ----
def loss_of(p, tokens, targets):
    def normed(x, name):
        shifted = x - x.mean(-1, keepdims=True)
        return shifted / np.sqrt((shifted**2).mean(-1, keepdims=True) + 1e-5) * p[name[0]] + p[name[1]]

    def softmax(s):
        e = np.exp(s - s.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)
    x = p["embedding"][tokens] + p["position"]
    for layer in ("layer1.", "layer2."):
        y = normed(x, (layer + "gain1", layer + "shift1"))
        q, k, v = ((y @ p[f"{layer}W{n}"] + p[f"{layer}b{n}"]).reshape(*tokens.shape, 4, 16).transpose(0, 2, 1, 3)
                   for n in "qkv")
        scores = q @ k.transpose(0, 1, 3, 2) / 4 + np.where(np.tri(length) > 0, 0, -1e9)
        heads = (softmax(scores) @ v).transpose(0, 2, 1, 3).reshape(x.shape)
        x = x + heads @ p[layer + "Wo"] + p[layer + "bo"]
        h = normed(x, (layer + "gain2", layer + "shift2")) @ p[layer + "W1"] + p[layer + "b1"]
        h = h / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (h + 0.044715 * h**3)))
        x = x + h @ p[layer + "W2"] + p[layer + "b2"]
    logits = normed(x, ("gain", "shift")) @ p["embedding"].T
    return -np.log(np.take_along_axis(softmax(logits), targets[..., None], -1)).mean()


x, y = blocks(0)
exact = dyn.Objective(net, x, y, loss="cross_entropy").value(run.theta)
assert abs(loss_of(net.views(run.theta), x, y) - exact) < 1e-10
assert run.history["loss"][-1] < run.history["loss"][0] and abs(run.history["loss"][0] - np.log(256)) < 0.2
half = dyn.Run(net, x, y, "cross_entropy", optimizer, stream=blocks, dtype="float32", steps=steps).train(steps // 3)
half.save(os.path.join(folder.name, "half.npz"))
again = dyn.Run.load(os.path.join(folder.name, "half.npz"), net, x, y, stream=blocks).train()
assert np.array_equal(again.theta, run.theta)
still = {n: net.views(net.initial())[n] for n in net.tensors}
decayed = dyn.Run(net, x, y, "cross_entropy", dyn.AdamW(1e-3, weight_decay=0.1, eps=1e30, groups=plain)).train(1)
for name, value in net.views(decayed.theta).items():
    spared = "gain" in name or "shift" in name or ".b" in name
    assert np.allclose(value, still[name] * (1 if spared else 1 - 1e-4), rtol=1e-12)
try:
    dyn.Run(net, x, y, "cross_entropy", dyn.AdamW(groups={"bias": {"decay": 0}}))
    raise AssertionError("a pattern that matches nothing was taken")
except dyn.Error as error:
    assert "bias" in str(error)
