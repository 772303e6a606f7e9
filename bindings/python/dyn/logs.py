# SPDX-License-Identifier: BSD-3-Clause
"""Numbers of a run, while it trains, for programs that draw them: TensorBoard here, others by a function."""
from __future__ import annotations

import math
import os
from typing import Any, Mapping

from .errors import STATUS, error


class TensorBoard:
    """Writes into a folder what TensorBoard reads; needs tensorboardX, or PyTorch with tensorboard. For run.log():

        board = dyn.TensorBoard("logs/first")
        run.log(board, every=10)
        run.train()
        board.close()
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._writer: Any = _writer(os.fspath(folder))

    def __call__(self, step: int, values: Mapping[str, float]) -> None:
        """Add numbers of a step; those that are not finite are left out, as a chart cannot show them."""
        for name, value in values.items():
            if math.isfinite(value):
                self._writer.add_scalar(name, value, step)

    def parameters(self, given: Mapping[str, Any], found: Mapping[str, float], name: str) -> None:
        """The parameters of a run and its results, which the tab of hyperparameters lists."""
        known = {key: value if isinstance(value, (bool, int, float, str)) else str(value) for key, value in given.items()}
        self._writer.add_hparams(known, {f"result/{key}": value for key, value in found.items()})
        self._writer.add_text("point", name)

    def close(self) -> None:
        """Write what is left."""
        self._writer.close()


def _writer(folder: str) -> Any:
    try:
        from tensorboardX import SummaryWriter
    except ImportError:
        try:
            from torch.utils.tensorboard import SummaryWriter   # type: ignore[assignment, no-redef, unused-ignore]
        except ImportError:
            raise error(STATUS["enotsup"], "TensorBoard's format needs the package tensorboardX: pip install tensorboardX"
                        ) from None
    return SummaryWriter(folder)
