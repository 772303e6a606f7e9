# SPDX-License-Identifier: BSD-3-Clause
"""A checkpoint to look at: what its run was, and all it has measured, without the data that going on would need."""
from __future__ import annotations

import json
import os
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from . import _recipe, measure
from ._run_view import Series
from .context import current
from .errors import InvalidArgument, invalid


class Saved:
    """What figures and reports ask of a run, read from a file: history, series, measurements, parameters."""

    reason = "saved"

    def __init__(self, path: str | os.PathLike[str]) -> None:
        members = arrays(path)
        if "history.step" not in members or "theta" not in members:
            raise invalid(f"{os.fspath(path)} is no checkpoint of a run: it has {', '.join(members) or 'no arrays'}")
        self._take(members)

    def _take(self, members: dict[str, NDArray[Any]]) -> None:
        """The members of a checkpoint."""
        self.note: dict[str, Any] = json.loads(members["note"].tobytes()) if "note" in members else {}
        self.theta: NDArray[np.float64] = members["theta"]
        self.history = {name[8:]: values for name, values in members.items() if name.startswith("history.")}
        self.step = int(self.history["step"][-1]) if len(self.history["step"]) else 0
        self.series = {name[7:-7]: Series(members[name[:-6] + "steps"], _column(values))
                       for name, values in members.items() if name.startswith("series.") and name.endswith(".values")}
        self.objective = SimpleNamespace(model=_model(self.note), size=len(self.theta), samples=0, outputs=0, inputs=None,
                                         targets=None, dtype=self.note.get("objective", {}).get("dtype", "float64"))
        self._context = current()
        self._measurements = {found["name"]: measure.again(found) or measure.Recorded(found["name"])
                              for found in self.note.get("measurements", [])}
        if self.note.get("optimizer"):
            self.optimizer = _recipe.optimizer(self.note["optimizer"])

    @property
    def measured(self) -> list[str]:
        """Names of the measurements; of a file that another program wrote, its series."""
        return list(self._measurements) or list(self.series)

    def __getitem__(self, name: str) -> Any:
        return self._measurements[name].result(cast(Any, self)) if name in self._measurements else self.series[name]


def arrays(path: str | os.PathLike[str]) -> dict[str, NDArray[Any]]:
    """All members of an .npz archive."""
    with np.load(path) as archive:
        if not hasattr(archive, "files"):
            raise invalid(f"{os.fspath(path)} is no .npz archive")
        return {name: archive[name] for name in archive.files}


def _column(values: NDArray[Any]) -> NDArray[Any]:
    """Rows of one number as a vector."""
    return values[:, 0] if values.ndim == 2 and values.shape[1] == 1 else values


def _model(note: dict[str, Any]) -> Any:
    try:
        return _recipe.model(note.get("model"))
    except InvalidArgument:         # a function of the user's
        return None
