# SPDX-License-Identifier: BSD-3-Clause
"""Tables for notebooks."""
from __future__ import annotations

import html
from typing import Any, Mapping

MOST = 12


def table(columns: Mapping[str, Any]) -> str:
    """Columns, sequences of one length, as an HTML table; of many rows the first and the last."""
    rows = min((len(c) for c in columns.values()), default=0)
    shown: list[int | None] = list(range(rows))
    if rows > MOST:
        shown[MOST // 2:rows - MOST // 2] = [None]
    head = "".join(f"<th>{html.escape(name)}</th>" for name in columns)
    body = "".join(f"<tr>{''.join(_cell(None if i is None else c[i]) for c in columns.values())}</tr>" for i in shown)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(value: Any) -> str:
    text = "…" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
    return f"<td>{html.escape(text)}</td>"
