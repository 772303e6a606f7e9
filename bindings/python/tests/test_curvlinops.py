# SPDX-License-Identifier: BSD-3-Clause
"""Hessian, Gauss-Newton, Fisher and Kronecker factors beside those of curvlinops, where it is installed: equal under
the options that docs/numerics.md names."""
import unittest
import warnings

import numpy as np

import dyn

try:
    import curvlinops
    import torch
    from torch import nn
except ImportError:
    curvlinops = nn = None

R = np.random.default_rng(3)
N, CLASSES = 7, 3


def perceptron():
    net = dyn.mlp([2, 4, CLASSES], "tanh", seed=1)
    return net, nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, CLASSES)), R.normal(size=(N, 2))


def convolutional():
    net = dyn.cnn((4, 4, 2), [3], outputs=CLASSES, kernel=2, padding="valid", activation="tanh", global_pool=True,
                  seed=1)
    module = nn.Sequential(nn.Conv2d(2, 3, 2), nn.Tanh(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, CLASSES))
    return net, module, R.normal(size=(N, 4, 4, 2))


def order(net):
    """Places in our theta of the numbers of theirs, whose matrices are transposed: [out, in, ...]."""
    found = []
    for t in net.tensors.values():
        places = t.offset + np.arange(int(np.prod(t.shape))).reshape(t.shape)
        found.append(np.moveaxis(places, (-1, -2), (0, 1)).ravel() if places.ndim > 1 else places)
    return np.concatenate(found)


@unittest.skipIf(curvlinops is None, "curvlinops is not installed")
class Curvlinops(unittest.TestCase):
    """pair: our Objective at theta and what their operators take."""

    def pair(self, make, loss, reduction):
        net, module, x = make()
        self.theta = net.initial() + 0.1
        self.order = order(net)
        module = module.double()
        nn.utils.vector_to_parameters(torch.tensor(self.theta[self.order]), module.parameters())
        inputs = torch.tensor(np.moveaxis(x, -1, 1).copy())
        options = {"sum_samples": reduction == "sum"}
        if loss == "mse":
            y = R.normal(size=(N, CLASSES))
            options["mean_outputs"] = reduction == "mean"
            theirs = nn.MSELoss(reduction=reduction)
        else:
            y = R.integers(0, CLASSES, N)
            theirs = nn.CrossEntropyLoss(reduction=reduction)
        self.theirs = (module, theirs, list(module.parameters()), [(inputs, torch.tensor(y))])
        return dyn.Objective(net, x, y, loss=loss, **options)

    def each(self):
        for make in (perceptron, convolutional):
            for loss in ("mse", "cross_entropy"):
                for reduction in ("mean", "sum"):
                    yield make, loss, reduction

    def close(self, ours, operator, what):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs = (operator @ torch.eye(len(self.theta), dtype=torch.float64)).detach().numpy()
        ours = ours.dense()[np.ix_(self.order, self.order)]
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12 * max(1, np.abs(theirs).max()), err_msg=str(what))

    def test_hessian_and_gauss_newton(self):
        for case in self.each():
            loss = self.pair(*case)
            self.close(loss.hessian(self.theta), curvlinops.HessianLinearOperator(*self.theirs), case)
            self.close(loss.ggn(self.theta), curvlinops.GGNLinearOperator(*self.theirs), case)

    def test_empirical_fisher(self):
        """Of a mean over outputs theirs takes the gradients of the sum, and the mean of their products."""
        for case in self.each():
            loss = self.pair(*case)
            ours, theirs = dyn.empirical_fisher(loss, theta=self.theta), curvlinops.EFLinearOperator(*self.theirs)
            self.close(CLASSES * ours if case[1:] == ("mse", "mean") else ours, theirs, case)

    def test_kronecker_factors(self):
        for case in self.each():
            loss = self.pair(*case)
            for reduce in (False, True):
                theirs = curvlinops.KFACLinearOperator(
                    *self.theirs, fisher_type="type-2", kfac_approx="reduce" if reduce else "expand",
                    separate_weight_and_bias=False)
                self.close(dyn.kfac(loss, theta=self.theta, reduce=reduce).operator(), theirs, (*case, reduce))


if __name__ == "__main__":
    unittest.main()
