# SPDX-License-Identifier: BSD-3-Clause
"""The report of a run: one file with what was run, how well each number is known, figures, and all numbers to fold."""
from __future__ import annotations

import os
import platform
import time
from typing import Any, Iterator

import numpy as np

from . import _html
from ._find import VERSION
from ._report_sweep import of_sweep
from ._run_view import RunView, Series
from .measure import CondensationSeries, RankSeries, SharpnessSeries
from .plots.style import spread
from .plots.whole import draw_part, parts_of
from .sweeps import Sweep

ROWS = 200      # of a history, at most: evenly, the first and the last among them


def report(run: RunView | Sweep, path: str | os.PathLike[str], title: str | None = None) -> None:
    """Write a report of a run to an HTML file that needs no other and no network: what was run, every measurement's figure
    with its evidence, warnings, and histories as tables to fold. Of a sweep: what it is, what failed, figures, the table,
    and a map whose cells open the figures of their members.

    >>> import pathlib, tempfile
    >>> run = dyn.Run(dyn.mlp([1, 10, 1], seed=1), [-1.0, 0.0, 1.0], [1.0, 0.0, 1.0])
    >>> _ = run.measure(dyn.Sharpness(), every=5)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     page = pathlib.Path(folder, "report.html")
    ...     dyn.report(run.train(20), page)
    ...     "<svg" in page.read_text()
    True
    """
    if isinstance(run, Sweep):
        content = list(of_sweep(run))
    else:
        content = list(_of_run(run))
    with open(path, "w", encoding="utf-8") as file:
        file.write(_html.page(title or ("Sweep" if isinstance(run, Sweep) else "Training run"), content))


def _of_run(run: RunView) -> list[str]:
    content = [_html.table(what(run)), *_warnings(run)]
    for number, part in enumerate(parts_of(run)):
        content += [f"<h2>{_html.text(part.title)}</h2>", _html.figure(draw_part(part), number)]
    content += ["<h2>Evidence</h2>", _html.table(_evidence(run), ["measurement", "rows", "how well it is known"])]
    return [*content, "<h2>Numbers</h2>", *_tables(run)]


def what(run: RunView) -> Iterator[tuple[str, Any]]:
    """What was run, and where."""
    objective, model = run.objective, run.objective.model
    if model is not None:
        yield "model", ", ".join(f"{name} {list(t.shape)}" for name, t in model.tensors.items())
        yield "seed of the start", model.seed
    yield "parameters", objective.size
    if objective.samples:
        yield "data", f"{objective.samples} samples, {objective.outputs} outputs"
    yield "arithmetic", objective.dtype
    if hasattr(run, "optimizer"):
        yield "optimiser", run.optimizer
    history = run.history
    yield "steps", f"{run.step}, {run.reason}"
    if len(history["loss"]):
        yield "loss", f"{history['loss'][0]:.6g} at step {history['step'][0]:.0f}, {history['loss'][-1]:.6g} at the end"
    if getattr(run, "seconds", None):
        yield "cost", _cost(run)
    facts = run._context.report()
    yield "libdyn", ", ".join(f"{key} {value}" for key, value in facts.items())
    yield "package", f"dyn {VERSION}, NumPy {np.__version__}, Python {platform.python_version()}"
    yield "host", f"{platform.node()}, {platform.machine()}, {platform.system()} {platform.release()}"
    yield "written", time.strftime("%Y-%m-%d %H:%M:%S %z")


def _cost(run: RunView) -> str:
    """Seconds, and which measurements took a hundredth of them and more."""
    shares = {name: cost.share for name, cost in getattr(run, "costs", {}).items()}
    told = [f"{name} {share:.0%}" for name, share in shares.items() if share >= 0.01]
    return f"{run.seconds:.3g} s on {run._context.threads} threads{', of which ' if told else ''}{', '.join(told)}"


def _warnings(run: RunView) -> Iterator[str]:
    """What a reader must know before believing a number."""
    if run.reason in ("nonfinite", "failed"):
        yield f'<p class="warning">The run ended at step {run.step}: {run.reason}.</p>'
    for name in run.measured:
        found = run[name]
        if isinstance(found, SharpnessSeries) and not found.converged.all():
            count, total = np.count_nonzero(~found.converged), found.converged.size
            yield f'<p class="warning">{_html.text(name)}: {count} of {total} eigenvalues have not converged.</p>'


def _evidence(run: RunView) -> Iterator[tuple[str, int, str]]:
    """A line per measurement."""
    for name in run.measured:
        found = run[name]
        yield name, len(found.steps), _known(found) if len(found.steps) else "nothing was measured"


def _known(found: Any) -> str:
    if isinstance(found, SharpnessSeries):
        scale = np.maximum(np.abs(found.values).max(axis=1, keepdims=True), np.finfo(float).tiny)
        return (f"largest residual {np.max(found.residuals / scale):.1e} of the largest eigenvalue; "
                f"{np.count_nonzero(found.converged)} of {found.converged.size} eigenvalues converged")
    if isinstance(found, RankSeries):
        last = found[len(found) - 1]
        return (f"at the end {last.rank}: {last.by_tolerance} by the tolerance {last.tolerance:.1e} (gap there "
                f"{last.gap_at_tolerance:.3g}), {last.by_gap} by the largest gap, {last.largest_gap:.3g}")
    if isinstance(found, CondensationSeries):
        layer = found[len(found) - 1]
        return (f"at the end {layer.effective} directions, {layer.dead} dead neurons, least cosine within a group "
                f"{np.min(layer.tightness, initial=1.0):.3f}")
    return "as its function gave it"


def _tables(run: RunView) -> Iterator[str]:
    """History and series, to fold."""
    history = run.history
    yield _table("history", list(history), [history[name] for name in history])
    for name in run.measured:
        yield from _series_tables(name, run[name])


def _series_tables(name: str, found: Any) -> Iterator[str]:
    if isinstance(found, Series):
        values = found.values.reshape(len(found.steps), -1)
        yield _table(name, ["step", *(f"[{i}]" for i in range(min(values.shape[1], 8)))], [found.steps, *values.T[:8]])
    elif isinstance(found, SharpnessSeries):
        k = range(found.values.shape[1])
        yield _table(name, ["step", *(f"λ{i + 1}" for i in k), *(f"residual {i + 1}" for i in k), "along gradient", "2/rate"],
                     [found.steps, *found.values.T, *found.residuals.T, found.directional, found.threshold])
    elif isinstance(found, RankSeries):
        rows = [found[i] for i in range(len(found))]
        names = ["rank", "by_tolerance", "by_gap", "largest_gap", "gap_at_tolerance"]
        yield _table(name, ["step", *names], [found.steps, *([getattr(r, n) for r in rows] for n in names)])
    elif isinstance(found, CondensationSeries):
        yield _table(name, ["step", "directions", "leading eigenvalue", "dead"],
                     [found.steps, found.effective, found.leading, found.dead])


def _table(name: str, head: list[str], columns: list[Any]) -> str:
    count = len(columns[0])
    rows = [[_cell(column[i]) for column in columns] for i in spread(count, ROWS)]
    shown = f"{name}: {count} rows" + (f", {ROWS} of them shown" if count > ROWS else "")
    return _html.folded(shown, _html.table(rows, head))


def _cell(value: Any) -> Any:
    """Whole numbers without a decimal point."""
    number = float(value)
    return int(number) if number.is_integer() and abs(number) < 1e15 else number
