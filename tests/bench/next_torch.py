# SPDX-License-Identifier: BSD-3-Clause
"""PyTorch's side of the works to come, eager and with the model under torch.compile; fused optimisers."""
import torch
from torch.nn import functional

import next_data as n
from worker import show


def attention(p, i, x):
    batch, tokens, _ = x.shape
    qkv = functional.linear(x, p["%d.qkv" % i].T, p["%d.qkv.b" % i]).view(batch, tokens, 3, n.HEADS, n.HEAD)
    q, k, v = (qkv[:, :, j].transpose(1, 2) for j in range(3))
    mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    return functional.linear(mixed.transpose(1, 2).reshape(batch, tokens, -1), p["%d.mix" % i].T, p["%d.mix.b" % i])


def transformer_loss(p, tokens):
    x = p["embed"][tokens[:, :-1]] + p["position"]
    for i in range(n.LAYERS):
        x = functional.layer_norm(x + attention(p, i, x), (n.WIDTH,), p["%d.1g" % i], p["%d.1b" % i])
        inner = functional.relu(functional.linear(x, p["%d.up" % i].T, p["%d.up.b" % i]))
        x = functional.layer_norm(x + functional.linear(inner, p["%d.down" % i].T, p["%d.down.b" % i]), (n.WIDTH,),
                                  p["%d.2g" % i], p["%d.2b" % i])
    return functional.cross_entropy((x @ p["out"]).flatten(0, 1), tokens[:, 1:].reshape(-1))


def convolution_loss(p, x, y):
    x = x.permute(0, 3, 1, 2)
    for name in ("c1", "c2"):
        x = torch.tanh(functional.conv2d(x, p[name].permute(3, 2, 0, 1), p[name + ".b"], padding=1))
        x = functional.max_pool2d(x, 2)
    return functional.cross_entropy(x.permute(0, 2, 3, 1).flatten(1) @ p["out"] + p["out.b"], y)


def stepper(loss, optimizer_of, parameters, data, clip):
    def make(compiled):
        def ready():
            p = {name: torch.tensor(a, requires_grad=True) for name, a in parameters.items()}
            optimizer = optimizer_of(list(p.values()))
            value = torch.compile(loss) if compiled else loss

            def run(units):
                for _ in range(units):
                    optimizer.zero_grad(set_to_none=True)
                    run.loss = value(p, *data)
                    run.loss.backward()
                    if clip:
                        torch.nn.utils.clip_grad_norm_(p.values(), clip)
                    optimizer.step()
            return run
        return ready

    def check(run):
        run(3)
        show("loss", run.loss.item())
    return [("eager", make(False)), ("compiled", make(True))], check


def transformer(case):
    parameters, tokens = n.transformer(case("tokens", n.TOKENS))
    return stepper(transformer_loss, lambda p: torch.optim.AdamW(p, lr=1e-4, weight_decay=0.01, fused=True), parameters,
                   (torch.tensor(tokens),), 1.0)


def convolution(case):
    del case
    parameters, x, y = n.convolution()
    return stepper(convolution_loss, lambda p: torch.optim.Adam(p, lr=1e-3, fused=True), parameters,
                   (torch.tensor(x), torch.tensor(y)), None)


VERBS = {"transformer": transformer, "convolution": convolution}
