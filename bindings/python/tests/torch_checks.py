# SPDX-License-Identifier: BSD-3-Clause
"""A network beside a module of PyTorch's that has its parameters, in float64."""
import numpy as np
import torch
from torch import nn

import dyn


def same_derivatives(test, name, net, module, x, theirs=None):
    """Outputs, gradient and a Hessian product of the mean square loss agree to 1e-12. x: samples of the network; theirs: of the
    module, if they are laid out otherwise."""
    with nn.attention.sdpa_kernel(nn.attention.SDPBackend.MATH):        # the one with second derivatives
        f = module(x if theirs is None else theirs)
    f = f[0] if isinstance(f, tuple) else f
    y = torch.randn(f.shape, dtype=torch.float64)
    loss = dyn.Objective(net, x.numpy(), y.numpy(), loss="mse")
    theta = net.initial()
    scale = max(1.0, f.detach().abs().max().item())
    np.testing.assert_allclose(loss.predict(theta).reshape(f.shape), f.detach().numpy(), rtol=0, atol=1e-12 * scale, err_msg=name)
    parameters = dict(module.named_parameters())
    given = list(parameters.values())
    value = ((f - y) ** 2).mean() * (loss.value(theta) / ((f - y) ** 2).mean().item())
    gradient = torch.autograd.grad(value, given, create_graph=True, materialize_grads=True)
    v = np.random.default_rng(1).standard_normal(net.size)
    along = {n: torch.tensor(t) for n, t in net.state_dict(v).items()}
    product = torch.autograd.grad(sum((g * along[n]).sum() for n, g in zip(parameters, gradient)), given,
                                  materialize_grads=True)
    for what, ours, found in (("gradient", loss.gradient(theta)[1], gradient), ("product", loss.hessian(theta) @ v, product)):
        ours = net.state_dict(ours)
        largest = max(1.0, *(t.detach().abs().max().item() for t in found))
        for n, t in zip(parameters, found):
            test.assertLessEqual(np.abs(ours[n] - t.detach().numpy()).max() / largest, 1e-12, (name, what, n))
    return loss
