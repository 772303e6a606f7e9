# SPDX-License-Identifier: BSD-3-Clause
"""PyTorch's operations that change the sizes of images: resizing, padding, pixels and channels exchanged, windows as
columns. Each works axis by axis."""
from __future__ import annotations

from typing import Any, Callable, Sequence

from ._torch_arithmetic import OPERATIONS, cat, flatten, index_select, operation, permute, view
from ._torch_value import Value, along
from .errors import invalid


# ---- resizing: along each axis a product with a matrix ----

def _matrix(n: int, out: int, mode: str, corners: bool, factor: float | None) -> Any:
    """[n, out]: what PyTorch makes of each of n unit vectors; a cubic is asked for along one of two axes."""
    import torch
    sizes: dict[str, Any] = dict(size=out) if factor is None else dict(scale_factor=factor, recompute_scale_factor=False)
    if mode != "cubic":
        x = torch.eye(n, dtype=torch.float64)[:, None]
        return torch.nn.functional.interpolate(x, mode=mode, align_corners=corners, **sizes)[:, 0].numpy()
    x = torch.eye(n, dtype=torch.float64)[:, None, None].expand(n, 1, n, n)
    sizes = dict(size=(n, out)) if factor is None else dict(scale_factor=(1.0, factor), recompute_scale_factor=False)
    return torch.nn.functional.interpolate(x, mode="bicubic", align_corners=corners, **sizes)[:, 0, 0].numpy()


def _resized(mode: str, axes: int) -> Callable[..., Value]:
    def resize(x: Value, size: Any, corners: bool, *scales: Any) -> Value:
        given = list(scales[0]) if scales and isinstance(scales[0], (list, tuple)) else list(scales)
        given += [None] * (axes - len(given))
        for i in range(axes):
            n = x.shape[2 + i]
            out = int(n * given[i]) if size is None else int(size[i])
            matrix = _matrix(n, out, mode, corners, given[i])
            x = along(lambda v, m=matrix: v @ m, x, 2 + i)      # type: ignore[misc]
        return x
    return resize


def _nearest(axes: int) -> Callable[..., Value]:
    def upsample(x: Value, size: Any = None, *scales: Any) -> Value:
        """Each place of the result is one of x."""
        import torch
        given = list(scales[0]) if scales and isinstance(scales[0], (list, tuple)) else list(scales)
        for i in range(axes):
            places = torch.arange(x.shape[2 + i], dtype=torch.float64)[None, None]
            how: dict[str, Any] = dict(scale_factor=given[i]) if size is None else dict(size=int(size[i]))
            x = taken(x, 2 + i, torch.nn.functional.interpolate(places, mode="nearest", **how))
        return x
    return upsample


def taken(x: Value, axis: int, places: Any) -> Value:
    """Places along an axis, given as a tensor: whole runs at once, each place repeated by one broadcast where all are."""
    listed = [int(p) for p in places.ravel()]
    count = len(listed) // x.shape[axis]
    if listed == [i for i in range(x.shape[axis]) for _ in range(count)]:
        return repeat_each(x, axis, count)
    return index_select(x, axis, listed)


def repeat_each(x: Value, axis: int, count: int) -> Value:
    """Every place along an axis, so many times."""
    s = x.shape
    once = x.plain.reshape(*s[:axis + 1], 1, *s[axis + 1:]).broadcast_to((*s[:axis + 1], count, *s[axis + 1:]))
    return Value(once.reshape(*s[:axis], count * s[axis], *s[axis + 1:]))


@operation("repeat_interleave")
def repeat_interleave(x: Value, count: Any, axis: int | None = None, **_: Any) -> Value:
    """Every place so many times, along an axis or of all."""
    if not isinstance(count, int):
        raise invalid("repeat_interleave by counts that differ")
    return repeat_each(view(x, (-1,)), 0, count) if axis is None else repeat_each(x, x.axis(axis), count)


for _axes in (1, 2, 3):
    OPERATIONS[f"upsample_nearest{_axes}d"] = _nearest(_axes)
OPERATIONS["upsample_linear1d"] = _resized("linear", 1)
OPERATIONS["upsample_bilinear2d"] = _resized("linear", 2)
OPERATIONS["upsample_trilinear3d"] = _resized("linear", 3)
OPERATIONS["upsample_bicubic2d"] = _resized("cubic", 2)


# ---- padding ----

@operation("pad", "constant_pad_nd")
def pad(x: Value, widths: Sequence[int], mode: str | float = "constant", value: float | None = None) -> Value:
    """Zeros around, or what a mode takes from inside; widths from the last axis to the front."""
    value = mode if isinstance(mode, (int, float)) else value
    widths = [int(w) for w in widths]
    if isinstance(mode, str) and mode != "constant":
        return _from_inside(x, widths, mode)
    if value not in (None, 0):
        raise invalid(f"pad with {value}: zeros are written around")
    before, after = [0] * x.rank, [0] * x.rank
    for i, (a, b) in enumerate(zip(widths[::2], widths[1::2])):
        x = _cropped(x, x.rank - 1 - i, a, b)
        before[-1 - i], after[-1 - i] = max(a, 0), max(b, 0)
    inner = [before[i] for i in x.order]
    return Value(x.node.pad(inner, [n + before[i] + after[i] for n, i in zip(x.node.shape, x.order)]), x.order)


def _cropped(x: Value, axis: int, before: int, after: int) -> Value:
    """Without as many places as the widths are below 0."""
    return OPERATIONS["slice"](x, axis, max(-before, 0), x.shape[axis] - max(-after, 0)) if min(before, after) < 0 else x


def _from_inside(x: Value, widths: Sequence[int], mode: str) -> Value:
    """Reflected, repeated or periodic: along each axis the places that torch takes."""
    import torch
    for i, (a, b) in enumerate(zip(widths[::2], widths[1::2])):
        axis = x.rank - 1 - i
        places = torch.arange(x.shape[axis], dtype=torch.float64)[None, None]
        x = index_select(x, axis, [int(p) for p in torch.nn.functional.pad(places, (a, b), mode=mode).ravel()])
    return x


# ---- pixels and channels, windows ----

@operation("pixel_shuffle")
def pixel_shuffle(x: Value, r: int) -> Value:
    """[.., c r^2, h, w] as [.., c, h r, w r]."""
    *lead, c, h, w = x.shape
    k = len(lead)
    apart = view(x, (*lead, c // r**2, r, r, h, w))
    return view(permute(apart, [*range(k), k, k + 3, k + 1, k + 4, k + 2]), (*lead, c // r**2, h * r, w * r))


@operation("pixel_unshuffle")
def pixel_unshuffle(x: Value, r: int) -> Value:
    """The reverse."""
    *lead, c, h, w = x.shape
    k = len(lead)
    apart = view(x, (*lead, c, h // r, r, w // r, r))
    return view(permute(apart, [*range(k), k, k + 2, k + 4, k + 1, k + 3]), (*lead, c * r**2, h // r, w // r))


@operation("im2col")
def im2col(x: Value, kernel: Sequence[int], dilation: Sequence[int], padding: Sequence[int], stride: Sequence[int]) -> Value:
    """Windows as columns: [n, c, h, w] as [n, c kh kw, windows]."""
    x = pad(x, (padding[1], padding[1], padding[0], padding[0]))
    n, c, h, w = x.shape
    count = [(size - d * (k - 1) - 1) // s + 1 for size, k, d, s in zip((h, w), kernel, dilation, stride)]
    parts = []
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            at = (i * dilation[0], j * dilation[1])
            part = x
            for axis in (0, 1):
                last = at[axis] + (count[axis] - 1) * stride[axis]
                part = OPERATIONS["slice"](part, 2 + axis, at[axis], last + 1, stride[axis])
            parts.append(view(part, (n, c, 1, count[0] * count[1])))
    return flatten(cat(parts, 2), 1, 2)
