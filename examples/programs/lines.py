# SPDX-License-Identifier: BSD-3-Clause
"""The length of a program: what stands between the lines "---- program ----" and "---- check", counted by one rule.

Every line counts but imports, blank lines, comments, lines that only draw, and in C braces alone. Two statements on
a line are an error, as are lines of more than 120 characters."""
import ast

LONGEST = 120
DRAWS = {"plt", "pyplot", "figure", "axes", "FuncAnimation"}


def section(text):
    """The program of a file, with as many empty lines before it as make line numbers true."""
    before, body = text.split("---- program ----")
    program = body.split("\n", 1)[1].split("---- check")[0].rpartition("\n")[0]
    return "\n" * (before.count("\n") + 1) + program + "\n"


def draws(statement):
    """Whether a simple statement does nothing but draw: dyn.plot, dyn.plots, or matplotlib by its usual names."""
    if not isinstance(statement, (ast.Expr, ast.Assign)):
        return False
    for node in ast.walk(statement):
        if isinstance(node, ast.Name) and node.id in DRAWS:
            return True
        if isinstance(node, ast.Attribute) and node.attr in ("plot", "plots") and ast.unparse(node.value) == "dyn":
            return True
    return False


def statements(tree):
    """All statements in a tree, those within others too."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.stmt)]


def free(tree):
    """Numbers of the lines that do not count: imports and what draws."""
    spared = [s for s in statements(tree) if isinstance(s, (ast.Import, ast.ImportFrom)) or draws(s)]
    return {line for s in spared for line in range(s.lineno, s.end_lineno + 1)}


def check_one_a_line(tree, name):
    begins = [s.lineno for s in statements(tree)]
    twice = sorted({line for line in begins if begins.count(line) > 1})
    if twice:
        raise ValueError("%s:%d: two statements on a line" % (name, twice[0]))


def count_python(text, name):
    program = section(text)
    tree = ast.parse(program)
    check_one_a_line(tree, name)
    spared = free(tree)
    lines = [(number, line.strip()) for number, line in enumerate(program.splitlines(), 1)]
    return sum(bool(line) and not line.startswith("#") and number not in spared for number, line in lines)


def count_c(text):
    lines = [line.strip() for line in section(text).splitlines()]
    return sum(bool(line.strip("{}")) and not line.startswith(("/*", "*")) for line in lines)


def count(path):
    """Lines of a program's file; ValueError where it breaks a rule."""
    text = path.read_text()
    longest = max(map(len, text.splitlines()))
    if longest > LONGEST:
        raise ValueError("%s has a line of %d characters" % (path.name, longest))
    return count_c(text) if path.suffix == ".c" else count_python(text, path.name)
