# SPDX-License-Identifier: BSD-3-Clause
"""What several test modules need."""
import os
import signal
import threading

import numpy as np

import dyn


def wave(n=20):
    """Samples of a function of one variable: x [n], y [n]."""
    x = np.linspace(-1, 1, n)
    return x, np.sin(3 * x)


def quadratic(eigenvalues):
    """The objective 1/2 sum_i h_i theta_i^2, from Python functions."""
    h = np.asarray(eigenvalues, dtype=float)
    return dyn.Objective.from_functions(
        len(h), lambda t: 0.5 * np.sum(h * t * t), lambda t: (0.5 * np.sum(h * t * t), h * t),
        lambda t, v: h[:, None] * v)


def interrupt_after(seconds):
    """Ctrl-C from another thread."""
    timer = threading.Timer(seconds, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    return timer


def reference():
    """A tanh network 2-3-2 at given parameters with four samples: net, theta, x, y; the loss is 2.7414708767412277."""
    j, i = np.arange(1, 18), np.arange(1, 5)
    net = dyn.mlp([2, 3, 2], activation="tanh")
    return (net, 0.8 * np.sin(1.7 * j), np.stack([np.cos(i), np.sin(2 * i)], 1), np.stack([np.sin(i), np.cos(3 * i)], 1))
