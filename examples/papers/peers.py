# SPDX-License-Identifier: BSD-3-Clause
"""What the same trainings cost in PyTorch, written as its users write them: eager, in double precision, on as many
threads as the library uses. Some hundred steps are timed, and the time of all steps is told."""
import time

import dyn

ACTIVATIONS = {"x_tanh": lambda u, torch: u * torch.tanh(u), "x2_tanh": lambda u, torch: u * u * torch.tanh(u)}


def perceptron(torch, widths, activation, dropout):
    """theta as a list of tensors, and the function of it and x."""
    theta = [torch.nn.Parameter(torch.randn(*shape, dtype=torch.float64) * 1e-2)
             for i, o in zip(widths, widths[1:]) for shape in ((i, o), (o,))]
    act = ACTIVATIONS.get(activation) or (lambda u, torch: getattr(torch.nn.functional, activation)(u))

    def net(x):
        for w, b in zip(theta[:-2:2], theta[1:-2:2]):
            x = act(x @ w + b, torch)
            if dropout:
                x = torch.nn.functional.dropout(x, dropout)
        return x @ theta[-2] + theta[-1]
    return theta, net


def torch_seconds(widths, activation, x, y, optimizer, rate, steps, dropout=0.0, timed=300):
    """Seconds of so many full-batch steps on the mean squared error; optimizer: "SGD", "Adam"."""
    import torch
    torch.set_num_threads(dyn.current().threads)
    theta, net = perceptron(torch, widths, activation, dropout)
    x, y = (torch.as_tensor(a, dtype=torch.float64).reshape(len(a), -1) for a in (x, y))
    step = getattr(torch.optim, optimizer)(theta, lr=rate)

    def train(count):
        for _ in range(count):
            step.zero_grad()
            torch.nn.functional.mse_loss(net(x), y).backward()
            step.step()
    train(20)
    start = time.perf_counter()
    train(timed)
    return (time.perf_counter() - start) / timed * steps
