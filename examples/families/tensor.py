# SPDX-License-Identifier: BSD-3-Clause
"""Tensor factorisation: a tensor of rank 1 is given back by 30 of its 64 entries, by a model that has room for rank
4.

usage: tensor.py [PICTURE]"""
import numpy as np

import dyn
from show import losses, show


def main(ax):
    random = np.random.default_rng(0)
    whole = np.einsum("i,j,k->ijk", *random.uniform(0.5, 2, (3, 4)))
    seen = random.permutation(64)[:30]
    net = dyn.tensor_factorisation([4, 4, 4], rank=4, init=dyn.init.normal(1e-2), seed=1)
    run = dyn.Run(net, seen, whole.ravel()[seen], optimizer=dyn.GD(0.05)).train(20000)
    error = np.abs(net(run.theta, np.arange(64)).reshape(4, 4, 4) - whole).max()
    assert error < 0.05, error
    losses(ax, run)
    return f"34 entries never seen: error {error:.0e}"


if __name__ == "__main__":
    show(main)
