# SPDX-License-Identifier: BSD-3-Clause
"""PyTorch's modules that the families equal, as their users write them, by PyTorch alone."""
import torch
from torch import nn
from torch.nn import functional as F


class Basic(nn.Module):
    """The block of ResNet-18, with the names of torchvision."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs)
        self.conv2, self.bn2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs)
        self.downsample = None
        if stride != 1 or inputs != outputs:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + (x if self.downsample is None else self.downsample(x)))


class ResNet(nn.Module):
    """Two stages; large begins as torchvision's does."""

    def __init__(self, inputs, base, outputs, large=False):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, base, 7 if large else 3, 2 if large else 1, 3 if large else 1, bias=False)
        self.bn1, self.large = nn.BatchNorm2d(base), large
        self.layer1 = nn.Sequential(Basic(base, base, 1), Basic(base, base, 1))
        self.layer2 = nn.Sequential(Basic(base, 2 * base, 2))
        self.fc = nn.Linear(2 * base, outputs)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        x = F.max_pool2d(x, 3, 2, 1) if self.large else x
        return self.fc(self.layer2(self.layer1(x)).mean((2, 3)))


class Convolutional(nn.Module):
    """features and classifier, as torchvision's AlexNet and VGG."""

    def __init__(self, features, classifier):
        super().__init__()
        self.features, self.classifier = features, classifier

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class Conv1D(nn.Module):
    """x W + b with W [in, out]: the layer of the package transformers' GPT-2."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight, self.bias = nn.Parameter(torch.randn(inputs, outputs) / 4), nn.Parameter(torch.randn(outputs) / 4)

    def forward(self, x):
        return x @ self.weight + self.bias


def attended(q, k, v):
    """Causal attention of [n, heads, T, d]."""
    T = q.shape[-2]
    scores = (q @ k.transpose(-1, -2) / q.shape[-1]**0.5).masked_fill(~torch.ones(T, T, dtype=torch.bool).tril(), -torch.inf)
    return (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)


def heads(x, count):
    return x.unflatten(-1, (count, -1)).transpose(1, 2)


class GPT2(nn.Module):
    """The names and layouts of GPT2LMHeadModel."""

    class Attention(nn.Module):
        def __init__(self, width, count):
            super().__init__()
            self.c_attn, self.c_proj, self.count = Conv1D(width, 3 * width), Conv1D(width, width), count

        def forward(self, x):
            return self.c_proj(attended(*(heads(y, self.count) for y in self.c_attn(x).chunk(3, -1))))

    class Block(nn.Module):
        def __init__(self, width, count):
            super().__init__()
            self.ln_1, self.attn, self.ln_2 = nn.LayerNorm(width), GPT2.Attention(width, count), nn.LayerNorm(width)
            self.mlp = nn.ModuleDict(dict(c_fc=Conv1D(width, 4 * width), c_proj=Conv1D(4 * width, width)))

        def forward(self, x):
            x = x + self.attn(self.ln_1(x))
            return x + self.mlp.c_proj(F.gelu(self.mlp.c_fc(self.ln_2(x)), approximate="tanh"))

    def __init__(self, vocabulary, length, layers, count, width):
        super().__init__()
        self.transformer = nn.ModuleDict(dict(
            wte=nn.Embedding(vocabulary, width), wpe=nn.Embedding(length, width),
            h=nn.ModuleList([GPT2.Block(width, count) for _ in range(layers)]), ln_f=nn.LayerNorm(width)))
        self.lm_head = nn.Linear(width, vocabulary, bias=False)
        self.lm_head.weight = self.transformer.wte.weight

    def forward(self, tokens):
        x = self.transformer.wte(tokens) + self.transformer.wpe(torch.arange(tokens.shape[1]))
        for block in self.transformer.h:
            x = block(x)
        return self.lm_head(self.transformer.ln_f(x))


def rotated(x):
    """Rotary positions, halves paired."""
    T, d = x.shape[-2:]
    angle = torch.arange(T)[:, None] * 10000.0 ** (-torch.arange(0, d, 2).double() / d)
    c, s = torch.cat([angle.cos()] * 2, -1), torch.cat([angle.sin()] * 2, -1)
    return x * c + torch.cat([-x[..., d // 2:], x[..., :d // 2]], -1) * s


class Llama(nn.Module):
    """The names of LlamaForCausalLM, with fewer heads of keys than of queries."""

    class Block(nn.Module):
        def __init__(self, width, count, few, hidden):
            super().__init__()
            self.count, self.few, d = count, few, width // count
            self.self_attn = nn.ModuleDict({f"{name}_proj": nn.Linear(width, d * n, bias=False) for name, n in
                                            (("q", count), ("k", few), ("v", few), ("o", count))})
            self.mlp = nn.ModuleDict(dict(gate_proj=nn.Linear(width, hidden, bias=False),
                                          up_proj=nn.Linear(width, hidden, bias=False),
                                          down_proj=nn.Linear(hidden, width, bias=False)))
            self.input_layernorm = nn.RMSNorm(width, eps=1e-5)
            self.post_attention_layernorm = nn.RMSNorm(width, eps=1e-5)

        def forward(self, x):
            y, a = self.input_layernorm(x), self.self_attn
            q = rotated(heads(a.q_proj(y), self.count))
            k, v = rotated(heads(a.k_proj(y), self.few)), heads(a.v_proj(y), self.few)
            k, v = (t.repeat_interleave(self.count // self.few, 1) for t in (k, v))
            x = x + a.o_proj(attended(q, k, v))
            y = self.post_attention_layernorm(x)
            return x + self.mlp.down_proj(F.silu(self.mlp.gate_proj(y)) * self.mlp.up_proj(y))

    def __init__(self, vocabulary, layers, count, few, width, hidden):
        super().__init__()
        self.model = nn.ModuleDict(dict(
            embed_tokens=nn.Embedding(vocabulary, width), norm=nn.RMSNorm(width, eps=1e-5),
            layers=nn.ModuleList([Llama.Block(width, count, few, hidden) for _ in range(layers)])))
        self.lm_head = nn.Linear(width, vocabulary, bias=False)

    def forward(self, tokens):
        x = self.model.embed_tokens(tokens)
        for block in self.model.layers:
            x = block(x)
        return self.lm_head(self.model.norm(x))


class Decoder(nn.Module):
    """nn.TransformerEncoderLayer with a causal mask, logits of the last place."""

    def __init__(self, vocabulary, length, layers, count, width, hidden):
        super().__init__()
        self.embedding, self.position = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.layers = nn.ModuleList([nn.TransformerEncoderLayer(width, count, hidden, 0.0, batch_first=True)
                                     for _ in range(layers)])
        self.output = nn.Linear(width, vocabulary)

    def forward(self, tokens):
        T = tokens.shape[1]
        x = self.embedding(tokens) + self.position(torch.arange(T))
        mask = nn.Transformer.generate_square_subsequent_mask(T, dtype=torch.float64)
        for layer in self.layers:
            x = layer(x, src_mask=mask, is_causal=True)
        return self.output(x[:, -1])


class Paper(nn.Module):
    """The post-norm decoder of arXiv 2401.08309, whose heads have a size of their own."""

    class Layer(nn.Module):
        def __init__(self, width, inner, hidden, count):
            super().__init__()
            sizes = {"q": (width, inner), "k": (width, inner), "v": (width, inner), "out": (inner, width)}
            self.self_attn = nn.ModuleDict({f"{n}_proj": nn.Linear(*s, bias=False) for n, s in sizes.items()})
            self.linear1, self.linear2 = nn.Linear(width, hidden, bias=False), nn.Linear(hidden, width, bias=False)
            self.norm1, self.norm2, self.count = nn.LayerNorm(width), nn.LayerNorm(width), count

        def forward(self, x):
            a = self.self_attn
            q, k, v = (heads(f(x), self.count) for f in (a.q_proj, a.k_proj, a.v_proj))
            x = self.norm1(x + a.out_proj(attended(q, k, v)))
            return self.norm2(x + self.linear2(F.relu(self.linear1(x))))

    def __init__(self, vocabulary, length, layers, count, width, key_width, hidden):
        super().__init__()
        self.embedding, self.position = nn.Embedding(vocabulary, width), nn.Embedding(length, width)
        self.layers = nn.ModuleList([Paper.Layer(width, count * key_width, hidden, count) for _ in range(layers)])
        self.output = nn.Linear(width, vocabulary)

    def forward(self, tokens):
        x = self.embedding(tokens) + self.position(torch.arange(tokens.shape[1]))
        for layer in self.layers:
            x = layer(x)
        return self.output(x[:, -1])


class Recurrent(nn.Module):
    """Recurrent layers and a linear output of the last place."""

    def __init__(self, cell, inputs, width, layers, outputs, vocabulary=0):
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, inputs) if vocabulary else nn.Identity()
        self.rnn, self.output = cell(inputs, width, layers, batch_first=True), nn.Linear(width, outputs)
        if vocabulary == outputs and inputs == width:
            self.output.weight = self.embedding.weight

    def forward(self, x):
        return self.output(self.rnn(self.embedding(x))[0][:, -1])


class Matrix(nn.Sequential):
    """Entries of a product of matrices: a row by its number, times the others, of which a column is taken."""

    def forward(self, entry):
        columns = self[-1].out_features
        return super().forward(entry // columns).gather(1, (entry % columns)[:, None])


class Tensor(nn.ModuleList):
    """Entries of a sum of outer products."""

    def forward(self, entry):
        product = 1
        for table in reversed(self):
            product = product * table(entry % table.num_embeddings)
            entry = entry // table.num_embeddings
        return product.sum(1, keepdim=True)


class Antisymmetric(nn.ModuleList):
    """The difference of two equal networks."""

    def forward(self, x):
        return self[0](x) - self[1](x)


class Polynomial(nn.Linear):
    """A linear layer of the powers x, x^2, x^3."""

    def forward(self, x):
        return super().forward(torch.cat([x, x**2, x**3], 1))


class Diagonal(nn.Module):
    """sum_j a1_j a2_j x_j"""

    def __init__(self, inputs):
        super().__init__()
        self.a1, self.a2 = nn.Parameter(torch.randn(1, inputs)), nn.Parameter(torch.randn(1, inputs))

    def forward(self, x):
        return (x * self.a1 * self.a2).sum(1, keepdim=True)


def features(*channels, norm=False, inputs=2):
    """Convolutions, 0 for a pooling."""
    parts = []
    for c in channels:
        if c:
            parts += [nn.Conv2d(inputs, c, 3, padding=1, bias=not norm), *[nn.BatchNorm2d(c)] * norm, nn.ReLU()]
            inputs = c
        else:
            parts.append(nn.MaxPool2d(2))
    return nn.Sequential(*parts)
