# SPDX-License-Identifier: BSD-3-Clause
"""Training runs: a network, data, an optimiser, and what is measured on the way."""
from __future__ import annotations

import builtins
import contextlib
import ctypes
import json
import os
import sys
import threading
import weakref
from typing import Any, Callable, Iterator, Literal, Mapping, Union, Unpack, cast

import numpy as np
from numpy.typing import ArrayLike, NDArray

from . import _recipe, data, measure, optim
from ._arrays import DTYPES, cut, path as file_path, pointer, vector, view
from ._lib import Handle, Options, callback, function_pointer, integer, lib, make, structs
from ._run_view import RunView
from .errors import STATUS, InvalidArgument, class_of, invalid, shapes_differ
from .graph import Node
from .model import Model
from .objective import Loss, Objective
from .objective import Options as Objectives
from .optim import Adam, Optimizer

TO_END = (1 << 63) - 1      # DYN_TO_END
LossOf = Union[Loss, Callable[..., Node]]
Validation = Union[Objective, tuple[ArrayLike, ArrayLike]]
Stream = Callable[[int], Any]
OBJECTIVE = tuple(Objectives.__annotations__)


class RunOptions(Objectives, total=False):
    """What a Run takes by name besides net, data, loss and optimiser: the options of its objective and its own."""

    steps: int | None
    batch: int | None
    drop_last: bool
    seed: int
    record_every: int
    stop_loss: float | None
    stop_accuracy: float | None
    accuracy_every: int
    validation: Validation | None
    validate_every: int
    patience: int | None
    keep_best: bool
    ema: float
    mean_from: int | None
    gradient_tolerance: float | None
    accumulate: int
    stream: Stream | None


OWN = ("steps", "batch", "drop_last", "seed", "record_every", "stop_loss", "stop_accuracy", "accuracy_every",
       "validate_every", "patience", "keep_best", "ema", "mean_from",
       "gradient_tolerance", "accumulate")
APART = ("validation", "stream")    # of the run, too, but nothing that a checkpoint could hold


def validation_of(net: Model | Objective, loss: LossOf | None, options: RunOptions) -> Objective | None:
    """The objective of a validation set (x, y): the run's loss on other data, without a penalty."""
    given = options.get("validation")
    if given is None or isinstance(given, Objective):
        return given
    if not isinstance(net, Model):
        raise invalid("the validation of an objective is an objective, not a pair of arrays")
    x, y = given
    rest = objective_options(options)
    rest.pop("l2", None)
    rest.pop("l1", None)
    rest.pop("weight", None)
    return Objective(net, x, y, loss=loss or "mse", **rest)


def objective_of(net: Model | Objective, x: ArrayLike | None, y: ArrayLike | None, loss: LossOf | None,
                 options: Objectives) -> Objective:
    """The objective that the first arguments of a run mean."""
    if isinstance(net, Objective):
        given = [name for name, value in (("x", x), ("y", y), ("loss", loss)) if value is not None]
        if given or options:
            raise invalid(f"an objective has its own data and options: {', '.join([*given, *options])} are for a model")
        return net
    if not isinstance(net, Model):
        raise TypeError(f"dyn.Model or dyn.Objective expected, not {class_of(net)}")
    if x is None or y is None:
        raise invalid("a model needs data: x and y")
    return Objective(net, x, y, loss=loss or "mse", **options)


_bars = threading.local()


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """No bars of this thread's inside: there is one for the whole already."""
    _bars.off = True
    try:
        yield
    finally:
        _bars.off = False


def watched() -> bool:
    """Whether somebody looks: at a terminal, or in a notebook."""
    return not getattr(_bars, "off", False) and (
        sys.stderr.isatty() or bool(getattr(builtins, "__IPYTHON__", False)))


class Bar:
    """A progress bar by tqdm, where it is installed and somebody looks; otherwise nothing is shown."""

    def __init__(self, wanted: bool | None, total: float | None, **options: Any) -> None:
        self._bar: Any = None
        if wanted or (wanted is None and watched()):
            with contextlib.suppress(ImportError):
                from tqdm.auto import tqdm      # type: ignore[import-untyped, unused-ignore]
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


_no_bar = Bar(False, 0)


class Run(RunView, Handle):
    """A training run at step 0.

    net, x, y, loss: a model with data (Objective describes them and its other options, which can be given too,
        dtype="float32" for example), or an Objective alone.
    optimizer: dyn.Adam(1e-3), dyn.GD(0.1), ..., or a name such as "adam" with its defaults.
    theta: where to start [p]; None: as the model's init says.
    steps: the run ends at this step; None: it has no end of its own.
    batch, drop_last, seed: samples per mini-batch (None: all), whether an unfilled last one is left out, their order.
    record_every: steps between rows of the history.
    stop_loss, stop_accuracy, gradient_tolerance: the run ends where these are reached; accuracy_every: steps between looks at the accuracy.
    validation: (x, y), or an Objective of the same models on other data, looked at every validate_every steps: columns of
        the history. patience: end after so many looks without a smaller loss; None: never. keep_best: keep the parameters
        of the smallest one, run.best; so does patience.
    stream: a function of the number of the batch, 0, 1, ..., that gives the batch: arrays of the data's shapes in their
        order, or by name; always the same for the same number. x and y, one such batch, are what measurements take.
    accumulate: batches whose gradients' mean makes a step.
    ema, mean_from: keep averages of the parameters, run.ema = ema run.ema + (1 - ema) theta at every step, and run.mean
        over the steps from mean_from on.

    >>> run = dyn.Run(dyn.mlp([1, 10, 1], seed=1), [-1.0, 0.0, 1.0], [1.0, 0.0, 1.0], optimizer=dyn.Adam(1e-2))
    >>> run.train(300).step
    300
    >>> bool(run.history["loss"][-1] < 0.1 * run.history["loss"][0])
    True
    """

    _unshared = "save() it, and Run.load() what was saved"
    _bar: Bar
    _first: int         # where the present train() began,
    _goal: int          # and was to go if it is stopped

    def __init__(self, net: Model | Objective, x: ArrayLike | None = None, y: ArrayLike | None = None,
                 loss: LossOf | None = None, optimizer: Optimizer | optim.Name = Adam(), *,
                 theta: ArrayLike | None = None, **options: Unpack[RunOptions]) -> None:
        rules = own_options(options)
        objective = objective_of(net, x, y, loss, objective_options(options))
        start = objective.initial() if theta is None else vector(theta, objective.size, "theta")
        self._validation = validation_of(net, loss, options)
        self._stream = options.get("stream")
        self._create(objective, optimizer, rules, lib.dyn_run_create, pointer(start))

    def _create(self, objective: Objective, optimizer: Optimizer | optim.Name, rules: dict[str, Any],
                function: Callable[..., int], source: Any, any_numerics: bool = False) -> None:
        optimizer = optim.of(optimizer)
        RunView.__init__(self, _objective=objective, _optimizer=optimizer, _rules=rules, _bar=_no_bar, _first=0, _goal=0)
        given = run_options(objective, rules)
        given.any_numerics = int(any_numerics)
        if self._validation is not None:
            given.validation = self._validation._as_parameter_.value
        me = weakref.ref(self)

        def show(*_: Any) -> None:
            run = me()
            if run is not None:
                run._show()
        progress = callback(objective._context, "dyn_progress_fn", show, user=False)
        given.progress = function_pointer(progress)
        feed = None if self._stream is None else _feed(objective, self._stream)
        given.feed = function_pointer(feed)
        moves = optimizer._options(objective.model.tensors if objective.model else None)
        address = make(objective._context, function, objective, ctypes.byref(moves),
                       ctypes.byref(given), source)
        Handle.__init__(self, objective._context, address, objective, moves, progress, feed, self._observers)

    @classmethod
    def load(cls, path: str | os.PathLike[str], net: Model | Objective | None = None, x: ArrayLike | None = None,
             y: ArrayLike | None = None, loss: LossOf | None = None, optimizer: Optimizer | optim.Name | None = None, *,
             any_numerics: bool = False, **options: Unpack[RunOptions]) -> Run:
        """A run from a checkpoint, with everything that it has measured, which goes on as if it had never stopped.

        To be given is what only the caller has: the data, and functions (a network of Model.from_function as net=, an
        objective of functions, measurements that are functions, by measure()). All else is made again as it was; what is
        given all the same is compared, and what differs refused with both values: network, loss, data, optimiser,
        batches. The end, the rules to stop and record_every may differ.

        any_numerics: go on where the checkpoint was written with another instruction set, other caches or other libraries,
            which give other bits; refused else, with both classes."""
        self = cls.__new__(cls)
        found = _note(path)
        objective = _objective_again(found, net, x, y, loss, objective_options(options))
        rules = {**found.get("run", {}), **own_options(options)}
        self._validation = validation_of(objective.model or objective, loss or cast(Any, objective._loss), options)
        self._stream = options.get("stream")
        if optimizer is None:
            optimizer = _recipe.optimizer(found["optimizer"]) if "optimizer" in found else Adam()
        self._create(objective, optimizer, rules, lib.dyn_run_load, file_path(path), any_numerics)
        for measured in found.get("measurements", []):
            measurement = measure.again(measured)
            if measurement is None:
                self._measurements[measured["name"]] = measure.Recorded(measured["name"])
                continue
            self.measure(measurement, **measured["when"])
            self._restored.add(measurement.name)
        return self

    @property
    def validation(self) -> Objective | None:
        """The loss on the validation set, if there is one."""
        return self._validation

    @property
    def optimizer(self) -> Optimizer:
        """The optimiser, as it was given."""
        return self._optimizer

    def train(self, steps: int | None = None, progress: bool | None = None, *, epochs: int | None = None,
              interrupt: Literal["raise", "return"] = "raise") -> Run:
        """Train for so many steps, or epochs, more; None: to the end the run was made with, or, if it was stopped, to
        where the train() before was to go.

        Ctrl-C ends it after a whole step with KeyboardInterrupt; everything measured is kept, run.stopped is True, and
        train() goes on. interrupt="return": it returns instead. progress: a bar by tqdm; None: where the standard error
        is a terminal, or in a notebook. Returns the run.

        Raises NonFinite where loss or gradient is not finite; theta is then where that was found."""
        if interrupt not in ("raise", "return"):
            raise invalid(f'interrupt={interrupt!r} is neither "raise" nor "return"')
        if epochs is not None:
            if steps is not None:
                raise invalid(f"steps is {steps} and epochs {epochs}: one of them is enough")
            steps = integer(epochs, "epochs", least=0) * self.epoch_steps
        count = self._left() if steps is None else integer(steps, "steps", least=0)
        target = self.step + count
        self._bar = Bar(progress, count if count < TO_END else None, unit="step")
        self._first = self.step
        try:
            self._call(lib.dyn_run_train, count)
        except KeyboardInterrupt:
            if interrupt == "raise" or not self.stopped:
                raise
        finally:
            self._goal = target if self.stopped else 0
            self._show()
            self._bar.close()
        return self

    @property
    def epoch_steps(self) -> int:
        """Steps in which every sample comes once."""
        batches = lib.dyn_data_batches(self.objective.samples, self._rules.get("batch") or 0,
                                       int(self._rules.get("drop_last", False)))
        accumulate = self._rules.get("accumulate", 1)
        if self._stream is not None or not batches or batches % accumulate:
            raise invalid("a stream has no epochs" if self._stream is not None else
                          f"an epoch of {batches} batches is no number of steps of {accumulate} batches")
        return int(batches // accumulate)

    def _left(self) -> int:
        """Steps to where a stopped train() was to go; without one, to the end."""
        return self._goal - self.step if self._goal > self.step else TO_END

    def _show(self) -> None:
        rows = ctypes.c_int64()
        losses = lib.dyn_run_history(self, b"loss", ctypes.byref(rows))
        last = ctypes.c_double.from_address(losses + 8 * (rows.value - 1)).value if rows.value else float("nan")
        self._bar.show(self.step - self._first, f"loss {last:.4g}")

    def stop(self) -> None:
        """Ask the training in progress to stop before its next step; from any thread, or an observer."""
        lib.dyn_run_stop(self)

    def predict(self, x: ArrayLike | None = None) -> NDArray[np.float64]:
        """Outputs where the run stands: on its own samples [n, c], or of the network on x."""
        if x is None:
            return self.objective.predict(self.theta)
        if self.objective.model is None:
            raise invalid("an objective of functions has no network")
        return cast(NDArray[np.float64], self.objective.model(self.theta, x, self.states))

    @property
    def states(self) -> dict[str, NDArray[np.float64]]:
        """Copies of the states of the network (running moments) by name."""
        initial = {name: state for model in self.objective.models for name, state in model.states.items()}
        values = np.empty(sum(state.size for model in self.objective.models for state in model.states.values()))
        self._call(lib.dyn_run_states, pointer(values))
        return cut(values, {name: state.shape for name, state in initial.items()})

    def accuracy(self) -> float:
        """Share of its samples that the run classifies rightly."""
        return self.objective.accuracy(self.theta)


def _feed(objective: Objective, stream: Stream) -> Any:
    """A dyn_feed_fn that lets a function of Python give the batches."""
    def call(_: Any, address: int) -> None:
        view = structs["dyn_batch_view"].from_address(address)
        names = [name.decode() for name in (ctypes.c_char_p * view.data).from_address(view.name)]
        dtypes, sizes = ((kind * view.data).from_address(at) for kind, at in ((ctypes.c_int32, view.dtype),
                                                                             (ctypes.c_int64, view.size)))
        given = stream(view.step)
        batch = given if isinstance(given, Mapping) else dict(zip(names, given))
        if set(batch) != set(names) or (given is not batch and len(given) != len(names)):
            raise invalid(f"the stream gives {', '.join(names)}, not {', '.join(map(str, batch))}")
        for name, dtype, size, rows in zip(names, dtypes, sizes, (ctypes.c_void_p * view.data).from_address(view.rows)):
            _fill(name, np.asarray(batch[name]), list(DTYPES.values())[dtype], (view.samples, size), rows)
    return callback(objective._context, "dyn_feed_fn", call, failure=STATUS["euser"])


def _fill(name: str, values: NDArray[Any], dtype: np.dtype[Any], shape: tuple[int, int], address: int) -> None:
    """Copy a batch to where the library wants it."""
    if values.shape[:1] != shape[:1] or values.size != shape[0] * shape[1]:
        raise shapes_differ(f"{name} of the stream has shape {list(values.shape)}, expected {shape[0]} samples of "
                            f"{shape[1]} numbers")
    if dtype == np.int64 and values.dtype.kind not in "iu":
        raise invalid(f"{name} of the stream holds {values.dtype}, indices are needed")
    view(address, shape, dtype)[...] = values.reshape(shape)


def _note(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What a checkpoint says of how its run was made; nothing where another program wrote it."""
    try:
        text = data.read(path, member="note").tobytes()
    except InvalidArgument:
        return {}
    return dict(json.loads(text))


def _objective_again(found: dict[str, Any], net: Model | Objective | None, x: ArrayLike | None, y: ArrayLike | None,
                     loss: LossOf | None, options: Objectives) -> Objective:
    """The objective of a checkpoint on the caller's data. What is given must be what it was."""
    if isinstance(net, Objective):
        return objective_of(net, x, y, loss, options)
    if found and found.get("loss") is None and not (isinstance(net, Model) and callable(loss)):
        raise invalid("the run's objective is one of functions, which a checkpoint cannot hold: give it")
    if x is None or y is None:
        raise invalid("a checkpoint holds checksums of the data, not the data: give x and y")
    model = net or _recipe.model(found.get("model"))
    _recipe.compare("the network's", *(_recipe.without_start(m) for m in (_recipe.of_model(model), found.get("model"))))
    if isinstance(loss, str):
        _recipe.compare("the", {"loss": loss}, {"loss": found["loss"]} if found else None)
    stored = found.get("objective", {})
    given = {name: value for name, value in options.items() if name not in ("memory_limit", "weight")}
    _recipe.compare("the objective's", given, {name: stored.get(name) for name in given} if found else None)
    return objective_of(model, x, y, loss or found.get("loss"), cast(Objectives, {**stored, **options}))


def own_options(options: RunOptions) -> dict[str, Any]:
    """Those that are the run's; names that nobody knows are refused."""
    unknown = [name for name in options if name not in (*OWN, *OBJECTIVE, *APART)]
    if unknown:
        raise TypeError(f"unknown options {', '.join(unknown)}; there are {', '.join([*OWN, *APART, *OBJECTIVE])}")
    return {name: value for name, value in options.items() if name in OWN}


def objective_options(options: RunOptions) -> Objectives:
    """Those that are the objective's."""
    return cast(Objectives, {name: value for name, value in options.items() if name in OBJECTIVE})


def run_options(objective: Objective, own: dict[str, Any]) -> Options:
    """dyn_run_options without a progress callback."""
    batch = own.get("batch")
    samples = 0 if batch is None else objective.samples
    if own.get("patience") is not None:
        integer(own["patience"], "patience", least=1)
    if batch is not None and samples and integer(batch, "batch", least=1) > samples:
        raise invalid(f"batch is {batch}, the data has {samples} samples")
    flags = {name: int(own[name]) for name in ("drop_last", "keep_best") if name in own}
    return structs["dyn_run_options"](**(own | flags))
