# SPDX-License-Identifier: BSD-3-Clause
"""What a program and its peer share: the data, values of ours that the peer starts from, and the check that both agree.

A peer says which values of our program it takes, TAKE = {name: expression}; `compare.py` computes them, and the file in
which they are is the peer's first argument."""
import pathlib
import sys

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[3]
ours = dict(np.load(sys.argv[1]))
quick = "--quick" in sys.argv


def digits():
    """The digits of dyn.data.digits() without dyn: x [1797, 64] in [0, 1], the digits themselves [1797]."""
    folder = ROOT / "examples/data"
    return np.load(folder / "digits-images.npy") / 16.0, np.load(folder / "digits-labels.npy").astype(np.int64)


def start(module, name="start"):
    """Give a module of PyTorch's the parameters that ours starts from, in their order; weights [in, out] are turned. It
    stands where a program sets a seed."""
    import torch
    values = [value for key, value in ours.items() if key.startswith(name + "/")]
    parameters = list(module.parameters())
    assert len(values) == len(parameters), (len(values), len(parameters))
    with torch.no_grad():
        for parameter, value in zip(parameters, values):
            turned = value.T if parameter.ndim == 2 and isinstance(module, torch.nn.Sequential) else value
            assert parameter.shape == turned.shape, (parameter.shape, turned.shape)
            parameter.copy_(torch.tensor(turned))
    return module


def gpt_start(net):
    """The same for the GPT of two peers, whose parts have names of their own."""
    import torch
    places = {"embedding": net.embedding.weight, "position": net.position.weight, "gain": net.norm.weight,
              "shift": net.norm.bias}
    for k, block in enumerate(net.blocks, 1):
        layers = (block.query, block.key, block.value, block.out, block.up, block.down)
        for n, layer in zip(("q", "k", "v", "o", "1", "2"), layers):
            places.update({"layer%d.W%s" % (k, n): layer.weight, "layer%d.b%s" % (k, n): layer.bias})
        for n, norm in zip("12", (block.norm1, block.norm2)):
            places.update({"layer%d.gain%s" % (k, n): norm.weight, "layer%d.shift%s" % (k, n): norm.bias})
    for name, place in places.items():
        value = torch.tensor(ours["start/" + name])
        place.data.copy_(value.T if ".W" in name else value)


def agree(what, theirs, expected, *, rtol=0.0, atol=0.0):
    """Hold a value of the peer's against ours; prints how far apart they are."""
    a, b = (np.asarray(v.detach() if hasattr(v, "detach") else v, dtype=float) for v in (theirs, expected))
    assert a.shape == b.shape, "%s: shapes %s and %s" % (what, a.shape, b.shape)
    apart, allowed = np.max(abs(a - b)), atol + rtol * np.max(abs(b))
    print("agree | %s | %.2g | %.2g" % (what, apart, allowed), flush=True)
    assert apart <= allowed, "%s: %g apart, allowed is %g" % (what, apart, allowed)
