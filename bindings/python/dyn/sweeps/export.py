# SPDX-License-Identifier: BSD-3-Clause
"""A sweep for other programs: CSV, .npz, TensorBoard."""
from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..logs import TensorBoard
from .labels import key, label
from .store import scalar

if TYPE_CHECKING:
    from .sweep import Sweep


def write_csv(sweep: Sweep, path: str | os.PathLike[str]) -> None:
    """The table with a header."""
    table = sweep.table()
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(table)
        for row in zip(*table.values()):
            writer.writerow(["" if value is None else scalar(label(value)) for value in row])


def write_npz(sweep: Sweep, path: str | os.PathLike[str]) -> None:
    """Columns of the table by name, and arrays of member i as "i/name"."""
    columns: dict[str, Any] = {name: _column(values) for name, values in sweep.table().items()}
    for i, member in enumerate(sweep):
        columns |= {f"{i}/{name}": array for name, array in member.arrays.items() if name != "note"}
    np.savez_compressed(path, **columns)


def _column(values: list[Any]) -> np.ndarray[Any, Any]:
    """Numbers with NaN where there are none, or text."""
    try:
        return np.array([np.nan if value is None else value for value in values], np.float64)
    except (TypeError, ValueError):
        return np.array(["" if value is None else str(label(value)) for value in values])


def write_tensorboard(sweep: Sweep, folder: str | os.PathLike[str]) -> None:
    """A run each: its history, its parameters and results."""
    results = sweep.table()
    for i, member in enumerate(sweep):
        if member.status not in ("done", "nonfinite"):
            continue
        board = TensorBoard(Path(folder, f"{i}"))
        history = getattr(member, "history", {})
        for row, step in enumerate(history.get("step", ())):
            board(int(step), {name: float(column[row]) for name, column in history.items() if name != "step"})
        found = {name: results[name][i] for name in ("loss", *member.results)}
        numbers = {name: float(value) for name, value in found.items() if isinstance(value, (int, float))}
        given = {name: scalar(label(value)) for name, value in member.point.items()}
        board.parameters(given, numbers, key(member.point))
        board.close()
