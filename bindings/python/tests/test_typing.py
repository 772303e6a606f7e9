# SPDX-License-Identifier: BSD-3-Clause
"""What mypy --strict says of a user's program: nothing where it is right, and what is misspelt where it is not."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import mypy  # noqa: F401
except ImportError:
    mypy = None

PACKAGE = pathlib.Path(__file__).resolve().parents[1]

RIGHT = """
import numpy as np
import dyn

x, y = dyn.data.digits()
net = dyn.mlp([64, 30, 10], activation="relu", init="xavier", seed=1)
run = dyn.Run(net, x, y, loss="cross_entropy", optimizer="adam", batch=100, dtype="float32")
sharpness = run.measure(dyn.Sharpness(k=2), every=20)
run.measure(dyn.Condensation(layer=1, threshold=0.9), at=("start", "end"))
run.measure(lambda state: state.loss, name="loss again", at="log")
run.train(10, interrupt="return").save("run.npz")
values: np.ndarray[tuple[int, ...], np.dtype[np.float64]] = run[sharpness].values
threshold = run["sharpness"].threshold
effective = run["condensation"].effective
H = dyn.hessian(run)
pairs = dyn.eigh(H / 2 + H, k=3, which="both")
v = H @ pairs.vectors
K = H @ H
figure = dyn.plot(run)
g = dyn.Graph("float32")
node = dyn.abs(g.input("x", (3,))) @ np.ones((3, 2))
found: dyn.Confusion = dyn.above(run.series["threshold"], 2.0).predict(dyn.spikes(run), lead=3)
"""

WRONG = """
import dyn
x, y = dyn.data.digits()
net = dyn.mlp([64, 30, 10])
dyn.Run(net, x, y, losss="mse")
dyn.Run(net, x, y, loss="crossentropy")
dyn.mlp([64, 30, 10], activation="tahn")
dyn.eigh(dyn.hessian(net, x, y), which="SA")
dyn.hessian(net, x, y, l3=1.0)
dyn.Condensation(treshold=0.9)
dyn.ModelRank(rule="gaps")
dyn.Run(net, x, y).measure("sharpness")
dyn.Run(net, x, y)["sharpness"].valus
dyn.Run(net, x, y, optimizer="sgd")
dyn.Run(net, x, y).train(5, interrupt="ignore")
"""


@unittest.skipIf(mypy is None, "mypy is not installed")
class Typing(unittest.TestCase):
    def complaints(self, program):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "program.py")
            pathlib.Path(path).write_text(program)
            found = subprocess.run([sys.executable, "-m", "mypy", "--strict", "--cache-dir", os.path.join(folder, "cache"),
                                    path], capture_output=True, text=True, cwd=folder,
                                   env={**os.environ, "MYPYPATH": str(PACKAGE)}).stdout
        return [line for line in found.splitlines() if line.startswith("program.py:")]

    def test_a_right_program(self):
        self.assertEqual(self.complaints(RIGHT), [])

    def test_every_mistake_is_found(self):
        lines = {int(line.split(":")[1]) for line in self.complaints(WRONG) if "error" in line}
        self.assertEqual(lines, set(range(5, len(WRONG.splitlines()) + 1)))


if __name__ == "__main__":
    unittest.main()
