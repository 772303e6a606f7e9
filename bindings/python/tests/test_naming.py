# SPDX-License-Identifier: BSD-3-Clause
"""Every family under the names of PyTorch's equal module: its state_dict is taken and given back, and the module that loads
it gives the same outputs, gradients and Hessian products in float64."""
import os
import tempfile
import unittest

import numpy as np

import dyn

try:
    import torch
    from torch import nn
    import equals as E
    from torch_checks import same_derivatives
    torch.set_num_threads(1)
except ImportError:
    torch = None


def families():
    """Name: network, the module it equals, samples of the network, samples of the module."""
    image = torch.randn(3, 2, 8, 8, dtype=torch.float64)
    image_last = image.movedim(1, -1)
    vector = torch.randn(4, 3, dtype=torch.float64)
    tokens, series = torch.randint(0, 11, (3, 6)), torch.randn(3, 5, 2, dtype=torch.float64)
    entry = torch.tensor([0, 7, 12, 19, 23])
    def narrow(): return nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    return {
        "perceptron": (dyn.mlp([3, 5, 4, 2], seed=1), nn.Sequential(
            nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2)), vector),
        "dropout": (dyn.mlp([3, 5, 2], dropout=0.1, seed=1), nn.Sequential(
            nn.Linear(3, 5), nn.Tanh(), nn.Dropout(0.1), nn.Linear(5, 2)), vector),
        "antisymmetric": (dyn.mlp([3, 4, 1], antisymmetric=True, seed=1), E.Antisymmetric([narrow(), narrow()]), vector),
        "cnn": (dyn.cnn((8, 8, 2), [3, 0, 4, 0], (5,), 2, seed=1), E.Convolutional(
            E.features(3, 0, 4, 0), nn.Sequential(nn.Linear(16, 5), nn.ReLU(), nn.Dropout(0.0), nn.Linear(5, 2))),
            image_last, image),
        "cnn of series": (dyn.cnn((8, 2), [3, 4], (), 2, kernel=5, global_pool=True, seed=1), E.Convolutional(
            nn.Sequential(nn.Conv1d(2, 3, 5, padding=2), nn.ReLU(), nn.Conv1d(3, 4, 5, padding=2), nn.ReLU(),
                          nn.AdaptiveAvgPool1d(1)), nn.Sequential(nn.Linear(4, 2))), image_last[:, 0], image[:, :, 0]),
        "vgg": (dyn.vgg(11, (32, 32, 2), 3, base=2, hidden=(4,), seed=1), E.Convolutional(
            E.features(2, 0, 4, 0, 8, 8, 0, 16, 16, 0, 16, 16, 0, norm=True),
            nn.Sequential(nn.Linear(16, 4), nn.ReLU(), nn.Dropout(0.0), nn.Linear(4, 3))),
            image_last.repeat(1, 4, 4, 1), image.repeat(1, 1, 4, 4)),
        "resnet": (dyn.resnet((2, 1), (8, 8, 2), 3, base=4, seed=1), E.ResNet(2, 4, 3), image_last, image),
        "large resnet": (dyn.resnet((2, 1), (16, 16, 2), 3, base=4, large=True, seed=1), E.ResNet(2, 4, 3, large=True),
                         image_last.repeat(1, 2, 2, 1), image.repeat(1, 1, 2, 2)),
        "gpt2": (dyn.gpt(11, 6, layers=2, heads=2, width=8, seed=1), E.GPT2(11, 6, 2, 2, 8), tokens),
        "llama": (dyn.llama(11, 6, layers=2, heads=4, kv_heads=2, width=8, hidden=12, seed=1),
                  E.Llama(11, 2, 4, 2, 8, 12), tokens),
        "encoder layer": (dyn.transformer(11, 6, layers=2, heads=2, width=8, key_width=4, hidden=12, bias=True, seed=1),
                          E.Decoder(11, 6, 2, 2, 8, 12), tokens),
        "paper": (dyn.transformer(11, 6, layers=2, heads=2, width=8, key_width=3, hidden=12, seed=1),
                  E.Paper(11, 6, 2, 2, 8, 3, 12), tokens),
        "rnn": (dyn.recurrent(2, 5, 4, 3, cell="simple", seed=1), E.Recurrent(nn.RNN, 2, 4, 1, 3), series),
        "gru": (dyn.recurrent(2, 5, 4, 3, cell="gru", layers=2, seed=1), E.Recurrent(nn.GRU, 2, 4, 2, 3), series),
        "lstm": (dyn.recurrent(4, 6, 4, 11, vocabulary=11, tied=True, seed=1), E.Recurrent(nn.LSTM, 4, 4, 1, 11, 11), tokens),
        "factorisation": (dyn.factorisation([5, 2, 3, 6], seed=1), E.Matrix(
            nn.Embedding(5, 2), nn.Linear(2, 3, bias=False), nn.Linear(3, 6, bias=False)), entry),
        "tensor": (dyn.tensor_factorisation([2, 3, 4], rank=2, seed=1), E.Tensor([nn.Embedding(n, 2) for n in (2, 3, 4)]),
                   entry),
        "diagonal": (dyn.diagonal(3, seed=1), E.Diagonal(3), vector),
        "polynomial": (dyn.polynomial(3, 3, 2, seed=1), E.Polynomial(9, 2), vector)}


@unittest.skipIf(torch is None, "PyTorch is not installed")
class Names(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(3)

    def moved(self, net, module):
        """Running moments that are not those of the start."""
        module = module.double().eval()
        for name, buffer in module.named_buffers():
            if buffer.is_floating_point():
                buffer.copy_(torch.rand_like(buffer) + 0.5)
        return net, module

    def test_families(self):
        for name, (net, module, x, *z) in families().items():
            with self.subTest(name):
                net, module = self.moved(net, module)
                given = {n: t.numpy() for n, t in module.state_dict().items()}
                net = net.load_state_dict(given)
                back = net.state_dict(net.initial())
                kept = {n for n in given if not n.endswith("num_batches_tracked")}
                self.assertEqual(set(back), kept)
                for n in kept:
                    np.testing.assert_array_equal(back[n], given[n], err_msg=n)
                same_derivatives(self, name, net, module, x, *z)

    def test_views_write_to_theta(self):
        for name, (net, *_) in families().items():
            theta = net.initial()
            copies = 0
            for n, view in net.state_dict(theta).items():
                if view.flags.writeable:
                    view += 1
                else:
                    copies += 1
            changed = theta - net.initial()
            self.assertTrue(copies or (changed >= 1 - 1e-12).all(), name)
            self.assertTrue(copies == 0 or name in ("cnn", "gpt2", "encoder layer", "vgg", "polynomial"), (name, copies))

    def test_files_of_the_inner_module(self):
        net, module, *_ = families()["gpt2"]
        inner = {n.removeprefix("transformer."): t.numpy() for n, t in module.double().state_dict().items()
                 if "lm_head" not in n}
        inner["h.0.attn.bias"] = np.ones((1, 1, 6, 6))
        loaded = net.load_state_dict(inner)
        np.testing.assert_array_equal(loaded.state_dict(loaded.initial())["transformer.wte.weight"], inner["wte.weight"])

    def test_wrong_files_are_named(self):
        net = dyn.resnet((1, 1), (8, 8, 2), 3, base=4, seed=1)
        good = dict(net.state_dict(net.initial()))
        with self.assertRaisesRegex(dyn.InvalidArgument, "not in the model: layer9.0.conv1.weight; there are conv1.weight"):
            net.load_state_dict({**good, "layer9.0.conv1.weight": np.ones(3)})
        with self.assertRaisesRegex(dyn.ShapeError, r"fc.weight has shape \[3, 9\], expected \[3, 8\]"):
            net.load_state_dict({**good, "fc.weight": np.ones((3, 9))})
        with self.assertRaisesRegex(dyn.NonFinite, "number 2 of fc.bias is not finite"):
            net.load_state_dict({**good, "fc.bias": [0, 0, np.nan]})
        del good["layer2.0.conv1.weight"]
        with self.assertRaisesRegex(dyn.InvalidArgument, "missing: layer2.0.conv1.weight$"):
            net.load_state_dict(good)

    def test_what_is_wrapped_keeps_its_names(self):
        net = dyn.gpt(11, 6, layers=1, heads=2, width=8, seed=1)
        whole = net.state_dict(net.initial())
        frozen = net.freeze("embedding", theta=net.initial())
        self.assertEqual(set(frozen.state_dict(frozen.initial())), set(whole))
        self.assertEqual(set(net.start(net.initial()).state_dict(net.initial())), set(whole))
        self.assertEqual(set(net.centred().state_dict(net.initial())), set(whole))

    def test_through_files(self):
        try:
            from safetensors.torch import load_file, save_file
        except ImportError:
            self.skipTest("safetensors is not installed")
        for name in ("vgg", "gpt2", "lstm"):
            net, module, *_ = families()[name]
            net, module = self.moved(net, module)
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "theirs")
                save_file({n: t.clone() for n, t in module.state_dict().items()}, path)
                loaded = net.load_state_dict(dyn.data.load_safetensors(path))
                dyn.data.save_safetensors(path, loaded.state_dict(loaded.initial()))
                for n, t in load_file(path).items():
                    self.assertTrue(torch.equal(t, module.state_dict()[n]), n)


if __name__ == "__main__":
    unittest.main()
