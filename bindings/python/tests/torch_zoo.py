# SPDX-License-Identifier: BSD-3-Clause
"""Networks as people write them in PyTorch, each with samples: what a stranger would hand to dyn.from_torch."""
import math

import torch
from torch import nn
from torch.nn import functional as F

N = 3


def numbers(*shape):
    return torch.randn(N, *shape, dtype=torch.float64)


def tokens(length, vocabulary):
    return torch.randint(1, vocabulary, (N, length))


# ---- language models ----

class SelfAttention(nn.Module):
    """nanoGPT's, by the fused operation or by hand with a mask in a buffer."""

    def __init__(self, width, heads, length, fused):
        super().__init__()
        self.c_attn, self.c_proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.attn_dropout, self.resid_dropout = nn.Dropout(0.1), nn.Dropout(0.1)
        self.heads, self.width, self.fused = heads, width, fused
        self.register_buffer("bias", torch.tril(torch.ones(length, length)).view(1, 1, length, length))

    def forward(self, x):
        B, T, C = x.size()
        q, k, v = (t.view(B, T, self.heads, C // self.heads).transpose(1, 2) for t in self.c_attn(x).split(self.width, dim=2))
        if self.fused:
            y = F.scaled_dot_product_attention(q, k, v, attn_mask=None, dropout_p=0.1 * self.training, is_causal=True)
        else:
            att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
            att = att.masked_fill(self.bias[:, :, :T, :T] == 0, float("-inf"))
            y = self.attn_dropout(F.softmax(att, dim=-1)) @ v
        return self.resid_dropout(self.c_proj(y.transpose(1, 2).contiguous().view(B, T, C)))


class Block(nn.Module):
    def __init__(self, width, heads, length, fused):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width, bias=False), nn.LayerNorm(width)
        self.attn = SelfAttention(width, heads, length, fused)
        self.mlp = nn.ModuleDict(dict(c_fc=nn.Linear(width, 4 * width), gelu=nn.GELU(), c_proj=nn.Linear(4 * width, width)))

    def forward(self, x):
        x = x + self.attn(self.ln_1(x))
        return x + self.mlp.c_proj(self.mlp.gelu(self.mlp.c_fc(self.ln_2(x))))


class NanoGPT(nn.Module):
    """Logits and no loss, as in inference; tied weights."""

    def __init__(self, fused):
        super().__init__()
        self.wte, self.wpe, self.drop = nn.Embedding(13, 8), nn.Embedding(6, 8), nn.Dropout(0.1)
        self.h, self.ln_f = nn.ModuleList([Block(8, 2, 6, fused) for _ in range(2)]), nn.LayerNorm(8)
        self.lm_head = nn.Linear(8, 13, bias=False)
        self.wte.weight = self.lm_head.weight

    def forward(self, idx, targets=None):
        pos = torch.arange(0, idx.size(1), dtype=torch.long, device=idx.device)
        x = self.drop(self.wte(idx) + self.wpe(pos))
        for block in self.h:
            x = block(x)
        loss = None if targets is None else F.cross_entropy(self.lm_head(x).flatten(0, 1), targets.flatten())
        return self.lm_head(self.ln_f(x)[:, [-1], :]), loss


class Rotary(nn.Module):
    """RMS norm, rotary positions and grouped heads by hand."""

    def __init__(self):
        super().__init__()
        self.gain, self.q, self.k = nn.Parameter(torch.ones(8)), nn.Linear(8, 8, bias=False), nn.Linear(8, 4, bias=False)
        self.register_buffer("inverse", 1.0 / (10000 ** (torch.arange(0, 4, 2).double() / 4)))

    def turned(self, x):
        angle = torch.outer(torch.arange(x.shape[2], device=x.device).double(), self.inverse)
        angle = torch.cat((angle, angle), -1)
        return x * angle.cos() + torch.cat((-x[..., 2:], x[..., :2]), -1) * angle.sin()

    def forward(self, x):
        h = x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * self.gain
        q = self.turned(self.q(h).view(*x.shape[:2], 2, 4).transpose(1, 2))
        k = self.turned(self.k(h).view(*x.shape[:2], 1, 4).transpose(1, 2)).repeat_interleave(2, dim=1)
        return F.scaled_dot_product_attention(q, k, k, is_causal=True).transpose(1, 2).reshape(x.shape)


class Translator(nn.Module):
    """nn.Transformer: encoder, decoder, cross-attention."""

    def __init__(self):
        super().__init__()
        self.source, self.target, self.out = nn.Embedding(11, 8), nn.Embedding(11, 8), nn.Linear(8, 11)
        self.transformer = nn.Transformer(8, 2, 1, 1, 16, 0.1, batch_first=True)

    def forward(self, x):
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1], dtype=torch.float64)
        return self.out(self.transformer(self.source(x), self.target(x), tgt_mask=mask))


class Cross(nn.Module):
    """Cross-attention whose keys and values have sizes of their own."""

    def __init__(self):
        super().__init__()
        self.attend = nn.MultiheadAttention(6, 2, kdim=4, vdim=5, dropout=0.1, batch_first=True, add_bias_kv=False)
        self.more = nn.MultiheadAttention(6, 3, batch_first=True, add_bias_kv=True, add_zero_attn=True)
        self.k, self.v = nn.Linear(6, 4), nn.Linear(6, 5)

    def forward(self, x):
        y = self.attend(x, self.k(x), self.v(x), need_weights=False)[0]
        return self.more(y, x, x, key_padding_mask=torch.tensor([[False] * 4 + [True]]).expand(x.shape[0], 5))[0]


# ---- images ----

class ViT(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches, self.head = nn.Conv2d(3, 8, 4, 4), nn.Linear(8, 3)
        self.token, self.position = nn.Parameter(torch.zeros(1, 1, 8)), nn.Parameter(torch.randn(1, 5, 8))
        layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, activation="gelu", batch_first=True, norm_first=True)
        self.encoder = nn.TransformerEncoder(layer, 2)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.token.expand(x.shape[0], -1, -1), x), dim=1) + self.position
        return self.head(self.encoder(x)[:, 0])


class Mixer(nn.Module):
    class Layer(nn.Module):
        def __init__(self, places, width):
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
            self.places = nn.Sequential(nn.Linear(places, 7), nn.GELU(), nn.Linear(7, places))
            self.channels = nn.Sequential(nn.Linear(width, 9), nn.GELU(), nn.Linear(9, width))

        def forward(self, x):
            x = x + self.places(self.norm1(x).transpose(1, 2)).transpose(1, 2)
            return x + self.channels(self.norm2(x))

    def __init__(self):
        super().__init__()
        self.patches, self.layers = nn.Conv2d(3, 6, 4, stride=4), nn.Sequential(Mixer.Layer(4, 6), Mixer.Layer(4, 6))
        self.head = nn.Linear(6, 3)

    def forward(self, x):
        return self.head(self.layers(self.patches(x).flatten(2).transpose(1, 2)).mean(dim=1))


class Double(nn.Sequential):
    def __init__(self, inputs, outputs):
        super().__init__(nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class UNet(nn.Module):
    def __init__(self, up):
        super().__init__()
        self.begin, self.down, self.up = Double(1, 4), nn.Sequential(nn.MaxPool2d(2), Double(4, 8)), up
        self.joined, self.out = Double(12, 4), nn.Conv2d(4, 2, 1)

    def forward(self, x):
        first = self.begin(x)
        up = self.up(self.down(first))
        dy, dx = first.size(2) - up.size(2), first.size(3) - up.size(3)
        up = F.pad(up, [dx // 2, dx - dx // 2, dy // 2, dy - dy // 2])
        return self.out(self.joined(torch.cat([first, up], dim=1)))


class Bottleneck(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(4, 2, 1, bias=False), nn.BatchNorm2d(2)
        self.conv2, self.bn2 = nn.Conv2d(2, 2, 3, padding=2, dilation=2, bias=False), nn.BatchNorm2d(2)
        self.conv3, self.bn3, self.relu = nn.Conv2d(2, 4, 1, bias=False), nn.BatchNorm2d(4), nn.ReLU(inplace=True)

    def forward(self, x):
        out = self.relu(self.bn2(self.conv2(self.relu(self.bn1(self.conv1(x))))))
        out = self.bn3(self.conv3(out))
        out += x
        return self.relu(out)


class Inverted(nn.Module):
    """MobileNet's block, with squeeze and excitation."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(4, 8, 1, bias=False), nn.BatchNorm2d(8), nn.ReLU6(inplace=True),
                                  nn.Conv2d(8, 8, 3, 1, 1, groups=8, bias=False), nn.Hardswish(), nn.Conv2d(8, 4, 1))
        self.excite = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 2, 1), nn.SiLU(), nn.Conv2d(2, 4, 1), nn.Sigmoid())

    def forward(self, x):
        y = self.body(x)
        return x + y * self.excite(y)


class DenseNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Sequential(nn.BatchNorm2d(4 + 2 * i), nn.ReLU(), nn.Conv2d(4 + 2 * i, 2, 3, padding=1))
                                     for i in range(3)])
        self.drop, self.pool, self.head = nn.Dropout2d(0.2), nn.AvgPool2d(2), nn.Linear(10, 3)

    def forward(self, x):
        found = [x]
        for layer in self.layers:
            found.append(layer(torch.cat(found, 1)))
        x = self.pool(self.drop(torch.cat(found, 1)))
        return self.head(F.adaptive_avg_pool2d(x, (1, 1)).view(x.size(0), -1))


class Encoder(nn.Module):
    """Of a variational autoencoder, whose decoder is there and not used."""

    def __init__(self):
        super().__init__()
        self.fc1, self.mean, self.spread, self.decoder = nn.Linear(12, 8), nn.Linear(8, 3), nn.Linear(8, 3), nn.Linear(3, 12)

    def forward(self, x):
        h = F.relu(self.fc1(x.view(-1, 12)))
        return torch.cat([self.mean(h), self.spread(h)], 1)


# ---- series ----

class Classifier(nn.Module):
    """Two layers both ways, classified by the last outputs of both."""

    def __init__(self):
        super().__init__()
        self.embedding, self.dropout = nn.Embedding(20, 6, padding_idx=0), nn.Dropout(0.3)
        self.lstm = nn.LSTM(6, 5, num_layers=2, bidirectional=True, dropout=0.2, batch_first=True)
        self.fc = nn.Linear(10, 3)

    def forward(self, text):
        _, (h, _) = self.lstm(self.dropout(self.embedding(text)))
        return self.fc(self.dropout(torch.cat((h[-2, :, :], h[-1, :, :]), dim=1)))


class Memory(nn.Module):
    """States that begin at zeros of the user's, the last cell, a projection, a decoder that begins where an encoder ended."""

    def __init__(self):
        super().__init__()
        self.lstm, self.projected = nn.LSTM(3, 5, 2, batch_first=True), nn.LSTM(3, 5, proj_size=2, batch_first=True)
        self.encoder, self.decoder = nn.GRU(3, 5, batch_first=True), nn.GRU(3, 5, batch_first=True)
        self.rectified = nn.RNN(3, 5, nonlinearity="relu", batch_first=True)

    def forward(self, x):
        h = torch.zeros(2, x.size(0), 5, dtype=x.dtype).to(x.device)
        out, (_, cell) = self.lstm(x, (h, torch.zeros_like(h)))
        decoded, _ = self.decoder(x, self.encoder(x)[1])
        return torch.cat([out[:, -1], cell[-1], self.projected(x)[0][:, -1], decoded[:, -1], self.rectified(x)[0][:, -1]], 1)


class Cells(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm, self.gru, self.rnn = nn.LSTMCell(3, 5), nn.GRUCell(5, 4), nn.RNNCell(4, 2)

    def forward(self, x):
        h, c, g, r = torch.zeros(x.size(0), 5, dtype=x.dtype), torch.zeros(x.size(0), 5, dtype=x.dtype), None, None
        for t in range(x.size(1)):
            h, c = self.lstm(x[:, t], (h, c))
            g = self.gru(h, g)
            r = self.rnn(g, r)
        return r


# ---- functions and sets ----

class Siren(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers, self.out = nn.ModuleList([nn.Linear(2, 8), nn.Linear(8, 8)]), nn.Linear(8, 1)
        self.register_buffer("B", torch.randn(2, 3))

    def forward(self, x):
        p, h = 2 * math.pi * x @ self.B, x
        for layer in self.layers:
            h = torch.sin(3 * layer(h))
        return self.out(h) + torch.cat([p.sin(), p.cos()], -1).sum(-1, keepdim=True)


class DeepSet(nn.Module):
    def __init__(self):
        super().__init__()
        self.phi = nn.Sequential(nn.Linear(3, 8), nn.ELU(), nn.Linear(8, 8))
        self.rho, self.A = nn.Sequential(nn.Linear(8, 8), nn.CELU(), nn.Linear(8, 1)), nn.Parameter(torch.randn(5, 5))

    def forward(self, x):
        h = torch.einsum("ij,bjk->bik", F.softmax(self.A, -1), self.phi(x))
        return self.rho(h.max(dim=1)[0] + h.amin(1) + h.mean(1))


class Arithmetic(nn.Module):
    """Functions that are rare."""

    def __init__(self):
        super().__init__()
        self.inner, self.pairs = nn.Linear(4, 4), nn.Bilinear(4, 4, 2)

    def forward(self, x):
        h = self.inner(x)
        rows = [F.cosine_similarity(h, x, dim=1), F.normalize(h, dim=1).sum(1), h.var(1), torch.linalg.norm(h, dim=1), h.prod(1),
                (h.sinh() + h.cosh()).sum(1), torch.tan(h / 9).sum(1), torch.erfc(h).sum(1), h.cumprod(1)[:, 2]]
        return torch.cat([torch.stack(rows, 1), self.pairs(h, x)], 1)


def zoo():
    """Name: module, samples."""
    return {
        "nanoGPT": (NanoGPT(True), tokens(6, 13)), "nanoGPT by hand": (NanoGPT(False), tokens(6, 13)),
        "rotary": (Rotary(), numbers(5, 8)), "translator": (Translator(), tokens(5, 11)), "cross": (Cross(), numbers(5, 6)),
        "ViT": (ViT(), numbers(3, 8, 8)), "Mixer": (Mixer(), numbers(3, 8, 8)),
        "U-Net": (UNet(nn.ConvTranspose2d(8, 8, 2, stride=2)), numbers(1, 8, 8)),
        "U-Net, bilinear": (UNet(nn.Upsample(scale_factor=2, mode="bilinear", align_corners=True)), numbers(1, 7, 6)),
        "bottleneck": (Bottleneck(), numbers(4, 6, 6)), "inverted": (Inverted(), numbers(4, 6, 6)),
        "DenseNet": (DenseNet(), numbers(4, 6, 6)), "encoder": (Encoder(), numbers(12)),
        "classifier": (Classifier(), tokens(7, 20)), "memory": (Memory(), numbers(4, 3)), "cells": (Cells(), numbers(4, 3)),
        "Siren": (Siren(), numbers(2)), "DeepSet": (DeepSet(), numbers(5, 3)), "arithmetic": (Arithmetic(), numbers(4)),
        "padded": (nn.Sequential(nn.Conv1d(4, 4, 3, padding="same", padding_mode="circular"),
                                 nn.Conv1d(4, 4, 3, padding=1, padding_mode="reflect"), nn.LPPool1d(2, 2), nn.Flatten()),
                   numbers(4, 8)),
        "activations": (nn.Sequential(nn.Linear(4, 8), nn.SELU(), nn.Hardtanh(), nn.GLU(), nn.Softsign(), nn.Tanhshrink(),
                                      nn.Softshrink(0.01), nn.Mish(), nn.LogSigmoid(), nn.Softmin(1)), numbers(4)),
        "pixels": (nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.PixelShuffle(2), nn.ReflectionPad2d(1), nn.PixelUnshuffle(2),
                                 nn.Upsample(scale_factor=1.5, mode="bicubic"), nn.ReplicationPad2d(1), nn.AdaptiveMaxPool2d(2),
                                 nn.Unfold(2), nn.Flatten()), numbers(1, 4, 4)),
        "pooling": (nn.Sequential(nn.Conv3d(1, 2, 3, padding=1), nn.MaxPool3d(2, ceil_mode=True),
                                  nn.AvgPool3d(2, 1, padding=1, count_include_pad=False), nn.AdaptiveAvgPool3d((1, 2, 2)),
                                  nn.Upsample(scale_factor=2), nn.LocalResponseNorm(2), nn.Flatten()), numbers(1, 4, 4, 4)),
        "norms": (nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6, affine=False), nn.LayerNorm(6, bias=False),
                                nn.LayerNorm(6, elementwise_affine=False), nn.Linear(6, 2)), numbers(4))}
