# SPDX-License-Identifier: BSD-3-Clause
"""Where members run: threads of this process, processes, or an executor of the caller's; and what happens when one of
them dies. The order in which members end, and beside which others, changes nothing in them."""
from __future__ import annotations

import collections
import concurrent.futures as futures
import contextlib
import multiprocessing
import os
import pickle
import threading
import time
from typing import Any, Callable, Iterable, Protocol

try:
    import loky                 # type: ignore[import-not-found, import-untyped, unused-ignore]
except ImportError:
    loky = None

from ..context import current
from ..errors import STATUS, error
from .member import Experiment, one_thread, work
from .labels import Point
from .store import Outcome

TOGETHER = 0.2          # seconds in which members end that go into the store by one transaction


class Place(Protocol):
    """Something that members can be given to."""

    slots: int

    def submit(self, point: Point, checkpoint: tuple[str, float] | None) -> futures.Future[Outcome]:
        """Start a member there, or put it into a queue."""

    def again(self) -> None:
        """Begin anew after a process has died."""

    def close(self, at_once: bool) -> None:
        """Give threads and processes back; at_once: without waiting for what they do."""


class Threads:
    """Threads of this process: for members whose training is C."""

    def __init__(self, experiment: Experiment, workers: int, here: bool) -> None:
        self.slots = 3 * workers + 64       # enough for all that end while some wait for others, and are kept
        self._stop, self._keeper = threading.Event(), one_thread()
        self._pool = futures.ThreadPoolExecutor(workers, "dyn-sweep")
        self._experiment, self._here = experiment, here

    def submit(self, point: Point, checkpoint: tuple[str, float] | None) -> futures.Future[Outcome]:
        return self._pool.submit(work, self._experiment, point, numerics=self._keeper.numerics, checkpoint=checkpoint,
                                 here=self._here, stop=self._stop.is_set, keeper=self._keeper)

    def again(self) -> None:
        raise AssertionError("threads do not die alone")

    def close(self, at_once: bool) -> None:
        if at_once:
            self._stop.set()
        self._pool.shutdown(wait=True, cancel_futures=True)


class Processes:
    """Processes of this machine, by loky where it is installed, for members whose training is Python."""

    def __init__(self, experiment: Experiment, workers: int) -> None:
        self.slots = 2 * workers
        self._workers = workers
        self._packed, self._numerics = packed(experiment), current().numerics
        self._pool = self._make()

    def _make(self) -> Any:
        given: dict[str, Any] = {"max_workers": self._workers, "initializer": _begin,
                                 "initargs": (self._packed, self._numerics, os.getpid())}
        if loky is not None:
            return loky.ProcessPoolExecutor(**given, timeout=60)
        return futures.ProcessPoolExecutor(**given, mp_context=multiprocessing.get_context("spawn"))

    def submit(self, point: Point, checkpoint: tuple[str, float] | None) -> futures.Future[Outcome]:
        found: futures.Future[Outcome] = self._pool.submit(_work_there, point, checkpoint)
        return found

    def again(self) -> None:
        self.close(True)
        self._pool = self._make()

    def close(self, at_once: bool) -> None:
        if loky is not None:
            self._pool.shutdown(kill_workers=at_once)
            return
        for process in list((self._pool._processes or {}).values()) if at_once else []:
            process.kill()
        self._pool.shutdown(cancel_futures=True)


class Given:
    """An executor of the caller's: of processes, Dask, MPI, Ray. numerics: the class that all of its machines are to
    compute in; None: each in its own."""

    def __init__(self, executor: Any, experiment: Experiment, workers: int | None, numerics: str | None) -> None:
        self._pool = executor
        self._packed, self._numerics = packed(experiment), numerics
        self.slots = 2 * (workers or getattr(executor, "_max_workers", None) or 64)

    def submit(self, point: Point, checkpoint: tuple[str, float] | None) -> futures.Future[Outcome]:
        found: futures.Future[Outcome] = self._pool.submit(work_packed, self._packed, self._numerics, point,
                                                              checkpoint)
        return found

    def again(self) -> None:
        raise error(STATUS["estate"], "the executor is broken: a process of it died")

    def close(self, at_once: bool) -> None:
        """It is the caller's."""


# ---- in other processes ----

_experiment: Any = None
_numerics = ""


def packed(experiment: Experiment) -> bytes:
    """An experiment for other processes; functions of __main__ and lambdas by cloudpickle where it is installed."""
    try:
        with contextlib.suppress(ImportError):
            import cloudpickle
            return bytes(cloudpickle.dumps(experiment))
        return pickle.dumps(experiment)
    except Exception as wrong:
        raise error(STATUS["enotsup"], f"the experiment cannot go to another process ({wrong}): make it a function "
                    "of a module, install cloudpickle, or take what cannot be pickled out of it") from None


def _begin(experiment: bytes, numerics: str, parent: int) -> None:
    global _experiment, _numerics
    _experiment, _numerics = pickle.loads(experiment), numerics
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """A process whose parent is gone has nobody to give results to."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def _work_there(point: Point, checkpoint: tuple[str, float] | None) -> Outcome:
    return work(_experiment, point, numerics=_numerics, checkpoint=checkpoint)


def work_packed(experiment: bytes, numerics: str | None, point: Point, checkpoint: tuple[str, float] | None) -> Outcome:
    """The same for executors that know nothing of the experiment yet."""
    return work(pickle.loads(experiment), point, numerics=numerics, checkpoint=checkpoint)


# ---- the loop ----

class Drive:
    """Members through a place: some at a time, until all are finished or it is stopped.

    A process that dies takes the members along that it and others had at hand: these are tried again, one at a time,
    and one that is alone when it dies again has failed. Members that end within TOGETHER seconds are kept together,
    before so many have ended that the others at hand are few."""

    def __init__(self, place: Place, start: Callable[[int], tuple[Point, tuple[str, float] | None]],
                 finished: Callable[[list[tuple[int, Outcome]]], None]) -> None:
        self._place, self._start, self._finished = place, start, finished
        self._flying: dict[futures.Future[Outcome], int] = {}
        self._ended: collections.deque[futures.Future[Outcome]] = collections.deque()
        self._some, self._many = threading.Event(), threading.Event()
        self._suspected: set[int] = set()

    def run(self, members: Iterable[int], enough: Callable[[], bool]) -> None:
        """Until all are finished, or it is enough."""
        waiting, suspects = collections.deque(members), collections.deque[int]()
        while (waiting or suspects or self._flying) and not enough():
            careful = bool(suspects) or not self._suspected.isdisjoint(self._flying.values())
            dead = self._launch(suspects or waiting, 1 if careful else self._place.slots) + self._land(0.1)
            if dead:
                self._place.again()
            if dead and careful:
                self._finished([(dead.pop(), Outcome("failed", message="its process died"))])
            self._suspected.update(dead)
            suspects.extend(dead)

    def end(self, at_once: bool) -> None:
        """Give the place back; what has not begun does not begin."""
        for future in self._flying:
            future.cancel()
        self._place.close(at_once)

    def keep_rest(self) -> None:
        """Keep what has ended while it was stopped."""
        ended = [future for future in self._flying if future.done() and not future.cancelled()]
        self._finished([(self._flying[f], f.result()) for f in ended if f.exception() is None])
        self._flying.clear()

    def _launch(self, queue: collections.deque[int], slots: int) -> list[int]:
        """Submit what there is room for; returns the members that a broken executor lost."""
        try:
            while queue and len(self._flying) < slots:
                future = self._place.submit(*self._start(queue[0]))
                self._flying[future] = queue.popleft()
                future.add_done_callback(self._note)
        except futures.BrokenExecutor:
            return self._land(None)
        return []

    def _note(self, future: futures.Future[Outcome]) -> None:
        """A member has ended; called where it did."""
        self._ended.append(future)
        self._some.set()
        if len(self._ended) >= min(len(self._flying), self._place.slots / 2):
            self._many.set()

    def _gathered(self, wait: float | None) -> list[futures.Future[Outcome]]:
        """Those that have ended. wait: seconds for the first, None for the end of all."""
        if wait is None:
            futures.wait(self._flying)
            return list(self._flying)
        if self._some.wait(wait):
            self._many.wait(TOGETHER)
        self._some.clear()
        self._many.clear()
        ended = [self._ended.popleft() for _ in range(len(self._ended))]
        return [future for future in ended if future in self._flying]

    def _land(self, wait: float | None) -> list[int]:
        """Take in what has ended; returns the members whose process died, and then all that were at hand. wait: see
        _gathered."""
        dead: list[int] = []
        ended: list[tuple[int, Outcome]] = []
        gathered = self._gathered(wait)
        for future in gathered:
            member = self._flying[future]
            try:
                ended.append((member, future.result()))
            except futures.BrokenExecutor:
                dead.append(member)
            except Exception as wrong:      # a result that cannot be sent, say
                ended.append((member, Outcome("failed", message=f"{type(wrong).__name__}: {wrong}")))
        self._finished(ended)
        for future in gathered:     # only now, so that keep_rest() finds them where Ctrl-C came before
            del self._flying[future]
        return dead + self._land(None) if dead and wait is not None else dead
