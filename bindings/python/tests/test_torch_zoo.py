# SPDX-License-Identifier: BSD-3-Clause
"""Networks as people write them in PyTorch, by torch.export and by torch.fx: the same outputs, gradients, Hessian products."""
import contextlib
import io
import unittest
from unittest import mock

import numpy as np

import dyn

try:
    import torch
    from torch import nn
    from torch_checks import same_derivatives
    import torch_zoo
    torch.set_num_threads(1)
except ImportError:
    torch = None


@unittest.skipIf(torch is None, "PyTorch is not installed")
class Zoo(unittest.TestCase):
    def setUp(self):
        torch.manual_seed(5)

    def check(self, name, module, x):
        module = module.double().eval()
        for buffer in module.buffers():     # running moments that are not those of the start
            if buffer.is_floating_point() and buffer.ndim == 1:
                buffer.copy_(torch.rand_like(buffer) + 0.5)
        same_derivatives(self, name, dyn.from_torch(module, x), module, x)

    def test_by_export(self):
        for name, (module, x) in torch_zoo.zoo().items():
            with self.subTest(name):
                self.check(name, module, x)

    def test_by_fx(self):
        zoo = torch_zoo.zoo()
        with mock.patch("torch.export.export", side_effect=RuntimeError("no export")):
            for name in ("nanoGPT", "ViT", "bottleneck", "U-Net", "classifier", "Mixer", "arithmetic"):
                with self.subTest(name):
                    self.check(name, *zoo[name])

    def test_weight_norm(self):
        """Its second derivative in PyTorch is wrong (gradgradcheck says so): compared are differences of gradients."""
        module = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(4, 3)), nn.Tanh()).double()
        x = torch.randn(5, 4, dtype=torch.float64)
        net = dyn.from_torch(module, x)
        loss = dyn.Objective(net, x.numpy(), np.ones((5, 3)), loss="mse")
        theta, v = net.initial(), np.random.default_rng(0).standard_normal(net.size)
        np.testing.assert_allclose(loss.predict(theta), module(x).detach().numpy(), rtol=0, atol=1e-12)
        differences = (loss.gradient(theta + 1e-5 * v)[1] - loss.gradient(theta - 1e-5 * v)[1]) / 2e-5
        np.testing.assert_allclose(loss.hessian(theta) @ v, differences, rtol=0, atol=1e-6)

    def test_what_has_no_second_derivative_in_torch(self):
        for module, x in ((nn.Sequential(nn.EmbeddingBag(10, 4, mode="mean"), nn.Linear(4, 2)), torch.randint(0, 10, (3, 5))),
                          (nn.Sequential(nn.Linear(4, 3), nn.Hardsigmoid()), torch.randn(3, 4, dtype=torch.float64))):
            net = dyn.from_torch(module.double(), x)
            np.testing.assert_allclose(net(net.initial(), x.numpy()), module(x).detach().numpy(), rtol=0, atol=1e-14)

    def test_one_number_of_samples(self):
        class Fixed(nn.Module):
            def __init__(self):
                super().__init__()
                self.a = nn.Parameter(torch.ones(1, 2))

            def forward(self, x):
                return x + self.a.expand(len(x), 2)
        with self.assertRaisesRegex(dyn.InvalidArgument, "one number of samples: take x.shape"):
            dyn.from_torch(Fixed(), np.ones((3, 2)))

    def test_several_inputs(self):
        class Two(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.b = nn.Bilinear(3, 4, 2), nn.Linear(3, 2)

            def forward(self, u, v):
                return self.a(u, v) + self.b(u)
        module = Two().double()
        u, v = torch.randn(5, 3, dtype=torch.float64), torch.randn(5, 4, dtype=torch.float64)
        net = dyn.from_torch(module, (u, v))
        loss = dyn.Objective(lambda net, u, v: net(u, v)[:, 0], net, u=u.numpy(), v=v.numpy())
        self.assertAlmostEqual(loss.value(net.initial()), module(u, v)[:, 0].mean().item(), places=13)

    def test_one_of_several_outputs(self):
        class Ends(nn.Module):
            def __init__(self):
                super().__init__()
                self.a, self.b = nn.Linear(3, 2), nn.Linear(3, 4)

            def forward(self, x):
                return self.a(x), self.b(x)
        x = torch.randn(5, 3, dtype=torch.float64)
        module = Ends().double()
        for output, part in ((0, module.a), (1, module.b)):
            net = dyn.from_torch(module, x, output=output)
            np.testing.assert_allclose(net(net.initial(), x.numpy()), part(x).detach().numpy(), rtol=0, atol=1e-14)
        for wrong in (None, 2):
            with self.assertRaisesRegex(dyn.InvalidArgument, r"returns 2 tensors, of which \[0, 1\] depend.*output="):
                dyn.from_torch(module, x, output=wrong)

    def test_random_numbers_are_new_at_every_step(self):
        class Noisy(nn.Module):
            def __init__(self):
                super().__init__()
                self.a = nn.Linear(1, 1)

            def forward(self, x):
                return self.a(x) + (torch.randn_like(x) if self.training else 0)
        net = dyn.from_torch(Noisy(), np.ones((2, 1)))
        x, theta = np.ones((2000, 1)), np.array([1.0, 0.0])
        run = dyn.Run(net, x, x, loss="mse", optimizer=dyn.GD(0.0), theta=theta).train(2)
        first, second = run.history["loss"][:2] / run.objective.value(np.array([2.0, 0.0]))    # the mean square of the noise
        self.assertTrue(0.85 < first < 1.15 and 0.85 < second < 1.15 and first != second, (first, second))

    def test_a_way_chosen_by_numbers_is_shown(self):
        class Chooses(nn.Module):
            def __init__(self):
                super().__init__()
                self.a = nn.Linear(3, 2)

            def forward(self, x):
                if x.sum() > 0:
                    return self.a(x)
                return -self.a(x)
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), self.assertRaisesRegex(
                dyn.InvalidArgument, r"Chooses chooses its way by the numbers .*if x.sum\(\) > 0"):
            dyn.from_torch(Chooses(), np.ones((2, 3)))
        self.assertEqual(said.getvalue(), "")       # torch prints the program

    def test_all_that_is_missing_is_listed(self):
        class Odd(nn.Module):
            def __init__(self):
                super().__init__()
                self.inner = nn.Sequential(nn.Linear(4, 4))

            def forward(self, x):
                h = self.inner(x)
                return torch.sort(h, 1)[0] + torch.fft.fft(h).real + torch.atan(h)
        with self.assertRaisesRegex(dyn.InvalidArgument, "sort in .*_fft.*atan in the module .Odd."):
            dyn.from_torch(Odd(), np.ones((2, 4)))


if __name__ == "__main__":
    unittest.main()
