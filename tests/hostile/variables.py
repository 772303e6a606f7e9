# SPDX-License-Identifier: BSD-3-Clause
"""A training, a spectrum, singular values and a rank, as one checksum: the same for any number of threads and whatever
the environment says of threads, locales and memory, in a time that does not grow with it."""
import os
import subprocess
import sys

PROGRAM = """
import hashlib, sys, numpy as np, dyn
with dyn.Context(threads=int(sys.argv[1])):
    x, y = dyn.data.digits()
    x, y = x[:200], y[:200]
    net = dyn.mlp([64, 30, 10], activation="tanh", seed=1)
    run = dyn.Run(net, x, y, loss="cross_entropy", optimizer=dyn.Adam(1e-2))
    run.train(steps=30)
    H = dyn.hessian(net, x, y, loss="cross_entropy")
    numbers = [run.theta, H @ run.theta if hasattr(H, "__matmul__") else H.matvec(run.theta)]
    numbers += [dyn.singular_values(np.sin(np.arange(12000.0)).reshape(120, 100))]
h = hashlib.sha256()
for a in numbers:
    h.update(np.ascontiguousarray(a).tobytes())
print(h.hexdigest())
"""
SETTINGS = [{}, {"OMP_NUM_THREADS": "5"}, {"BLIS_NUM_THREADS": "3"}, {"OMP_NUM_THREADS": "1"},
            {"OPENBLAS_NUM_THREADS": "7"}, {"LC_ALL": "de_DE.UTF-8"}, {"MALLOC_PERTURB_": "85"}, {"OMP_DYNAMIC": "true"}]


def checksum(threads, settings):
    done = subprocess.run([sys.executable, "-c", PROGRAM, str(threads)], env=dict(os.environ, **settings),
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, "%d threads, %s: %s" % (threads, settings, done.stderr[-500:])
    return done.stdout.strip()


def main():
    expected = checksum(1, {})
    for threads in (1, 2, 4, 7, 16):
        for settings in SETTINGS if threads in (1, 2) else SETTINGS[:1]:
            assert checksum(threads, settings) == expected, "other bits with %d threads and %s" % (threads, settings)
