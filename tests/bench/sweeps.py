# SPDX-License-Identifier: BSD-3-Clause
"""A sweep of 64 tanh 1-100-1 networks, 80 samples, float32, Adam, over seed x rate (x width), beside JAX's vmap and
joblib over PyTorch. Run by hand on a quiet machine, with the peers of peers.txt, pandas and joblib installed; some minutes.

usage: sweeps.py BUILD [ROUNDS]     exit code 1 where a goal is missed

The measures are taken in turn, least times of the rounds. Cores' worth: the time of one worker over that of all, both
in this process. The store: processor time of the thread that writes, as a share of that of the members. The limit is
what the arithmetic of a step alone takes at this machine's rates (limits.c); a goal in time is the looser of the ratio
and 1.25 limits."""
import functools
import os
import sys
import tempfile
import time

import numpy as np

import dyn
import run as bench
from cases import Row, perceptron

STEPS, COUNT = 2000, 64
FEWER = 10      # PyTorch takes so many times fewer steps; its time is multiplied
X = np.linspace(-1, 1, 80)
Y = np.sin(3 * X)
RATES = np.geomspace(1e-4, 1e-2, 8)


def experiment(width, rate, seed):
    return dyn.Run(dyn.mlp([1, width, 1], seed=seed), X, Y, optimizer=dyn.Adam(rate), dtype="float32", steps=STEPS,
                   record_every=100)


def limit(build, cores):
    """Seconds of a step of one network, all cores busy with others: its products, and for every neuron and sample a
    tanh and two multiply-adds more, 1 - tanh² and the sum for the gradient of the bias."""
    flops, tanh = perceptron([1, 100, 1], len(X))
    return Row("P19", "", "", 1, flops=flops + 4 * tanh, tanh=tanh).limit(bench.limits(build), cores)


def sweep(widths, workers=None, store=None):
    seeds = range(COUNT // len(RATES) // len(widths))
    return dyn.Sweep(experiment, dict(width=widths, rate=RATES, seed=seeds), workers=workers, store=store)


def seconds(function):
    begun = time.perf_counter()
    function()
    return time.perf_counter() - begun


def starts():
    """Parameters of the 64 networks of equal width, and their rates."""
    net = dyn.mlp([1, 100, 1])
    points = sweep([100]).points
    return np.stack([net.initial(p["seed"]) for p in points]), np.array([p["rate"] for p in points])


def jax_program(steps):
    """All 64 as one batch, their steps as one scan, compiled."""
    import jax
    import jax.numpy as jnp
    x, y = jnp.array(X, jnp.float32), jnp.array(Y, jnp.float32)

    def loss(theta):
        w1, b1, w2, b2 = jnp.split(theta, [100, 200, 300])
        return jnp.mean((jnp.tanh(x[:, None] * w1 + b1) @ w2 + b2 - y)**2)

    def one(theta, rate):
        def step(state, k):
            theta, m, v = state
            g = jax.grad(loss)(theta)
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            theta -= rate * (m / (1 - 0.9**k)) / (jnp.sqrt(v / (1 - 0.999**k)) + 1e-8)
            return (theta, m, v), None
        zero = jnp.zeros_like(theta)
        (theta, _, _), _ = jax.lax.scan(step, (theta, zero, zero), jnp.arange(1.0, steps + 1, dtype=jnp.float32))
        return loss(theta)
    run = jax.jit(jax.vmap(one))
    given = tuple(jnp.array(a, jnp.float32) for a in starts())
    return lambda: np.asarray(run(*given))


def torch_member(theta, rate):
    """One network, as it is written there."""
    import torch
    torch.set_num_threads(1)
    parts = np.split(theta.astype(np.float32), [100, 200, 300])
    w1, b1, w2, b2 = (torch.tensor(part, requires_grad=True) for part in parts)
    x, y = torch.tensor(X, dtype=torch.float32), torch.tensor(Y, dtype=torch.float32)
    adam = torch.optim.Adam([w1, b1, w2, b2], lr=rate)

    def loss():
        return ((torch.tanh(x[:, None] * w1 + b1) @ w2 + b2 - y)**2).mean()
    for _ in range(STEPS // FEWER):
        adam.zero_grad()
        value = loss()
        value.backward()
        adam.step()
    return loss().item()


def torch_program():
    import joblib
    pool = joblib.Parallel(n_jobs=len(os.sched_getaffinity(0)))
    pool(joblib.delayed(torch_member)(theta, 1e-3) for theta in starts()[0][:2])       # its processes are there
    return lambda: np.array(pool(joblib.delayed(torch_member)(*given) for given in zip(*starts())))


def store_share(path):
    """Processor time of keeping all members, over that of training them."""
    whole = sweep([50, 100], store=path)
    finish, spent = whole._store.finish, []

    @functools.wraps(finish)
    def timed(*arguments):
        begun = time.thread_time()
        finish(*arguments)
        spent.append(time.thread_time() - begun)
    whole._store.finish = timed
    begun = time.process_time()
    whole.train()
    return sum(spent) / (time.process_time() - begun)


def least_times(rounds, works):
    """Seconds by name; PyTorch's for as many steps as the others take."""
    taken = [{name: seconds(work) for name, work in works.items()} for _ in range(rounds)]
    best = {name: min(times[name] for times in taken) for name in works}
    return {**best, "PyTorch": best["PyTorch"] * FEWER}


def judged(best, share, least):
    """(words, whether the goal is met) of each measure. least: seconds of the whole sweep that the limit allows."""
    good = best["one worker"] / best["mixed widths"]
    yield f"cores' worth     {good:6.2f}    at least 1.9", good >= 1.9
    for peer, ratio in (("JAX", 4), ("PyTorch", 20)):
        goal = max(best[peer] / ratio, 1.25 * least)
        yield (f"{peer + ' / libdyn':17}{best[peer] / best['libdyn']:6.2f}    at least {ratio}, or {1.25 * least:.3f} s, "
               f"1.25 limits"), best["libdyn"] <= goal
    yield f"store            {share:7.2%}  below 1 %", share < .01


def main(build, rounds):
    cores = len(os.sched_getaffinity(0))
    jax, torch = jax_program(STEPS), torch_program()
    jax()
    losses = np.array([member.history["loss"][1] for member in sweep([100]).train()])
    agree = np.max(abs(jax_program(100)() / losses - 1))        # at step 100, before roundings have grown
    best = least_times(rounds, {
        "one worker": lambda: sweep([50, 100], workers=1).train(), "mixed widths": lambda: sweep([50, 100]).train(),
        "libdyn": lambda: sweep([100]).train(), "JAX": jax, "PyTorch": torch})
    with tempfile.TemporaryDirectory() as folder:
        share = store_share(os.path.join(folder, "s.sqlite"))
    least = limit(build, cores) * STEPS * COUNT
    print(f"64 networks, {STEPS} steps, {cores} cores; losses agree to {agree:.1e}")
    for name, value in {**best, "limit": least}.items():
        print(f"{name:14} {value:8.3f} s   {value / STEPS / COUNT * 1e6:8.2f} us a step of one   "
              f"{value / least:7.2f} limits")
    found = list(judged(best, share, least))
    for words, good in found:
        print(words + ("" if good else "   MISSED"))
    return int(not all(good for _, good in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2]) if sys.argv[2:] else 3))
