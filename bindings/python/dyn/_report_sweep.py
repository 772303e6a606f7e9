# SPDX-License-Identifier: BSD-3-Clause
"""The report of a sweep: what it is, what failed, its maps, and for each cell of a map the figures of its members.

A cell is a link to a section that shows when it is the page's target, so that the page needs no script. While there is
room for them members have the figures that a report of their run has, and otherwise small curves."""
from __future__ import annotations

from typing import Any, Iterator

import numpy as np
from matplotlib import colormaps

from . import _html
from ._html import text
from .plots.style import spread
from .plots.sweeps import _across, _norm, _order, _values, _word, plot_sweep
from .plots.whole import draw_part, parts_of
from .sweeps import Sweep
from .sweeps.frames import meant

ROWS = 200          # failed members that are named
ROOM = 1_500_000    # characters for figures of members
POINTS = 80         # of a curve that is drawn without matplotlib


def of_sweep(sweep: Sweep) -> Iterator[str]:
    """The parts of the page."""
    yield _html.table(what_sweep(sweep))
    for member in sweep.failed[:ROWS]:
        yield f'<p class="warning">{text(member)}: {text(member.message)}</p>'
    if any(member.status != "failed" for member in sweep):
        yield "<h2>Results</h2>" + _html.figure(plot_sweep(sweep), 0)
        yield from _maps(sweep)
    table = sweep.table()
    rows = [["" if v is None else v for v in row] for row in zip(*table.values())]
    yield "<h2>Members</h2>" + _html.folded(f"{len(rows)} members", _html.table(rows, list(table)))


def what_sweep(sweep: Sweep) -> Iterator[tuple[str, Any]]:
    """What a sweep is, and how far it has come."""
    table = sweep.table()
    yield "members", ", ".join(f"{table['status'].count(s)} {s}" for s in dict.fromkeys(table["status"]))
    for name in sweep.points[0]:
        values = list(dict.fromkeys(map(_word, table[name])))
        yield name, f"{len(values)} values: {', '.join(values[:8])}{', ...' if len(values) > 8 else ''}"
    yield "results", ", ".join(name for name in list(table)[len(sweep.points[0]) + 1:-2])
    yield "seconds", f"{sum(s or 0 for s in table['seconds']):.3g} of one core"
    yield from ((name, value) for name, value in sweep.about.items() if name in ("created", "version", "numerics"))


def _maps(sweep: Sweep) -> Iterator[str]:
    """The table of a result over one or two parameters, coloured; then a section for each of its cells."""
    frame = sweep.frame()
    axes, value = _across(sweep, frame, None)[:2], _values(sweep, frame, None)[0]
    rows, columns = _order(frame[axes[0]]), _order(frame[axes[1]]) if len(axes) > 1 else [None]
    cells = {(r, c): [int(i) for i in np.flatnonzero((frame[axes[0]] == r) & (c is None or frame[axes[-1]] == c))]
             for r in rows for c in columns}
    found = meant(frame, value)
    means = {where: found.iloc[members].astype(float).mean() for where, members in cells.items() if members}
    names = {where: f"cell-{number}" for number, where in enumerate(means)}
    yield f"<h2>{text(value)} by {text(', '.join(axes))}</h2><p>A cell opens the figures of its members.</p>"
    yield _grid(axes, rows, columns, means, names)
    room = ROOM
    drawn = _fits(sweep, [i for members in cells.values() for i in members])
    for where, name in names.items():
        title = ", ".join(f"{axis} = {_word(v)}" for axis, v in zip(axes, where))
        section = f'<section class="cell" id="{name}"><h3>{text(title)}</h3>' + "".join(
            _member(sweep, i, value, drawn) for i in cells[where]) + "</section>"
        room -= len(section)
        yield section if room > 0 else _no_room(name, title, cells[where])


def _no_room(name: str, title: str, members: list[int]) -> str:
    return (f'<section class="cell" id="{name}"><h3>{text(title)}</h3><p>No room is left on this page: '
            f"dyn.Sweep.open(store)[{members[0]}] has the figures.</p></section>")


def _grid(axes: list[str], rows: list[Any], columns: list[Any], means: dict[Any, float], names: dict[Any, str]) -> str:
    """Rows from the largest value down, as in the figure."""
    norm, colours = _norm(np.array(list(means.values()))), colormaps["viridis"]
    lines = []
    for r in reversed(rows):
        cells = "".join(_cell((r, c), means, names, norm, colours) for c in columns)
        lines.append(f"<tr><th>{text(_word(r))}</th>{cells}</tr>")
    top = "".join(f"<th>{text('' if c is None else _word(c))}</th>" for c in columns)
    corner = text(" by ".join(axes))
    return f'<div class="map"><table><tr><th>{corner}</th>{top}</tr>{"".join(lines)}</table></div>'


def _cell(where: Any, means: dict[Any, float], names: dict[Any, str], norm: Any, colours: Any) -> str:
    if where not in means or not np.isfinite(means[where]):
        return "<td></td>" if where not in means else f'<td><a href="#{names[where]}">none</a></td>'
    red, green, blue, _ = colours(float(norm(means[where])))
    ink = "#000" if 0.3 * red + 0.6 * green + 0.1 * blue > 0.5 else "#fff"
    paper = "#" + "".join(f"{round(255 * part):02x}" for part in (red, green, blue))
    return (f'<td style="background:{paper}"><a style="color:{ink}" href="#{names[where]}">{means[where]:.3g}</a></td>')


def _fits(sweep: Sweep, members: list[int]) -> bool:
    """Whether all members can have matplotlib's figures: by the size of the first that can be drawn."""
    first = next((i for i in members if hasattr(sweep[i], "history")), None)
    return first is not None and len(_figures(sweep[first], first)) * len(members) < ROOM


def _figures(member: Any, number: int) -> str:
    parts = parts_of(member)
    return "".join(_html.figure(draw_part(part), f"m{number}-{i}") for i, part in enumerate(parts))


def _member(sweep: Sweep, i: int, value: str, drawn: bool) -> str:
    """What became of one member."""
    member = sweep[i]
    point = ", ".join(f"{name} = {_word(v)}" for name, v in member.point.items())
    found = member.results.get(value)
    told = f"<h4>{text(point)}: {text(member.status)}{'' if found is None else f', {text(value)} {text(found)}'}</h4>"
    if member.message:
        told += f'<p class="warning">{text(member.message)}</p>'
    if not hasattr(member, "history") or not len(member.history["loss"]):
        return told
    return told + (_figures(member, i) if drawn else _curves(member))


def _curves(member: Any) -> str:
    """The loss, and of what was measured what is one number at a step."""
    found = {"loss": (member.history["step"], member.history["loss"])}
    for name in member.measured:
        values = np.asarray(getattr(member[name], "values", []), float)
        if len(values) and values.size < 20 * len(values):
            found[name] = (member[name].steps, values.reshape(len(values), -1)[:, 0])
    return "".join(_curve(name, *curve) for name, curve in found.items())


def _curve(name: str, steps: Any, values: Any) -> str:
    """Numbers over steps, logarithmic where they are positive, as a small SVG of a path alone."""
    chosen = spread(len(values), POINTS)
    x, y = np.asarray(steps, float)[chosen], np.asarray(values, float)[chosen]
    known = np.isfinite(y)
    x, y = x[known], np.log10(y[known]) if (y[known] > 0).all() else y[known]
    if len(y) < 2:
        return ""
    px, py = 300 * (x - x[0]) / max(x[-1] - x[0], 1), 60 - 56 * (y - y.min()) / max(float(np.ptp(y)), 1e-300)
    path = "M" + "L".join(f"{a:.0f} {b:.1f}" for a, b in zip(px, py))
    return (f'<figure class="curve"><svg viewBox="0 0 300 64"><path d="{path}" fill="none" stroke="#1f5fa8"/></svg>'
            f"<figcaption>{text(name)}: {values[0]:.3g} to {values[-1]:.3g}</figcaption></figure>")
