# SPDX-License-Identifier: BSD-3-Clause
"""A sweep: an experiment at many points, trained on all cores and kept in a store."""
from __future__ import annotations

import collections
import json
import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, Iterator, Literal, Sequence, Union, overload

import numpy as np

from .._rows import table as html_table
from ..context import current
from ..errors import STATUS, error, invalid
from ..run import Bar, Run
from . import export, frames
from . import member as members
from .cost import Cost, cost_of
from .labels import Point, code_hash, keys, label
from .lock import sole
from .points import Points, check_call, points_of
from .pool import Drive, Given, Place, Processes, Threads
from .store import Member, Outcome, Store

if TYPE_CHECKING:
    import pandas as pd

FINISHED = ("done", "nonfinite", "failed")
Executor = Union[Literal["threads", "processes"], Any, None]


class Sweep:
    """An experiment at every one of many points, each trained on one core, all cores busy.

    experiment: called with a point's parameters by name. It returns a dyn.Run at step 0 with an end, which the sweep
        trains; or, having done its work itself, a number, or numbers and arrays by name.
    points: parameters by name, each a sequence of values, of which the product is taken, or a function of a NumPy
        generator, of which `draws` values are drawn at each point of the product; or a list of points, each a dict.
    store: a file of SQLite that keeps what is finished; a sweep that finds its store goes on where it was, after
        kill -9 too. A store of another experiment is refused. None: in memory.
    workers: members trained at once; None: one per core.
    executor: None: threads, and processes for runs whose training is Python step by step; "threads", "processes"; or an
        executor of concurrent.futures, also of Dask, mpi4py or Ray.

    A member gives the same bits whichever others run beside it, in which order, where and how often it was interrupted.
    One that fails is kept with its message. What an experiment draws must come from its parameters, a seed for example.

    >>> def experiment(width, seed):
    ...     net = dyn.mlp([1, width, 1], seed=seed)
    ...     return dyn.Run(net, [-1.0, 0.0, 1.0], [1.0, 0.0, 1.0], optimizer=dyn.Adam(1e-2), steps=20)
    >>> sweep = dyn.Sweep(experiment, dict(width=[2, 4], seed=range(3))).train()
    >>> sweep.pivot("width", "seed", "loss").shape
    (2, 3)
    """

    def __init__(self, experiment: members.Experiment, points: Points, *, store: str | os.PathLike[str] | None = None,
                 draws: int = 1, seed: int = 0, workers: int | None = None, executor: Executor = None) -> None:
        if not callable(experiment):
            raise TypeError(f"an experiment is a function that returns a run, not {experiment!r}")
        self.experiment: members.Experiment | None = experiment
        self.points = points_of(points, draws, seed)
        check_call(experiment, self.points[0])
        self._workers, self._executor = _checked(workers, executor)
        self._stopped = False
        self._elsewhere: list[int] = []     # what threads gave back
        self._store = Store(store)
        self._check()
        self._numbers = self._store.enter(self._keys)
        self._states = self._store.states()

    @classmethod
    def open(cls, store: str | os.PathLike[str]) -> Sweep:
        """What a store holds, to look at; also while it is trained, and where it cannot be written. Parameters that are
        neither numbers nor text are the words for them."""
        if not os.path.exists(store):
            raise error(STATUS["eio"], f"{os.fsdecode(store)} is not there")
        self = cls.__new__(cls)
        self.experiment = None
        self._store = Store(store, look=True)
        self._states = self._store.states()
        self._numbers = list(self._states)
        self._keys = list(self._store.keys().values())
        if not self._keys:
            raise invalid(f"{self._store.path} holds no members")
        self.points = [json.loads(text) for text in self._keys]
        return self

    # ---- is it the same? ----

    def _check(self) -> None:
        """Refuse a store of another experiment: by the parameters, and by the definition of a member that is there."""
        first = self._store.first()
        if first is not None:
            self._order_as(list(json.loads(first)))
        self._keys = keys(self.points)
        known = self._store.known()
        common = next((i for i, text in enumerate(self._keys) if text in known), None)
        if common is not None:
            self._compare(common, self._store.row(known[self._keys[common]]))
        elif known:
            self._refuse("none of its finished members is at a point of this sweep")

    def _order_as(self, theirs: list[str]) -> None:
        """The parameters in the order of the store."""
        ours = list(self.points[0])
        if set(theirs) != set(ours):
            self._refuse(f"its parameters are {', '.join(theirs)}, here they are {', '.join(ours)}")
        if theirs != ours:
            self.points = [{name: point[name] for name in theirs} for point in self.points]

    def _compare(self, i: int, row: dict[str, Any], store: Store | None = None) -> None:
        """The member at points[i] against that of a store, this sweep's or another."""
        assert self.experiment is not None
        store = store or self._store
        if row["reason"] == "results":
            if store.about().get("experiment") != code_hash(self.experiment):
                self._refuse("the code of the experiment is another", store)
            return
        with members.alone(current().numerics):
            made = self.experiment(**self.points[i])
            found = members.fingerprint(made) if isinstance(made, Run) else "none, as there is no run"
        if found != row["fingerprint"]:
            self._refuse(f"at {self._keys[i]} its run had another network, start, data, loss, optimiser, end or "
                         f"measurement (fingerprint {row['fingerprint']}, here {found})", store)

    def _refuse(self, why: str, store: Store | None = None) -> None:
        raise invalid(f"{(store or self._store).path} is the store of another sweep: {why}")

    # ---- training ----

    def train(self, progress: bool | None = None, *, retry: bool = False, checkpoint_every: float | None = None,
              any_numerics: bool = False, interrupt: Literal["raise", "return"] = "raise") -> Sweep:
        """Train all members that are not finished. retry: those that failed, too. Of those that fail a warning tells.

        Ctrl-C ends it with KeyboardInterrupt, or interrupt="return" returns then; what is finished is kept, and train()
        goes on. A store is trained by one process at a time: another is refused with StateError. checkpoint_every:
        seconds between checkpoints of members in training, beside the store; a member goes on from its checkpoint.
        any_numerics: go on although the store was begun with another instruction set or other libraries, whose bits
        differ. progress: a bar by tqdm; None: where somebody looks. Returns the sweep."""
        if interrupt not in ("raise", "return"):
            raise invalid(f'interrupt={interrupt!r} is neither "raise" nor "return"')
        if self.experiment is None:
            raise invalid("a store that was opened to be looked at has no experiment: make the sweep with store=")
        if checkpoint_every is not None and self._store.path == ":memory:":
            raise invalid("checkpoints lie beside the store: give store=")
        with sole(self._store.path):
            self._states = self._store.states()     # another process may have trained some
            return self._train(retry, checkpoint_every, any_numerics, progress, interrupt)

    def _train(self, retry: bool, every: float | None, any_numerics: bool, progress: bool | None,
               interrupt: str) -> Sweep:
        self._stopped = False
        self._note(any_numerics)
        self._begin(retry, every, any_numerics)
        self._bar = Bar(progress, len(self), unit="run", initial=self._ended())
        self._show()
        try:
            self._place(sorted(self._due))
        except KeyboardInterrupt:
            if interrupt == "raise":
                raise
        finally:
            self._bar.close()
            self._states = self._store.states()     # also of what was kept while Ctrl-C came
            self._store.settle()
        self._tell_failures()
        return self

    def _begin(self, retry: bool, every: float | None, any_numerics: bool) -> None:
        """What is due; points that are the same are trained once."""
        again = ("waiting", "failed") if retry else ("waiting",)
        first = {number: i for i, number in reversed(list(enumerate(self._numbers)))}
        self._due = {i for number, i in first.items() if self._states.get(number, "waiting") in again}
        self._every, self._failures = every, list[tuple[int, str]]()
        self._numerics: str | None = None if any_numerics else current().numerics
        if every is not None:   # one whose process was killed between keeping it and taking its checkpoint away
            for i in set(first.values()) - self._due:
                self._checkpoint(i).unlink(missing_ok=True)
        self._counts = collections.Counter(self._status(i) for i in range(len(self)))

    def _tell_failures(self) -> None:
        if self._failures:
            i, message = self._failures[0]
            warnings.warn(f"{len(self._failures)} of {len(self)} members failed, see Sweep.failed; the first at "
                          f"{self._keys[i]}: {message}", RuntimeWarning, stacklevel=4)

    def _note(self, any_numerics: bool) -> None:
        """Keep what decides the bits; refuse to mix two kinds of them."""
        assert self.experiment is not None
        ours, theirs = current().numerics, self._store.about().get("numerics")
        if theirs not in (None, ours) and not any_numerics:
            raise error(STATUS["estate"], f"{self._store.path} was begun with {theirs}; here there is {ours}, "
                        "which gives other bits: train in a context of that class (dyn.Context(numerics=...)), or "
                        "go on all the same with any_numerics=True")
        self._store.note(experiment=code_hash(self.experiment), numerics=ours)

    def take(self, *stores: str | os.PathLike[str]) -> Sweep:
        """Take in what is finished in other stores of the same experiment, where this sweep has nothing yet: the parts
        of an array of jobs. Returns the sweep."""
        assert self.experiment is not None
        for path in stores:
            with sole(self._store.path):
                self._take(Sweep.open(path)._store)
        return self

    def _take(self, other: Store) -> None:
        rows = {row["point"]: row for row in other.rows().values() if row["status"] in FINISHED}
        self._states = self._store.states()
        common = [i for i, text in enumerate(self._keys) if text in rows and self._status(i) not in FINISHED]
        compared = next((i for i in common if rows[self._keys[i]]["fingerprint"]), None)
        if compared is not None:
            self._compare(compared, rows[self._keys[compared]], other)
        self._store.copy([(self._numbers[i], rows[self._keys[i]]) for i in common], other)
        self._states = self._store.states()
        self._store.settle()

    def stop(self) -> None:
        """End the training in progress; from any thread. train() goes on."""
        self._stopped = True

    def _place(self, due: list[int]) -> None:
        """First in threads, what does not go together with others there in processes."""
        assert self.experiment is not None
        workers = self._workers or current().threads
        if self._executor == "processes":
            return self._through(Processes(self.experiment, workers), due)
        if self._executor not in (None, "threads"):
            return self._through(Given(self._executor, self.experiment, self._workers, self._numerics), due)
        self._through(Threads(self.experiment, workers, here=self._executor == "threads"), due)
        self._elsewhere = []
        rest = sorted(self._due)
        if rest and not self._stopped:
            self._through(Processes(self.experiment, workers), rest)

    def _through(self, place: Place, due: list[int]) -> None:
        drive = Drive(place, self._start, self._finish)
        try:
            drive.run(due, self._enough)
        except Exception:
            drive.end(at_once=True)
            raise
        except KeyboardInterrupt:
            drive.end(at_once=True)
            drive.keep_rest()
            raise
        drive.end(at_once=self._enough())
        drive.keep_rest()

    def _enough(self) -> bool:
        return self._stopped or len(self._elsewhere) >= 2 * (self._workers or current().threads)

    def _start(self, i: int) -> tuple[Point, tuple[str, float] | None]:
        return self.points[i], None if self._every is None else (str(self._checkpoint(i)), self._every)

    def _checkpoint(self, i: int) -> Path:
        folder = Path(self._store.path + ".checkpoints")
        folder.mkdir(exist_ok=True)
        return folder / f"{self._numbers[i]}.npz"

    def _finish(self, ended: list[tuple[int, Outcome]]) -> None:
        """Keep members that ended together: in one transaction, and only then without their checkpoints."""
        self._elsewhere += [i for i, outcome in ended if outcome.status == "elsewhere"]
        kept = [(i, outcome) for i, outcome in ended if outcome.status in FINISHED]
        self._store.finish([(self._numbers[i], outcome) for i, outcome in kept])
        for i, outcome in kept:
            self._due.discard(i)
            self._counts[self._status(i)] -= 1
            self._counts[outcome.status] += 1
            self._states[self._numbers[i]] = outcome.status
            if outcome.status == "failed":
                self._failures.append((i, outcome.message))
            if self._every is not None:
                self._checkpoint(i).unlink(missing_ok=True)
        self._show()

    def _status(self, i: int) -> str:
        return self._states.get(self._numbers[i], "waiting")

    def _ended(self) -> int:
        return sum(self._counts[s] for s in FINISHED)

    def _show(self) -> None:
        bad = [f"{self._counts[s]} {s}" for s in ("nonfinite", "failed") if self._counts[s]]
        self._bar.show(self._ended(), ", ".join(bad))

    # ---- looking ----

    def __len__(self) -> int:
        return len(self.points)

    @overload
    def __getitem__(self, i: int) -> Member: ...
    @overload
    def __getitem__(self, i: slice) -> list[Member]: ...

    def __getitem__(self, i: int | slice) -> Member | list[Member]:
        """The member at points[i], or those of a slice."""
        if isinstance(i, slice):
            return [self[k] for k in range(len(self))[i]]
        number = self._numbers[i]
        return Member(number, self.points[i], self._store.row(number), self._store.results(number).get(number, {}),
                      self._store.arrays(number))

    def __iter__(self) -> Iterator[Member]:
        return (self[i] for i in range(len(self)))

    def members(self, **fixed: Any) -> list[Member]:
        """The members whose parameters have these values."""
        unknown = [name for name in fixed if name not in self.points[0]]
        if unknown:
            raise invalid(f"{', '.join(unknown)} is no parameter; there are {', '.join(self.points[0])}")
        wanted = {name: label(value) for name, value in fixed.items()}
        found = [json.loads(text) for text in self._keys]
        return [self[i] for i, labels in enumerate(found) if all(labels[name] == wanted[name] for name in wanted)]

    @property
    def about(self) -> dict[str, str]:
        """What the store says of itself: version, created, numerics."""
        return self._store.about()

    @property
    def failed(self) -> list[Member]:
        """Members that failed, with their messages."""
        return [self[i] for i in range(len(self)) if self._status(i) == "failed"]

    def table(self) -> dict[str, list[Any]]:
        """Columns by name, a row per point: parameters, status, step, loss, results, seconds, message; None where
        there is nothing."""
        rows, found = self._store.rows(), self._store.results()
        names = dict.fromkeys(name for number in self._numbers for name in found.get(number, {}))
        columns: dict[str, list[Any]] = {name: [point[name] for point in self.points] for name in self.points[0]}
        for name in ("status", "step", "loss"):
            columns[name] = [rows[number][name] for number in self._numbers]
        for name in names:
            columns[name] = [found.get(number, {}).get(name) for number in self._numbers]
        for name in ("seconds", "message"):
            columns[name] = [rows[number][name] for number in self._numbers]
        return columns

    def frame(self) -> pd.DataFrame:
        """The table as a pandas DataFrame: a row per point."""
        return frames.frame(self.table())

    def pivot(self, rows: str | Sequence[str], columns: str | Sequence[str], value: str) -> pd.DataFrame:
        """The mean of a column over all other parameters, for each pair of values of two: a table to look at or
        draw. Members that became non-finite count in "step" and "seconds" alone; NaN where there is no other."""
        return frames.pivot(self.frame(), rows, columns, value)

    def cost(self) -> Cost:
        """What training all that is not finished will take, from some members trained for a few steps: memory and
        seconds."""
        if self.experiment is None:
            raise invalid("a store that was opened to be looked at has no experiment: make the sweep with store=")
        left = [point for i, point in enumerate(self.points) if self._status(i) not in FINISHED]
        return cost_of(self.experiment, left, self._workers or current().threads)

    def write_csv(self, path: str | os.PathLike[str]) -> None:
        """The table as CSV with a header."""
        export.write_csv(self, path)

    def write_npz(self, path: str | os.PathLike[str]) -> None:
        """The table's columns by name, and the arrays of the member at points[i] as "i/name", as an .npz archive."""
        export.write_npz(self, path)

    def write_tensorboard(self, folder: str | os.PathLike[str]) -> None:
        """All runs for TensorBoard: histories, parameters and results, a folder each."""
        export.write_tensorboard(self, folder)

    def __repr__(self) -> str:
        states = [self._status(i) for i in range(len(self))]
        counts = ", ".join(f"{states.count(s)} {s}" for s in (*FINISHED, "waiting") if s in states)
        return f"<dyn.Sweep {len(self)} members over {', '.join(self.points[0])}: {counts}>"

    def _repr_html_(self) -> str:
        return html_table(self.table())


def _checked(workers: int | None, executor: Executor) -> tuple[int | None, Executor]:
    if workers is not None and (isinstance(workers, bool) or not isinstance(workers, (int, np.integer)) or workers < 1):
        raise invalid(f"workers={workers!r}: how many members at once, at least 1; None: one per core")
    if executor not in (None, "threads", "processes") and not hasattr(executor, "submit"):
        raise invalid(f'executor={executor!r} is neither "threads" nor "processes" nor an executor with submit()')
    return workers, executor
