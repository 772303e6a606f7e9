# SPDX-License-Identifier: BSD-3-Clause
"""A page of HTML that needs nothing but itself: text, tables, tables to fold, figures as SVG."""
from __future__ import annotations

import html
import io
import re
from typing import Any, Iterable, Sequence

STYLE = """
:root { color-scheme: light dark; --ink: #222; --paper: #fff; --line: #ddd; --warn: #b3261e; }
@media (prefers-color-scheme: dark) { :root { --ink: #ddd; --paper: #16181d; --line: #3a3d44; --warn: #ff8a80; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60em; margin: 2em auto;
       padding: 0 1em; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2em; border-bottom: 1px solid var(--line); }
table { border-collapse: collapse; margin: 0.5em 0; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 0.15em 1em 0.15em 0; border-bottom: 1px solid var(--line); }
figure { margin: 1em 0; background: #fff; padding: 0.5em; overflow-x: auto; }
figure svg { width: 100%; height: auto; min-width: 30em; }
details { margin: 0.5em 0; } details > div { max-height: 30em; overflow: auto; }
.map { overflow-x: auto; } .map a { display: block; text-decoration: none; }
section.cell { display: none; } section.cell:target { display: block; }
.curve { display: inline-block; width: 20em; max-width: 100%; margin: 0.5em 1em 0.5em 0; color: #222; }
.curve svg { min-width: 0; }
.warning { color: var(--warn); font-weight: bold; }
"""


def text(value: Any) -> str:
    """A value as the text of an element: numbers with six digits."""
    return html.escape(f"{value:.6g}" if isinstance(value, float) else str(value))


def table(rows: Iterable[Sequence[Any]], head: Sequence[str] = ()) -> str:
    """A table; without a head the first column names the others."""
    top = "".join(f"<th>{text(cell)}</th>" for cell in head)
    lines = [f"<tr>{top}</tr>"] if head else []
    for first, *others in rows:
        tag = "td" if head else "th"
        lines.append(f"<tr><{tag}>{text(first)}</{tag}>" + "".join(f"<td>{text(cell)}</td>" for cell in others) + "</tr>")
    return "<table>" + "\n".join(lines) + "</table>"


def folded(summary: str, content: str) -> str:
    """What is shown when it is asked for."""
    return f"<details><summary>{text(summary)}</summary><div>{content}</div></details>"


def figure(drawn: Any, number: int | str) -> str:
    """A matplotlib figure as SVG. Its identifiers get the figure's number, as one page has several."""
    out = io.StringIO()
    drawn.savefig(out, format="svg")
    svg = re.sub(r"^.*?(?=<svg)", "", out.getvalue(), flags=re.S)
    svg = re.sub(r'(\bid="|url\(#|xlink:href="#)', rf"\g<1>f{number}-", svg)
    return f"<figure>{svg}</figure>"


def page(title: str, content: Iterable[str]) -> str:
    """The whole document."""
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{text(title)}</title>\n'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">\n<style>{STYLE}</style></head>\n'
            f"<body>\n<h1>{text(title)}</h1>\n" + "\n".join(content) + "\n</body></html>\n")
