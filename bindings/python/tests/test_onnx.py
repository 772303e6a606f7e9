# SPDX-License-Identifier: BSD-3-Clause
"""Networks of every family as ONNX files, run by ONNX's reference evaluator and by onnxruntime: the same outputs for any number of
samples."""
import os
import tempfile
import unittest

import numpy as np

import dyn

try:
    import onnx
    from onnx.reference import ReferenceEvaluator
except ImportError:
    onnx = None
try:
    import onnxruntime
except ImportError:
    onnxruntime = None


@unittest.skipIf(onnx is None, "onnx is not installed")
class Export(unittest.TestCase):
    def same(self, net, x, theta=None, states=None):
        theta = net.initial() if theta is None else theta
        model = dyn.to_onnx(net, theta, dtype="float64", states=states)
        run = ReferenceEvaluator(model)
        for n in (1, 2, len(x)):
            ours = net(theta, x[:n]) if states is None else net(theta, x[:n], states)
            np.testing.assert_allclose(run.run(None, {"x": x[:n]})[0], ours, rtol=0, atol=1e-12)
        if onnxruntime is not None:
            single = dyn.to_onnx(net, theta, states=states).SerializeToString()
            given = x if x.dtype.kind == "i" else x.astype(np.float32)
            made = onnxruntime.InferenceSession(single, providers=["CPUExecutionProvider"]).run(None, {"x": given})[0]
            np.testing.assert_allclose(made, ours, rtol=0, atol=1e-5 * max(1, np.abs(ours).max()))

    def test_families(self):
        rng = np.random.default_rng(0)
        image, tokens = rng.standard_normal((5, 8, 8, 2)), rng.integers(0, 11, (5, 6))
        for name, net, x in (
                ("perceptron", dyn.mlp([3, 6, 6, 2], "silu", skip=True, seed=1), rng.standard_normal((5, 3))),
                ("cnn", dyn.cnn((8, 8, 2), [3, 0, 4], hidden=(5,), outputs=2, seed=1), image),
                ("resnet", dyn.resnet((1, 1), (8, 8, 2), base=3, seed=1), image),
                ("gpt", dyn.gpt(11, 6, layers=1, heads=2, width=8, seed=1), tokens),
                ("llama", dyn.llama(11, 6, layers=1, heads=2, width=8, seed=1), tokens),
                ("paper", dyn.transformer(11, 6, layers=2, heads=2, width=8, key_width=4, hidden=8, seed=1), tokens),
                ("recurrent", dyn.recurrent(2, 4, width=3, cell="gru", seed=1), rng.standard_normal((5, 4, 2))),
                ("lstm", dyn.recurrent(4, 6, 4, 11, vocabulary=11, tied=True, layers=2, seed=1), tokens),
                ("simple", dyn.recurrent(2, 4, width=3, cell="simple", seed=1), rng.standard_normal((5, 4, 2))),
                ("vgg", dyn.vgg(11, (32, 32, 2), 3, base=1, seed=1), np.tile(image, (1, 4, 4, 1))),
                ("series", dyn.cnn((8, 2), [3, 0], outputs=2, seed=1), image[:, 0]),
                ("volume", dyn.cnn((8, 8, 2, 1), [2, 0], outputs=2, global_pool=True, seed=1), image[..., None]),
                ("padded", dyn.transformer(11, 6, layers=1, heads=2, width=8, pad=0, position="sinusoidal", seed=1), tokens),
                ("antisymmetric", dyn.mlp([3, 4, 1], antisymmetric=True, seed=1).centred(), rng.standard_normal((5, 3))),
                ("factorisation", dyn.factorisation([5, 2, 6], seed=1), np.array([0, 7, 12, 19, 29])),
                ("tensor", dyn.tensor_factorisation([2, 3, 4], rank=2, seed=1), np.array([0, 7, 12, 19, 23])),
                ("diagonal", dyn.diagonal(3, difference=True, seed=1), rng.standard_normal((5, 3))),
                ("transposed", dyn.Model.from_function(lambda g, x: dyn.conv_transpose2d(
                    x, g.parameter("W", (3, 2, 2, 4)), stride=2, padding=1), (8, 8, 2), seed=1), image),
                ("polynomial", dyn.polynomial(2, 3, seed=1), rng.standard_normal((5, 2)))):
            with self.subTest(name):
                self.same(net, x)

    def test_running_moments(self):
        net = dyn.cnn((4, 4, 1), [2], outputs=1, batch_norm=True, seed=1)
        x = np.random.default_rng(0).standard_normal((5, 4, 4, 1))
        self.same(net, x, states={"norm1.mean": np.array([0.5, -1]), "norm1.var": np.array([2.0, 3])})

    def test_a_file(self):
        net = dyn.mlp([3, 5, 2], seed=1)
        x = np.random.default_rng(0).standard_normal((4, 3)).astype(np.float32)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "net.onnx")
            dyn.to_onnx(net, net.initial(), path)
            np.testing.assert_allclose(ReferenceEvaluator(path).run(None, {"x": x})[0], net(net.initial(), x), atol=1e-6)

    def test_what_has_no_form_is_named(self):
        net = dyn.Model.from_function(lambda g, x: x * g.parameter("a", (4,)) + dyn.normal_like(x), (4,))
        with self.assertRaisesRegex(dyn.InvalidArgument, "random numbers have no form in ONNX"):
            dyn.to_onnx(net, net.initial())
        with self.assertRaisesRegex(dyn.InvalidArgument, "neither float32 nor float64"):
            dyn.to_onnx(dyn.mlp([1, 1]), [1.0, 0.0], dtype="float16")


if __name__ == "__main__":
    unittest.main()
