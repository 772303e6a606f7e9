# SPDX-License-Identifier: BSD-3-Clause
"""What the same trainings cost in PyTorch, written as its users write them: eager, in double precision, on as many
threads as the library uses. Some hundred steps are timed, and the time of all steps is told: by the fastest tenth, and
on one thread by processor time, so that what runs beside is not counted as PyTorch's."""
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

    clock = time.process_time if dyn.current().threads == 1 else time.perf_counter

    def seconds(count):
        start = clock()
        train(count)
        return clock() - start
    train(20)
    return min(seconds(timed // 10) for _ in range(10)) / (timed // 10) * steps
