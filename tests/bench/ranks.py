# SPDX-License-Identifier: BSD-3-Clause
"""How a sum of objectives over ranks of MPI scales, by the bytes that are sent: a table for docs/performance.md.

usage: ranks.py [GIGABYTES A SECOND]        (of the network between ranks; default 1.25, which is 10 Gbit/s)

784-100-10, cross-entropy, 60000 samples in 64 blocks, float32. A rank evaluates its blocks, one after the other, and
receives its slice of the others' sums and then their slices: 2 (1 - 1 / ranks) (p + 1) x 8 bytes (dyn_mpi_sum_received;
bindings/mpi/test.c counts them in MPI's own calls). The time of a block is measured here, on one thread; the rest is
arithmetic."""
import sys
import time

import numpy as np

import dyn

BLOCKS, SAMPLES = 64, 60000


def block_seconds():
    """Least time of a gradient of one block."""
    with dyn.Context(threads=1):
        rng = np.random.default_rng(0)
        n = SAMPLES // BLOCKS
        net = dyn.mlp([784, 100, 10], seed=1)
        loss = dyn.Objective(net, rng.standard_normal((n, 784)), rng.integers(0, 10, n), loss="cross_entropy",
                             dtype="float32")
        theta, times = net.initial(), []
        for _ in range(50):
            begun = time.perf_counter()
            loss.gradient(theta)
            times.append(time.perf_counter() - begun)
        return net.size, min(times)


def main(bandwidth):
    p, seconds = block_seconds()
    print(f"| ranks | blocks of each | ms of gradients | MB received | ms at {bandwidth:g} GB/s | times one rank |")
    print("|---|---|---|---|---|---|")
    for ranks in (1, 2, 4, 8, 16, 32, 64):
        own = -(-BLOCKS // ranks)
        received = 2 * (1 - 1 / ranks) * (p + 1) * 8
        work, wire = own * seconds, received / (bandwidth * 1e9)
        print(f"| {ranks} | {own} | {1e3 * work:.3g} | {received / 1e6:.3g} | {1e3 * wire:.3g} | "
              f"{BLOCKS * seconds / (work + wire):.3g} |")


if __name__ == "__main__":
    main(float(sys.argv[1]) if sys.argv[1:] else 1.25)
