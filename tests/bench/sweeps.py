# SPDX-License-Identifier: BSD-3-Clause
"""P19: a sweep of 64 tanh 1-100-1 networks, 80 samples, float32, Adam, over seed x rate (x width), beside JAX's vmap and
joblib over PyTorch. Run by hand on a quiet machine, with the peers of peers.txt, pandas and joblib installed; some minutes.

usage: sweeps.py [ROUNDS]       exit code 1 where a bound is missed

The measures are taken in turn, least times of the rounds. Cores' worth: the time of one worker over that of all, both
in this process. The store: processor time of the thread that writes, as a share of that of the members."""
import functools
import os
import sys
import tempfile
import time

import numpy as np

import dyn

STEPS, COUNT = 2000, 64
FEWER = 10      # PyTorch takes so many times fewer steps; its time is multiplied
X = np.linspace(-1, 1, 80)
Y = np.sin(3 * X)
RATES = np.geomspace(1e-4, 1e-2, 8)


def experiment(width, rate, seed):
    return dyn.Run(dyn.mlp([1, width, 1], seed=seed), X, Y, optimizer=dyn.Adam(rate), dtype="float32", steps=STEPS,
                   record_every=100)


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


def main(rounds):
    jax, torch = jax_program(STEPS), torch_program()
    jax()
    losses = np.array([member.history["loss"][1] for member in sweep([100]).train()])
    agree = np.max(abs(jax_program(100)() / losses - 1))        # at step 100, before roundings have grown
    taken = {}
    for _ in range(rounds):
        for name, work in {"one worker": lambda: sweep([50, 100], workers=1).train(),
                           "mixed widths": lambda: sweep([50, 100]).train(),
                           "libdyn": lambda: sweep([100]).train(), "JAX": jax, "PyTorch": torch}.items():
            taken.setdefault(name, []).append(seconds(work) * (FEWER if name == "PyTorch" else 1))
    best = {name: min(times) for name, times in taken.items()}
    with tempfile.TemporaryDirectory() as folder:
        share = store_share(os.path.join(folder, "s.sqlite"))
    print(f"64 networks, {STEPS} steps, {len(os.sched_getaffinity(0))} cores; losses agree to {agree:.1e}")
    for name, value in best.items():
        print(f"{name:14} {value:8.3f} s   {value / STEPS / COUNT * 1e6:8.2f} us a step of one")
    found = [("cores' worth", best["one worker"] / best["mixed widths"], 1.9),
             ("JAX / libdyn", best["JAX"] / best["libdyn"], 4),
             ("PyTorch / libdyn", best["PyTorch"] / best["libdyn"], 20)]
    for name, ratio, least in found:
        print(f"{name:17}{ratio:6.2f}   at least {least:<4} {'' if ratio >= least else 'MISSED'}")
    print(f"{'store':17}{share:6.2%}   below 1 %     {'' if share < .01 else 'MISSED'}")
    return int(share >= .01 or any(ratio < least for _, ratio, least in found))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if sys.argv[1:] else 3))
