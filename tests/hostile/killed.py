# SPDX-License-Identifier: BSD-3-Clause
"""A process that saves a run again and again is killed at random moments: the file is the old one or the new one, whole,
and no temporary file is left."""
import os
import random
import signal
import subprocess
import sys
import tempfile
import time

KILLS = 100
SAVER = """
import sys, numpy as np, dyn
x = np.linspace(-1, 1, 50)[:, None]
run = dyn.Run(dyn.mlp([1, 200, 200, 1], seed=1), x, np.sin(3 * x), loss="mse", optimizer=dyn.Adam(1e-3))
run.train(steps=2)
print("ready", flush=True)
while True:
    run.save(sys.argv[1])
"""


def kill_one(path, wait):
    saver = subprocess.Popen([sys.executable, "-c", SAVER, path], stdout=subprocess.PIPE)
    try:
        assert saver.stdout.readline() == b"ready\n", "the program that saves does not start"
        time.sleep(wait)
    finally:
        saver.send_signal(signal.SIGKILL)
        saver.wait()
        saver.stdout.close()


def main():
    import numpy as np
    moment = random.Random(1)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "run.npz")
        for _ in range(KILLS):
            kill_one(path, moment.uniform(0.0, 0.05))
            left = os.listdir(folder)
            assert set(left) <= {"run.npz"}, "left behind: %s" % left
            if left:
                with np.load(path) as file:
                    assert all(np.asarray(file[name]).size >= 0 for name in file.files)
        assert os.path.exists(path), "nothing was ever saved"
