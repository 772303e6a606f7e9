# SPDX-License-Identifier: BSD-3-Clause
"""Docstrings for Sphinx. Ours are written for help() in a terminal, in plain text: this makes reStructuredText of them.

Paragraphs stay. A line that begins with `name: what it is` begins a list of arguments, up to the end of the paragraph;
further ones may stand in the midst of its lines, after a full stop. Examples, which begin with >>>, stay as they are; so
does a paragraph that is indented as a whole, which is code. Nothing else has a meaning: stars and bars stand for themselves, `x` is code."""
import re

NAMES = r"\*{0,2}[a-zA-Z]\w*(?:, \*{0,2}\w+)*(?: \[[^\]]*\])?"
FIRST = re.compile(r"^(%s): (?=\S)" % NAMES)
FURTHER = re.compile(r"(?:^|(?<=[.;)] )|(?<=  ))(%s): (?=\S)" % NAMES)


def escaped(text):
    """A text in which only code between backticks has a meaning."""
    parts = re.split(r"(`[^`]+`)", text)
    return "".join("`%s`" % part if part.startswith("`") else re.sub(r"([*|_\\`])", r"\\\1", part) for part in parts)


def paragraph(lines):
    """A paragraph as it is, up to the line with which a list of arguments begins."""
    start = next((i for i, line in enumerate(lines) if FIRST.match(line)), len(lines))
    out = [escaped(line.strip()) for line in lines[:start]] + [""]
    parts = FURTHER.split(" ".join(line.strip() for line in lines[start:]))
    for names, meaning in zip(parts[1::2], parts[2::2]):
        out += ["``%s``" % names, "    " + escaped(meaning.strip())]
    return out + [""]


def plain(lines):
    """reStructuredText of the lines of a docstring."""
    out, block = [], []
    for line in [*lines, ""]:
        if line.strip():
            block.append(line)
        elif block:
            if block[0].lstrip().startswith(">>>"):
                out += block + [""]
            elif all(line.startswith("    ") for line in block):
                out += ["::", "", *block, ""]
            else:
                out += paragraph(block)
            block = []
    return out


def process(app, what, name, obj, options, lines):
    """autodoc's hook: lines are changed in place."""
    lines[:] = plain(lines)


def skip(app, what, name, obj, skipped, options):
    """autodoc's hook: fields of named tuples are told by their class."""
    return True if str(getattr(obj, "__doc__", "")).startswith("Alias for field number") else None


def signature(app, what, name, obj, options, given, returned):
    """autodoc's hook: arrays by the short names that the sources use."""
    def short(text):
        text = re.sub(r"~?(numpy\.)?ndarray\[tuple\[~?(typing\.)?Any, \.\.\.\], ~?(numpy\.)?dtype\[~?(numpy\.)?(\w+)\]\]",
                      r"NDArray[\5]", text)
        return re.sub(r"TypeAliasForwardRef\('(\w+)'\)", r"\1", text)
    return tuple(text and short(text) for text in (given, returned))
