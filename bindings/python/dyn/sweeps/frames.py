# SPDX-License-Identifier: BSD-3-Clause
"""Tables of a sweep for pandas."""
from __future__ import annotations

from typing import TYPE_CHECKING, Any, Sequence

from ..errors import STATUS, error, invalid
from .labels import SCALARS, label

if TYPE_CHECKING:
    import pandas as pd


def frame(table: dict[str, list[Any]]) -> pd.DataFrame:
    """Columns as a DataFrame; integers with gaps stay integers, what is neither number nor text is the words for it."""
    try:
        import pandas as pd
    except ImportError:
        raise error(STATUS["enotsup"], "frames need pandas: pip install pandas; Sweep.table() does not") from None
    table = {name: list(map(_word, column)) for name, column in table.items()}
    made = pd.DataFrame(table)
    whole = {name: "Int64" for name in made if made[name].dtype == object and _whole(table[str(name)])}
    return made.astype({**whole, "step": "Int64", "loss": float})


def _word(value: Any) -> Any:
    return value if isinstance(value, SCALARS) else label(value)


def _whole(column: list[Any]) -> bool:
    given = [value for value in column if value is not None]
    return bool(given) and all(isinstance(value, int) and not isinstance(value, bool) and -2**63 <= value < 2**63
                               for value in given)


def meant(frame: pd.DataFrame, value: str) -> pd.Series[Any]:
    """A column without what members found that became non-finite: it is not what the others found at their ends."""
    if "status" not in frame or value in ("step", "seconds"):
        return frame[value]
    return frame[value].where(frame["status"] != "nonfinite")


def pivot(frame: pd.DataFrame, rows: str | Sequence[str], columns: str | Sequence[str], value: str) -> pd.DataFrame:
    """The mean of a column for each pair of values of rows and columns, over all the rest that did not become
    non-finite."""
    names = [*([rows] if isinstance(rows, str) else rows), *([columns] if isinstance(columns, str) else columns)]
    missing = [name for name in [*names, value] if name not in frame]
    if missing:
        raise invalid(f"no column {', '.join(missing)}; there are {', '.join(frame)}")
    if frame[value].dtype.kind not in "biuf":
        raise invalid(f"{value} is text, of which there is no mean")
    means = frame.assign(**{value: meant(frame, value)}).groupby(names, sort=True, dropna=False)[value].mean()
    table: Any = means.unstack(names[-1] if isinstance(columns, str) else list(columns))
    table.attrs["value"] = value
    return table        # type: ignore[no-any-return, unused-ignore]
