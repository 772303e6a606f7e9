# SPDX-License-Identifier: BSD-3-Clause
"""One member of a sweep: made, trained on one thread, and put into the form in which it is kept. All that is here runs
where the member runs: in a thread, another process, or on another machine."""
from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import math
import numbers
import os
import platform
import threading
import time
from typing import Any, Callable, Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from .. import _recipe
from .._lib import call, lib
from ..context import Context, current
from ..errors import NonFinite, class_of, invalid
from ..measure import Custom, Recorded
from ..objective import Objective
from ..optim import Rate
from ..run import Run, quiet
from .labels import Point, code_hash
from .points import COLUMNS
from .store import Outcome

Experiment = Callable[..., Any]
FEW = 10        # a function called more often than at every tenth step takes turns with those of other threads
_thread = threading.local()


def one_thread(numerics: str | None = None, stop: Callable[[], bool] | None = None) -> Context:
    """A context with one thread, of this numeric class; None: that of the current context."""
    return Context(threads=1, interrupt=stop, numerics=numerics or current().numerics)


@contextlib.contextmanager
def alone(numerics: str | None, stop: Callable[[], bool] | None = None,
          keeper: Context | None = None) -> Iterator[Context]:
    """A context of this thread's with one thread, in which a member is made and trained. numerics: its class; None:
    that of the current context. stop: ends its work where true. keeper: of the plans that members of all threads share;
    None: those of this thread."""
    if getattr(_thread, "made_for", None) != (numerics, stop):
        _thread.context, _thread.keeper = one_thread(numerics, stop), keeper or one_thread(numerics)
        _thread.made_for = numerics, stop
        call(_thread.context, lib.dyn_sweep_share_plans, _thread.context, _thread.keeper)
    with _thread.context, quiet():
        yield _thread.context


def work(experiment: Experiment, point: Point, *, numerics: str | None, checkpoint: tuple[str, float] | None = None,
         here: bool = True, stop: Callable[[], bool] | None = None, keeper: Context | None = None) -> Outcome:
    """What becomes of the member at a point. checkpoint: a file from which it goes on, and seconds between writing it.
    here False: one that would hold other threads up is given back, as "elsewhere". numerics, stop, keeper: see
    alone."""
    begun = time.perf_counter()
    with alone(numerics, stop, keeper) as context:
        try:
            outcome = _made(experiment(**point), point, context, here, checkpoint)
        except KeyboardInterrupt:
            return Outcome("stopped")
        except Exception as wrong:
            outcome = Outcome("failed", message=f"{type(wrong).__name__}: {wrong}")
        outcome.numerics = context.numerics
    outcome.seconds = time.perf_counter() - begun
    outcome.host = platform.node()
    return outcome


def _made(made: Any, point: Point, context: Context, here: bool, checkpoint: tuple[str, float] | None) -> Outcome:
    if not isinstance(made, Run):
        return _of_results(made, point)
    if not here and (made._context is not context or holds_up(made)):
        return Outcome("elsewhere")
    _free(made._measurements, point)
    found = fingerprint(made)
    run, status, message = trained(made, checkpoint)
    outcome = _of_run(run, point)
    outcome.status, outcome.message, outcome.fingerprint = status, message, found
    return outcome


# ---- a run ----

def holds_up(run: Run) -> bool:
    """Whether training it is Python step by step, of which a process runs one at a time."""
    rate = run.optimizer.rate
    called = (run._stream, rate.function if isinstance(rate, Rate) else None)
    return any(f is not None for f in called) or _of_functions(run.objective) or any(
        isinstance(m, Custom) and _often(run._described[m.name]["when"]) for m in run._measurements.values())


def _of_functions(objective: Objective) -> bool:
    made = objective._recipe
    return (made is not None and made[0] == Objective.from_functions) or any(
        _of_functions(part) for part in objective._keep if isinstance(part, Objective))


def _often(when: dict[str, Any]) -> bool:
    return when["every"] < FEW if when["every"] is not None else when["at"] is None


def fingerprint(run: Run) -> str:
    """The definition of a run, where it stands and what it measures."""
    own = ctypes.c_uint64()
    call(run._context, lib.dyn_run_fingerprint, run, ctypes.byref(own))
    measured = json.dumps(list(run._described.values()), sort_keys=True, default=str)
    functions: list[Any] = [m.function for m in run._measurements.values() if isinstance(m, Custom)]
    functions += [getattr(run.optimizer, "step", None), getattr(run.optimizer.rate, "function", None),
                  run._stream]
    text = (measured + "".join(code_hash(f) for f in functions if f is not None)).encode()
    return f"{own.value ^ int.from_bytes(_digest(text), 'little'):016x}"


def _digest(text: bytes) -> bytes:
    return hashlib.sha256(text).digest()[:8]


def trained(run: Run, checkpoint: tuple[str, float] | None) -> tuple[Run, str, str]:
    """The run at its end, "done" or "nonfinite", and a message."""
    if run._rules.get("steps") is None and run.step == 0:
        raise invalid("the run of an experiment has no end: give it steps=")
    try:
        if checkpoint is None:
            _to_end(run)
        else:
            run = _with_checkpoints(run, *checkpoint)
    except NonFinite as wrong:
        if run.reason != "nonfinite":
            raise
        return run, "nonfinite", str(wrong)
    return run, "done", ""


def _to_end(run: Run) -> None:
    if run.reason in ("ready", "stopped") and run._rules.get("steps") is not None:
        run.train(progress=False)
    if run.stopped:
        raise KeyboardInterrupt


def _with_checkpoints(run: Run, path: str, seconds: float) -> Run:
    """From the checkpoint if there is one; writing it every so many seconds, and where it is stopped."""
    if os.path.exists(path):
        run = _resumed(run, path)
    while run.reason in ("ready", "stopped"):
        timer = threading.Timer(seconds, run.stop)
        timer.start()
        try:
            run.train(progress=False)
        finally:
            timer.cancel()
            if run.stopped:
                run.save(path)
    return run


def _resumed(run: Run, path: str) -> Run:
    """The same run from its checkpoint, with the measurements that it was made with. In which numerics it may go on was
    asked of the store, of which it is a part."""
    given: dict[str, Any] = {} if run._stream is None else {"stream": run._stream}
    again = Run.load(path, run.objective, optimizer=run.optimizer, validation=run.validation, any_numerics=True,
                     **given, **run._rules)
    for name, measurement in run._measurements.items():
        if name not in again._measurements or isinstance(again._measurements[name], Recorded):
            again.measure(measurement, **run._described[name]["when"])
    return again


# ---- what is kept ----

def _of_run(run: Run, point: Point) -> Outcome:
    history = run.history
    arrays: dict[str, NDArray[Any]] = {f"history.{name}": history[name] for name in history}
    for name, found in run.series.items():
        arrays |= {f"series.{name}.steps": found.steps, f"series.{name}.values": found.values}
    arrays["theta"] = run.theta
    note = _recipe.of_run(run.objective, run.optimizer, run._rules, list(run._described.values()))
    arrays["note"] = np.frombuffer(note.encode(), np.uint8)
    loss = arrays["history.loss"]
    return Outcome("done", run.reason, step=run.step, loss=float(loss[-1]) if len(loss) else None,
                   results=_free(_numbers(run), point), arrays=arrays)


def _numbers(run: Run) -> dict[str, float]:
    """What a table shows besides the columns that all have."""
    known = ("step", "loss", "gradient_norm", "rate")
    found = {name: value for name, value in run.numbers().items() if name not in known}
    if run._rules.get("keep_best") or run._rules.get("patience"):
        found |= {"best_loss": run.best_loss, "best_step": run.best_step}
    return found


def _of_results(made: Any, point: Point) -> Outcome:
    """Numbers, texts and arrays that an experiment returns by name, or a number alone."""
    if made is None:
        raise invalid("the experiment returned None: return the run, numbers and arrays by name, or {} for nothing")
    results: dict[str, Any] = {}
    arrays: dict[str, NDArray[Any]] = {}
    for name, value in (made if isinstance(made, dict) else {"value": made}).items():
        if isinstance(value, np.ndarray) and value.ndim == 0:
            value = value.item()
        if value is None or isinstance(value, (bool, str, numbers.Integral, np.bool_)):
            results[str(name)] = value
        elif isinstance(value, numbers.Real):
            results[str(name)] = float(value)
        else:
            arrays[str(name)] = _array(name, value)
    loss = _loss(results.pop("loss", None))
    return Outcome("done", "results", loss=loss, results=_free(results, point), arrays=arrays)


def _loss(value: Any) -> float | None:
    if isinstance(value, str):
        raise invalid(f"the loss that the experiment returned is {value!r}, which is no number")
    return None if value is None or math.isnan(value) else float(value)


def _array(name: Any, value: Any) -> NDArray[Any]:
    try:
        array = np.asarray(value)
    except ValueError:      # rows of different lengths
        array = np.asarray(None)
    if array.dtype.kind not in "biuf":
        raise invalid("an experiment returns a run, a number, or numbers and arrays by name; "
                      f"{name} is {class_of(value)}")
    return array


def _free(results: Iterable[str], point: Point) -> Any:
    """Results, none of which has the name of a parameter or of a column that all tables have."""
    both = [name for name in results if name in point or name in COLUMNS and name != "loss"]
    if both:
        raise invalid(f"{', '.join(both)} is the name of a parameter or of a column, and of a result: give one another "
                      "name")
    return results
