# SPDX-License-Identifier: BSD-3-Clause
"""Training runs: a network, data, an optimiser, and what is measured on the way."""
from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import weakref
from typing import Any, Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike

from ._arrays import pointer, vector
from ._lib import Handle, Options, callback, function_pointer, lib, make, structs
from ._run_view import RunView
from .errors import invalid
from .model import Model
from .objective import Objective
from .optim import Adam, Optimizer


def validation_of(validation: Any, net: Model | Objective, loss: Any, options: dict[str, Any]) -> Objective | None:
    """The objective of a validation set (x, y): the run's loss on other data, without a penalty."""
    if validation is None or isinstance(validation, Objective):
        return validation
    if not isinstance(net, Model):
        raise invalid("the validation of an objective is an objective, not a pair of arrays")
    x, y = validation
    return Objective(net, x, y, loss=loss, **{name: v for name, v in options.items() if name not in ("l2", "weight")})


def objective_of(net: Model | Objective, x: ArrayLike | None, y: ArrayLike | None, loss: Any,
                 options: dict[str, Any]) -> Objective:
    """The objective that the first arguments of a run mean."""
    if isinstance(net, Objective):
        if x is not None or y is not None or options:
            raise invalid(f"an objective has its data and options: x, y, {', '.join(options)} are for a model")
        return net
    if x is None or y is None:
        raise invalid("a model needs data: x and y")
    return Objective(net, x, y, loss=loss, **options)


@contextlib.contextmanager
def interruptible(stop: Callable[[], None]) -> Iterator[None]:
    """Inside, the first Ctrl-C calls stop; a second one acts as before."""
    usual = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or usual is None:
        yield
        return

    def handler(number: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, usual)
        stop()
    signal.signal(signal.SIGINT, handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)


class Bar:
    """A progress bar by tqdm, where it is installed and somebody looks; otherwise nothing is shown."""

    def __init__(self, wanted: bool | None, total: float | None, **options: Any) -> None:
        self._bar = None
        if wanted or (wanted is None and sys.stderr.isatty()):
            with contextlib.suppress(ImportError):
                from tqdm.auto import tqdm
                self._bar = tqdm(total=total, **options)

    def show(self, position: float, text: str = "") -> None:
        """Go to a position, with a few words beside the bar."""
        if self._bar is not None:
            self._bar.set_postfix_str(text, refresh=False)
            self._bar.update(position - self._bar.n)

    def close(self) -> None:
        """Leave the bar as it is."""
        if self._bar is not None:
            self._bar.close()


class Run(RunView, Handle):
    """A training run at step 0.

    net, x, y, loss: a model with data (Objective describes them; its other options can be given too, dtype="float32"
        for example), or an Objective alone.
    optimizer: dyn.Adam(1e-3), dyn.GD(0.1), ...   theta: where to start [p]; default: as the model's init says.
    steps: the run ends at this step; 0 = no end of its own.
    batch, drop_last, seed: samples per mini-batch (0 = all), whether an unfilled last one is left out, their order.
    record_every: steps between rows of the history.
    stop_loss, stop_accuracy, accuracy_every: the run ends where these are reached; 0 = not looked at.
    validation: (x, y), or an Objective of the same models on other data, looked at every validate_every steps: columns of
        the history. patience: end after so many looks without a smaller loss, 0 = never. keep_best: keep the parameters of
        the smallest one, run.best; so does patience."""

    _free = "dyn_run_free"

    def __init__(self, net: Model | Objective, x: ArrayLike | None = None, y: ArrayLike | None = None,
                 loss: str | Callable[..., Any] = "mse", optimizer: Optimizer = Adam(), *, theta: ArrayLike | None = None, steps: int = 0,
                 batch: int = 0, drop_last: bool = False, seed: int = 0, record_every: int = 1,
                 stop_loss: float = 0.0, stop_accuracy: float = 0.0, accuracy_every: int = 0, validation: Any = None,
                 validate_every: int = 0, patience: int = 0, keep_best: bool = False, **options: Any) -> None:
        objective = objective_of(net, x, y, loss, options)
        rules = run_options(steps, batch, drop_last, seed, record_every, stop_loss, stop_accuracy, accuracy_every)
        self._validate(rules, validation_of(validation, net, loss, options), validate_every, patience, keep_best)
        theta = objective.initial() if theta is None else theta
        self._create(objective, optimizer, rules, lib.dyn_run_create,
                     pointer(vector(theta, objective.size, "theta")))

    def _validate(self, rules: Options, validation: Objective | None, every: int, patience: int, keep_best: bool) -> None:
        self.validation = validation
        rules.validation = None if validation is None else validation._as_parameter_.value
        rules.validate_every, rules.patience, rules.keep_best = every, patience, int(keep_best)

    def _create(self, objective: Objective, optimizer: Optimizer, rules: Options, function: Callable[..., int],
                source: Any) -> None:
        RunView.__init__(self)
        self.objective = objective
        self.optimizer = optimizer
        self._bar = Bar(False, 0)
        self._first = self._goal = 0        # where the present train() began, and was to go if it is stopped
        me = weakref.ref(self)
        progress = callback(objective._context, "dyn_progress_fn", lambda *_: me()._show())
        rules.progress = function_pointer(progress)
        address = make(objective._context, function, objective, ctypes.byref(optimizer._options()),
                       ctypes.byref(rules), source)
        Handle.__init__(self, objective._context, address, objective, progress, self._observers)

    @classmethod
    def load(cls, path: str | os.PathLike[str], net: Model | Objective, x: ArrayLike | None = None,
             y: ArrayLike | None = None, loss: str | Callable[..., Any] = "mse", optimizer: Optimizer = Adam(), *, steps: int = 0,
             batch: int = 0, drop_last: bool = False, seed: int = 0, record_every: int = 1, stop_loss: float = 0.0,
             stop_accuracy: float = 0.0, accuracy_every: int = 0, validation: Any = None, validate_every: int = 0,
             patience: int = 0, keep_best: bool = False, **options: Any) -> Run:
        """A run from a checkpoint, to be given what the run was made with.

        What decides the trajectory is compared. Measurements are to be added again with measure(); what they had
        found before is there."""
        self = cls.__new__(cls)
        rules = run_options(steps, batch, drop_last, seed, record_every, stop_loss, stop_accuracy, accuracy_every)
        self._validate(rules, validation_of(validation, net, loss, options), validate_every, patience, keep_best)
        self._create(objective_of(net, x, y, loss, options), optimizer, rules, lib.dyn_run_load, os.fsencode(path))
        return self

    def train(self, steps: int = 0, progress: bool | None = None) -> Run:
        """Train for so many steps more; 0: to the end the run was made with, or, if Ctrl-C stopped it, to where the
        train() before was to go.

        Ctrl-C stops after a whole step; this then returns with run.stopped, everything measured is kept, and train()
        goes on. progress: a bar by tqdm; None: where the standard error is a terminal. Returns the run.

        Raises NonFinite where loss or gradient is not finite; theta is then where that was found."""
        steps = steps or self._left()
        target = self.step + steps
        self._bar = Bar(progress, steps or None, unit="step")
        self._first = self.step
        try:
            with interruptible(self.stop):
                status = lib.dyn_run_train(self, steps)
            self._goal = target if self.stopped else 0
            self._check(status)
        finally:
            self._show()
            self._bar.close()
        return self

    def _left(self) -> int:
        """Steps to where an interrupted train() was to go; 0 if it was not interrupted."""
        return max(self._goal - self.step, 0)

    def _show(self) -> None:
        rows = ctypes.c_int64()
        losses = lib.dyn_run_history(self, b"loss", ctypes.byref(rows))
        last = ctypes.c_double.from_address(losses + 8 * (rows.value - 1)).value if rows.value else float("nan")
        self._bar.show(self.step - self._first, f"loss {last:.4g}")

    def stop(self) -> None:
        """Ask the training in progress to stop before its next step; from any thread."""
        lib.dyn_run_stop(self)

    def predict(self, x: ArrayLike | None = None) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Outputs where the run stands: on its own samples [n, c], or of the network on x."""
        if x is None:
            return self.objective.predict(self.theta)
        if self.objective.model is None:
            raise invalid("an objective of functions has no network")
        return self.objective.model(self.theta, x, self.states)

    @property
    def states(self) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
        """Copies of the states of the network (running moments) by name."""
        shapes = {name: initial for model in self.objective.models for name, initial in model.states.items()}
        values = np.empty(sum(initial.size for model in self.objective.models for initial in model.states.values()))
        self._check(lib.dyn_run_states(self, pointer(values)))
        ends = np.cumsum([initial.size for initial in shapes.values()])
        return {name: part.reshape(shapes[name].shape) for name, part in zip(shapes, np.split(values, ends))}

    def accuracy(self) -> float:
        """Share of its samples that the run classifies rightly."""
        return self.objective.accuracy(self.theta)


def run_options(steps: int, batch: int, drop_last: bool, seed: int, record_every: int, stop_loss: float,
                stop_accuracy: float, accuracy_every: int) -> Options:
    """dyn_run_options without a progress callback."""
    return structs["dyn_run_options"](
        steps=steps, batch=batch, drop_last=int(drop_last), seed=seed, record_every=record_every, stop_loss=stop_loss,
        stop_accuracy=stop_accuracy, accuracy_every=accuracy_every)
