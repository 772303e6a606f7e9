# SPDX-License-Identifier: BSD-3-Clause
"""PyTorch's side of decoders, attention and the convolutional network, eager and with the model under torch.compile; fused
optimisers."""
import functools

import torch
from torch.nn import functional

import next_data as n
from worker import show


def qkv_of(net, p, i, x):
    """Queries, keys and values [batch, heads, tokens, key]; of one product or of three."""
    batch, tokens, _ = x.shape
    if "%d.qkv" % i in p:
        y = functional.linear(x, p["%d.qkv" % i].T, p["%d.qkv.b" % i]).view(batch, tokens, 3, net.heads, net.key)
        return [y[:, :, j].transpose(1, 2) for j in range(3)]
    return [functional.linear(x, p["%d.W%s" % (i, name)].T, p["%d.b%s" % (i, name)])
            .view(batch, tokens, net.heads, net.key).transpose(1, 2) for name in "qkv"]


def attention(net, p, i, x):
    batch, tokens, _ = x.shape
    q, k, v = qkv_of(net, p, i, x)
    if net.double:
        score = (q @ k.transpose(2, 3) / net.key ** 0.5).masked_fill(net.hidden[:tokens, :tokens], -1e9)
        mixed = score.softmax(-1) @ v                       # what has a second derivative
    else:
        mixed = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    return functional.linear(mixed.transpose(1, 2).reshape(batch, tokens, -1), p["%d.Wo" % i].T, p["%d.bo" % i])


def feed_forward(net, p, i, x):
    inner = functional.linear(x, p["%d.W1" % i].T, p["%d.b1" % i])
    inner = functional.gelu(inner, approximate="tanh") if net.pre else functional.relu(inner)
    return functional.linear(inner, p["%d.W2" % i].T, p["%d.b2" % i])


def decoder_loss(net, p, tokens):
    def norm(x, name):
        return functional.layer_norm(x, (net.width,), p["%sgain%s" % name], p["%sshift%s" % name])
    x = p["embedding"][tokens[:, :-1]] + p["position"]
    for i in range(net.layers):
        for number, block in (("1", attention), ("2", feed_forward)):
            name = ("%d." % i, number)
            x = x + block(net, p, i, norm(x, name)) if net.pre else norm(x + block(net, p, i, x), name)
    logits = norm(x, ("", "")) @ p["embedding"].T if net.pre else x @ p["W"]
    return functional.cross_entropy(logits.flatten(0, 1), tokens[:, 1:].reshape(-1))


def convolution_loss(p, x, y):
    x = x.permute(0, 3, 1, 2)
    for name in ("c1", "c2"):
        x = torch.tanh(functional.conv2d(x, p[name].permute(3, 2, 0, 1), p[name + ".b"], padding=1))
        x = functional.max_pool2d(x, 2)
    return functional.cross_entropy(x.permute(0, 2, 3, 1).flatten(1) @ p["out"] + p["out.b"], y)


def stepper(loss, optimizer_of, parameters, data, clip, check_steps):
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
            run.p = p
            return run
        return ready

    def check(run):
        run(check_steps)
        show("loss", loss(run.p, *data).item())
        show("theta_norm", float(torch.cat([t.detach().double().ravel() for t in run.p.values()]).norm()))
    return [("eager", make(False)), ("compiled", make(True))], check


def made(case, double=False):
    """A decoder and its tokens; double: for second derivatives."""
    net = n.Decoder(case)
    net.double, net.hidden = double, torch.ones(net.length, net.length, dtype=torch.bool).triu(1)
    return net, torch.tensor(net.tokens())


def decoder(case):
    net, tokens = made(case)
    return stepper(functools.partial(decoder_loss, net),
                   lambda p: torch.optim.AdamW(p, lr=case("rate", 1e-3), weight_decay=0.01, fused=True),
                   net.parameters(), (tokens,), case("clip", 0.0), case("check", 3))


def flat_loss(case):
    """The loss as a function of theta, which can be differentiated twice."""
    if case("model", "") == "cnn":
        net = n.Convolution(case)
        x, y = map(torch.tensor, net.data())
        return lambda theta: convolution_loss(net.split(theta), x, y)
    net, tokens = made(case, True)
    return lambda theta: decoder_loss(net, net.split(theta), tokens)


def attention_alone(case):
    shape = [case(key, default) for key, default in
             (("samples", 1), ("heads", 8), ("length", 512), ("key_width", 64))]
    q, k, v, w = (torch.tensor(case.array(name).reshape(shape)) for name in "qkvw")
    parameters = [t.requires_grad_() for t in (q, k, v)]

    def run(units):
        for _ in range(units):
            y = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            run.gradients = torch.autograd.grad(y, parameters, w * y.detach())

    def check(run):
        run(1)
        show("gradient_norm", float(torch.cat([g.double().ravel() for g in run.gradients]).norm()))
    return [("flash", lambda: run)], check


def convolution(case):
    net = n.Convolution(case)
    return stepper(convolution_loss, lambda p: torch.optim.Adam(p, lr=1e-3, fused=True), net.parameters(),
                   tuple(map(torch.tensor, net.data())), None, case("check", 3))


def train(case):
    return (convolution if case("model", "") == "cnn" else decoder)(case)


VERBS = {"train": train, "attention": attention_alone}
