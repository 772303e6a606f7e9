# SPDX-License-Identifier: BSD-3-Clause
"""PyTorch's modules as networks and back, against PyTorch in float64: outputs, gradients, Hessian products, training."""
import os
import tempfile
import unittest

import numpy as np

import dyn

try:
    import torch
    from torch import nn
    from torch_checks import same_derivatives
    torch.set_num_threads(1)
except ImportError:
    torch = None


def modules():
    """Modules with samples they take, between them every layer that the README names."""
    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv, self.norm = nn.Conv2d(2, 4, 3, padding=1), nn.BatchNorm2d(4)
            self.short, self.drop, self.fc = nn.Conv2d(2, 4, 1, bias=False), nn.Dropout(0.1), nn.Linear(16, 3)

        def forward(self, x):
            h = torch.relu(self.norm(self.conv(x))) + self.short(x)
            return self.fc(self.drop(nn.functional.max_pool2d(h, 2).flatten(1)))

    class Decoder(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.position = nn.Embedding(11, 8, padding_idx=0), nn.Embedding(6, 8)
            self.layer = nn.TransformerEncoderLayer(8, 2, 16, norm_first=True, activation="gelu")
            self.head = nn.Linear(8, 11, bias=False)
            self.head.weight = self.embedding.weight

        def forward(self, tokens):
            T = tokens.shape[1]
            h = self.embedding(tokens) + self.position(torch.arange(T))
            mask = nn.Transformer.generate_square_subsequent_mask(T, dtype=torch.float64)
            return self.head(self.layer(h.transpose(0, 1), src_mask=mask, is_causal=True).transpose(0, 1))

    class Last(nn.Module):
        def __init__(self, cell):
            super().__init__()
            self.cell, self.head = cell, nn.Linear(6, 2)

        def forward(self, x):
            return self.head(self.cell(x)[0][:, -1])

    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            self.w, self.a = nn.Parameter(torch.randn(3, 4)), nn.Parameter(torch.tensor([0.3]))
            self.register_buffer("scale", torch.tensor([1.0, 2.0, 3.0, 4.0]))

        def forward(self, x):
            h = torch.einsum("ni,ij->nj", x, self.w) * self.scale + x.std(1, keepdim=True)
            return torch.where(h > 0, h, self.a * h).clamp(-3, 3) ** 3 + torch.logsumexp(h, 1)[:, None] / 2

    class Padded(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(9, 8, padding_idx=0)
            self.encoder = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)

        def forward(self, tokens):
            h = self.encoder(self.embedding(tokens), src_key_padding_mask=tokens == 0)
            return (h * (tokens != 0)[:, :, None]).sum(1)[:, [0, 3, 1]]

    image = torch.randn(3, 2, 4, 4, dtype=torch.float64)
    series = torch.randn(3, 5, 4, dtype=torch.float64)
    return {
        "perceptron": (nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 2)), series[:, 0]),
        "residual": (Residual(), image),
        "transposed": (nn.Sequential(nn.ConvTranspose2d(2, 4, 3, stride=2, groups=2, output_padding=1), nn.GroupNorm(2, 4),
                                     nn.SiLU(), nn.AvgPool2d(2), nn.Upsample(scale_factor=2), nn.InstanceNorm2d(4)), image),
        "series": (nn.Sequential(nn.Conv1d(5, 10, 3, padding=1, groups=5), nn.LeakyReLU(), nn.MaxPool1d(2), nn.PReLU(),
                                 nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.LayerNorm(10), nn.RMSNorm(10), nn.Softplus()),
                   series),
        "volume": (nn.Sequential(nn.Conv3d(1, 2, 2), nn.ELU(), nn.Flatten(), nn.LazyLinear(2)), image[:, None]),
        "encoder": (nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, batch_first=True), 2), series),
        "decoder": (Decoder(), torch.randint(1, 11, (4, 6))),
        "padded": (Padded(), torch.tensor([[3, 1, 0, 0], [2, 5, 8, 0], [1, 1, 7, 6]])),
        "lstm": (Last(nn.LSTM(4, 3, 2, batch_first=True, bidirectional=True)), series),
        "gru": (Last(nn.GRU(4, 6, batch_first=True)), series),
        "own": (Own(), series[:, 0, :3])}


@unittest.skipIf(torch is None, "PyTorch is not installed")
class In(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(3)

    def check(self, name, module, x):
        module = module.double()
        module.eval()(x)
        net = dyn.from_torch(module, x)
        loss = same_derivatives(self, name, net, module, x)
        self.assertEqual(loss.jacobian(net.initial()).reshape(-1, net.size).shape[0], module(x).numel(), name)

    def test_against_torch(self):
        for name, (module, x) in modules().items():
            with self.subTest(name):
                self.check(name, module, x)

    def test_training_moves_what_pytorch_moves(self):
        module = modules()["residual"][0].double()
        module.drop.p = 0.0
        x = torch.randn(6, 2, 4, 4, dtype=torch.float64)
        y = torch.randn(6, 3, dtype=torch.float64)
        net = dyn.from_torch(module, x)
        run = dyn.Run(net, x.numpy(), y.numpy(), loss="mse", optimizer=dyn.GD(1e-2))
        ratio = run.objective.value(net.initial()) / ((module.eval()(x) - y) ** 2).mean().item()
        run.train(5)
        module.train()
        optimizer = torch.optim.SGD(module.parameters(), 1e-2)
        for _ in range(5):
            optimizer.zero_grad()
            (((module(x) - y) ** 2).mean() * ratio).backward()
            optimizer.step()
        back = net.to_torch(run.theta, modules()["residual"][0].double(), run.states)
        for (name, ours), theirs in zip(back.state_dict().items(), module.state_dict().values()):
            if "tracked" not in name:
                np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=0, atol=1e-10, err_msg=name)

    def test_batches_of_what_turns_samples_about(self):
        module, x = modules()["decoder"]
        net = dyn.from_torch(module.double(), x)
        run = dyn.Run(net, x.numpy(), x.numpy(), loss="cross_entropy", batch=2).train(2)
        self.assertEqual(run.step, 2)

    def test_dropout_drops_in_training_only(self):
        module = nn.Sequential(nn.Linear(1000, 1000, bias=False), nn.Dropout(0.25), nn.Linear(1000, 1, bias=False)).double()
        with torch.no_grad():
            module[0].weight.copy_(torch.eye(1000))
            module[2].weight.fill_(1.0)
        net = dyn.from_torch(module)
        x = np.ones((20, 1000))
        np.testing.assert_allclose(net(net.initial(), x), 1000, rtol=1e-12)
        run = dyn.Run(net, x, np.full((20, 1), 1000.0), loss="mse", optimizer=dyn.GD(0.0)).train(1)
        self.assertEqual(run.objective.value(run.theta), 0)
        variance = 1000 * 0.25 / 0.75       # of a sum of 1000 numbers that are 0 or 1 / .75
        self.assertTrue(0.2 * variance < run.history["loss"][0] < 2 * variance)

    def test_tied_frozen_and_buffers(self):
        module, x = modules()["decoder"]
        module = module.double()
        module.position.weight.requires_grad_(False)
        net = dyn.from_torch(module, x)
        self.assertNotIn("position.weight", net.tensors)
        self.assertNotIn("head.weight", net.tensors)
        names = net.state_dict(net.initial())
        self.assertEqual(set(names), set(module.state_dict()))
        np.testing.assert_array_equal(names["head.weight"], module.embedding.weight.detach().numpy())
        np.testing.assert_array_equal(names["position.weight"], module.position.weight.detach().numpy())
        other = net.load_state_dict(net.state_dict(2 * net.initial()))
        np.testing.assert_array_equal(other.initial(), 2 * net.initial())

    def test_through_safetensors(self):
        try:
            from safetensors.torch import load_file, save_file
        except ImportError:
            self.skipTest("safetensors is not installed")
        module, x = modules()["residual"]
        module = module.double()
        net = dyn.from_torch(module, x)
        with tempfile.TemporaryDirectory() as folder:
            ours, theirs = os.path.join(folder, "ours"), os.path.join(folder, "theirs")
            dyn.data.save_safetensors(ours, net.state_dict(2 * net.initial()))
            for name, tensor in load_file(ours).items():
                factor = 1 if "running" in name else 2
                self.assertTrue(torch.equal(tensor, factor * module.state_dict()[name]), name)
            save_file(module.state_dict(), theirs)
            other = net.load_state_dict(dyn.data.load_safetensors(theirs))
        np.testing.assert_array_equal(other.initial(), net.initial())
        np.testing.assert_array_equal(other.states["norm.var"], net.states["norm.var"])

    def test_a_norm_left_in_evaluation_stays_there(self):
        module = modules()["residual"][0].double()
        module.norm.running_mean.fill_(0.3)
        module.norm.eval()
        x = torch.randn(6, 2, 4, 4, dtype=torch.float64)
        net = dyn.from_torch(module, x)
        self.assertEqual(net.states, {})
        np.testing.assert_allclose(net(net.initial(), x.numpy()), module.eval()(x).detach().numpy(), rtol=0, atol=1e-12)

    def test_the_module_is_left_as_it_was(self):
        module, x = modules()["residual"]
        before = {name: t.clone() for name, t in module.state_dict().items()}
        module.train()
        module.norm.eval()
        dyn.from_torch(module, x)
        self.assertEqual([m.training for m in module.modules()], [True, True, False, True, True, True])
        for name, t in module.state_dict().items():
            self.assertTrue(torch.equal(t, before[name]) and t.dtype == before[name].dtype)

    def test_what_is_unknown_is_named(self):
        class Inverse(nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = nn.Linear(2, 4)

            def forward(self, x):
                return torch.linalg.inv(self.inner(x).unflatten(1, (2, 2))).flatten(1)

        with self.assertRaisesRegex(dyn.InvalidArgument, "cannot be written yet: linalg_inv"):
            dyn.from_torch(nn.Sequential(Inverse())[0])
        with self.assertRaisesRegex(dyn.InvalidArgument, "0 .BatchNorm1d. with momentum=None"):
            dyn.from_torch(nn.Sequential(nn.BatchNorm1d(2, momentum=None)), np.ones((2, 2)))
        with self.assertRaisesRegex(dyn.InvalidArgument, "needs samples x"):
            dyn.from_torch(nn.Sequential(nn.Conv1d(1, 1, 1)))
        with self.assertRaisesRegex(dyn.InvalidArgument, "returns 2 tensors"):
            dyn.from_torch(nn.GRU(2, 2, batch_first=True), np.ones((2, 3, 2)))

    def test_bad_input_is_named(self):
        broken = nn.Linear(3, 2)
        broken.weight.data[0, 1] = np.nan
        tokens = nn.Sequential(nn.Embedding(5, 2), nn.Flatten(), nn.Linear(6, 1))
        net = dyn.from_torch(tokens, np.array([[0, 1, 2]]))
        for message, call in (
                ("module is builtins.int, must be a torch.nn.Module", lambda: dyn.from_torch(3, np.ones((2, 3)))),
                ("parameter weight holds numbers that are not finite", lambda: dyn.from_torch(broken)),
                ("x has elements of type <U1", lambda: dyn.from_torch(nn.Linear(3, 2), np.array(["a", "b"]))),
                (r"write Linear down.*same reduction dim", lambda: dyn.from_torch(nn.Linear(3, 2), np.ones((2, 4)))),
                ("an operand is a tensor of indices", lambda: dyn.from_torch(nn.Linear(3, 2), np.ones((2, 3), int))),
                ('"x": index 9 at position 2, the table has rows 0 to 4', lambda: net(net.initial(), np.array([[0, 1, 9]]))),
                ('"x": index 9 at position 2, the table has rows 0 to 4',
                 lambda: dyn.Objective(net, np.array([[0, 1, 9]]), np.ones((1, 1)))),
                (r"x has shape \[1, 2\], expected \[n, 3\]", lambda: net(net.initial(), np.array([[0, 1]]))),
                (r"theta has shape \[3\], expected \[17\]", lambda: net.to_torch(np.ones(3), tokens))):
            with self.subTest(message), self.assertRaisesRegex(dyn.Error, message):
                call()

    def test_another_module_is_refused(self):
        net = dyn.mlp([2, 3, 1])
        with self.assertRaisesRegex(dyn.ShapeError, r"2.weight \[1, 3\]: in the module it has shape \[1, 4\]"):
            net.to_torch(net.initial(), nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(4, 1)))
        theirs = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).double()
        x = np.random.default_rng(0).standard_normal((4, 2))
        net.to_torch(net.initial(1), theirs)
        np.testing.assert_allclose(theirs(torch.tensor(x)).detach().numpy(), net(net.initial(1), x), rtol=0, atol=1e-14)


if __name__ == "__main__":
    unittest.main()
