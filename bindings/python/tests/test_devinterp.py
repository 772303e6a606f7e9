# SPDX-License-Identifier: BSD-3-Clause
"""The local learning coefficient beside chains of devinterp's Langevin steps, where it is installed: the same
network, inverse temperature, pull and step."""
import copy
import unittest

import numpy as np

import dyn

try:
    import torch
    from devinterp.optim.sgmcmc import SGMCMC
    from torch import nn
    torch.set_num_threads(1)
except ImportError:
    SGMCMC = nn = None

N, CHAINS, DRAWS, BURN_IN = 40, 4, 400, 150
STEP, PULL = 1e-2, 5.0
N_BETA = N / np.log(N)


def chain(module, x, y, seed):
    """The mean loss of their steps from the module's parameters."""
    torch.manual_seed(seed)
    walker = copy.deepcopy(module)
    step = SGMCMC.sgld(walker.parameters(), lr=STEP, localization=PULL, nbeta=N_BETA)
    losses = []
    for _ in range(BURN_IN + DRAWS):
        step.zero_grad()
        loss = ((walker(x) - y)**2).sum(1).mean()
        loss.backward()
        losses.append(loss.item())
        step.step()
    return np.mean(losses[BURN_IN:])


@unittest.skipIf(SGMCMC is None, "devinterp is not installed")
class Devinterp(unittest.TestCase):
    def test_a_tanh_network_that_teaches_itself(self):
        net = dyn.mlp([2, 3, 1], "tanh", seed=2)
        theta, x = net.initial(), np.random.default_rng(1).normal(size=(N, 2))
        y = net(theta, x)
        module = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).double()
        w = net.views(theta)
        module.load_state_dict({"0.weight": torch.tensor(w["W1"].T.copy()), "0.bias": torch.tensor(w["b1"]),
                                "2.weight": torch.tensor(w["W2"].T.copy()), "2.bias": torch.tensor(w["b2"])})
        data = torch.tensor(x), torch.tensor(y)
        values = N_BETA * np.array([chain(module, *data, seed) for seed in range(CHAINS)])
        ours = dyn.learning_coefficient(net, x, y, theta=theta, chains=4 * CHAINS, draws=DRAWS, burn_in=BURN_IN,
                                        epsilon=STEP, n_beta=N_BETA, gamma=PULL, seed=1)
        error = np.hypot(ours.standard_error, values.std(ddof=1) / np.sqrt(CHAINS))
        self.assertLess(abs(ours.value - values.mean()), 5 * error)
        self.assertLess(error, 0.1 * ours.value)


if __name__ == "__main__":
    unittest.main()
