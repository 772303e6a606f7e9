# SPDX-License-Identifier: BSD-3-Clause
"""Modules of PyTorch whose own forward cannot be exported as it is, written plainly; and the copy of a user's module made
ready."""
from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from .errors import invalid


class Attention(nn.MultiheadAttention):
    """MultiheadAttention: samples first, one path for every case."""

    def _projected(self, query: Any, key: Any, value: Any) -> list[Any]:
        if self.in_proj_weight is not None:
            weights: Any = self.in_proj_weight.chunk(3)
        else:
            weights = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)
        biases: Any = (None,) * 3 if self.in_proj_bias is None else self.in_proj_bias.chunk(3)
        if query is key and key is value and self.in_proj_weight is not None:
            return list(F.linear(query, self.in_proj_weight, self.in_proj_bias).chunk(3, -1))
        return [F.linear(x, w, b) for x, w, b in zip((query, key, value), weights, biases)]

    def _more(self, k: Any, v: Any) -> tuple[Any, Any, int]:
        """Keys and values with those that are learned and those that are 0, and how many these are."""
        added = 0
        if self.bias_k is not None:
            learned: Any = (self.bias_k, self.bias_v)
            k, v = (torch.cat([x, b.expand(x.shape[0], 1, x.shape[2])], 1) for x, b in zip((k, v), learned))
            added += 1
        if self.add_zero_attn:
            k, v = F.pad(k, (0, 0, 0, 1)), F.pad(v, (0, 0, 0, 1))
            added += 1
        return k, v, added

    def _bias(self, mask: Any, added: int) -> Any:
        """What a mask adds to the scores; what was added to the keys is seen."""
        if mask.dtype is torch.bool:
            mask = torch.zeros(mask.shape, dtype=torch.float64).masked_fill(mask, float("-inf"))
        mask = F.pad(mask, (0, added)) if added else mask
        return mask if mask.dim() != 3 else mask.reshape(-1, self.num_heads, *mask.shape[1:])

    def forward(self, query: Any, key: Any, value: Any, key_padding_mask: Any = None, need_weights: bool = True,
                attn_mask: Any = None, average_attn_weights: bool = True, is_causal: bool = False) -> Any:
        if not self.batch_first:
            same = query is key and key is value
            query = query.transpose(0, 1)
            key, value = (query, query) if same else (key.transpose(0, 1), value.transpose(0, 1))
        q, k, v = self._projected(query, key, value)
        k, v, added = self._more(k, v)
        q, k, v = (x.unflatten(2, (self.num_heads, -1)).transpose(1, 2) for x in (q, k, v))
        scores = (q * self.head_dim**-0.5) @ k.transpose(-1, -2)
        if attn_mask is not None:
            scores = scores + self._bias(attn_mask, added)
        if key_padding_mask is not None:
            hidden = F.pad(key_padding_mask, (0, added)) if added else key_padding_mask
            hidden = hidden[:, None, None, :]
            scores = scores.masked_fill(hidden, float("-inf")) if hidden.dtype is torch.bool else scores + hidden
        maps = F.dropout(scores.softmax(-1), self.dropout, self.training)
        y = self.out_proj((maps @ v).transpose(1, 2).flatten(2))
        weights = (maps.mean(1) if average_attn_weights else maps) if need_weights else None
        return (y if self.batch_first else y.transpose(0, 1)), weights


class Bag(nn.EmbeddingBag):
    """EmbeddingBag of bags of one length."""

    def forward(self, input: Any, offsets: Any = None, per_sample_weights: Any = None) -> Any:
        if offsets is not None or input.dim() != 2:
            raise invalid("EmbeddingBag with offsets: bags of one length, ids [n, length], are written")
        rows = F.embedding(input, self.weight, self.padding_idx)
        if per_sample_weights is not None:
            rows = rows * per_sample_weights[:, :, None]
        if self.padding_idx is not None:
            raise invalid("EmbeddingBag with padding_idx")
        return rows.amax(1) if self.mode == "max" else rows.sum(1) if self.mode == "sum" else rows.mean(1)


def prepare(module: nn.Module) -> None:
    """Make the copy of a user's module ready to be exported; what could not be written is refused by its place."""
    for name, part in module.named_modules():
        if type(part) is nn.MultiheadAttention:
            part.__class__ = Attention
        if type(part) is nn.EmbeddingBag:
            part.__class__ = Bag
        if isinstance(part, nn.TransformerEncoder):
            part.enable_nested_tensor = part.use_nested_tensor = False     # samples of one length, a path for all
        if getattr(part, "momentum", 0) is None and getattr(part, "track_running_stats", False):
            raise invalid(f"{name} ({type(part).__name__}) with momentum=None: its moments are a mean over all steps")
