# SPDX-License-Identifier: BSD-3-Clause
"""The galleries of the site, from stored results alone: a page for each program and for each experiment of a paper,
with its figure, what you see, a stamp, how to make it again, and its source."""
import ast
import json
import pathlib

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROGRAMS, PAPERS = ROOT / "examples/programs", ROOT / "examples/papers"
IMAGES = "../../images"         # from docs/reference/programs and docs/reference/papers


TITLES = {
    "averages": "Averages, and the line between two runs", "coupled": "Losses that join samples",
    "differences": "An objective by callback", "digits": "A perceptron on digits", "flow": "Gradient flow with kinks",
    "from_torch": "From PyTorch and back", "measurement": "A measurement of one's own", "own_loss": "A loss of one's own",
    "own_optimiser": "An optimiser of one's own", "physics": "A differential equation",
    "recurrent": "A recurrent network", "residual_cnn": "A residual CNN", "small_gpt": "A small GPT",
    "teacher": "Teacher and student"}


def stored(folder):
    """Results by name of the program."""
    return {path.stem: json.loads(path.read_text()) for path in sorted((folder / "results").glob("*.json"))}


def docstring(path):
    """The text at the top of a program, of a C file its comment."""
    text = path.read_text()
    if path.suffix == ".py":
        return ast.get_docstring(ast.parse(text)).replace("\n", " ")
    comment = text.split("*/")[0].split("\n", 2)[2]
    return " ".join(line.strip(" *") for line in comment.splitlines())


def card(name, title, image):
    """A picture with its title, both leading to a page of this folder."""
    return "```{figure} %s\n:target: %s.html\n:alt: %s\n\n[%s](%s.md)\n```" % (image, name, title, title, name)


def gallery_page(title, text, cards, names):
    """All cards in a grid, and the pages that they lead to in the contents."""
    return "# %s\n\n%s\n\n```````{container} cards\n%s\n```````\n\n```{toctree}\n:hidden:\n\n%s\n```\n" % (
        title, text, "\n\n".join(cards), "\n".join(names))


# ---- programs ----

def title(name):
    """The name of a program in words."""
    return TITLES.get(name, name.replace("_", " ").capitalize())


def source(name):
    """The text of a file of the programs; of a C file all, as its first line begins a comment."""
    language, first = ("c", 1) if name.endswith(".c") else ("python", 2)
    shown = "```{literalinclude} ../../../examples/programs/%s\n:language: %s\n:lines: %d-\n```"
    return shown % (name, language, first)


def in_c(path):
    """The lines on the same program in C, where there is one beside that in Python."""
    other = path.with_suffix(".c")
    return [] if path == other or not other.exists() else [
        "## The same in C", "", docstring(other), "", source(other.name), ""]


def program_page(name, found):
    path = PROGRAMS / found["program"]
    again = "sh examples/programs/compare.sh %s" % name
    lines = ["# " + title(name), "", docstring(path), ""]
    if (ROOT / "docs/images/programs" / (name + ".png")).exists():
        lines += ["![%s](%s/programs/%s.png)" % (found["see"].replace("[", "(").replace("]", ")"), IMAGES, name), ""]
    lines += ["**What you see.** " + found["see"], ""] if found["see"] else []
    took = "**What it took.** %d lines, and %d with %s; seconds, memory and how far results are apart are in the " \
           "[table](../../programs.md)." % (found["lines"], found["peer_lines"], found["with"] or "its peer")
    stamp = "**Made** with libdyn %s on %s, %s. Again: `%s`" % (found["dyn"], found["date"], found["machine"], again)
    lines += [took, "", stamp, "",
              source(found["program"]), "", *in_c(path), "## The same in another library", "",
              docstring(PROGRAMS / "peers" / (name + ".py")), "", source("peers/%s.py" % name)]
    return "\n".join(lines) + "\n"


def programs():
    """Pages by name, with the index."""
    found = stored(PROGRAMS)
    pages = {name: program_page(name, one) for name, one in found.items()}
    cards = [card(name, title(name), "%s/programs/%s.png" % (IMAGES, name))
             for name, one in found.items() if one["see"]]
    text = "What researchers of training dynamics write, each in a few lines, beside the same in PyTorch or SciPy; " \
           "[how long they are and take](../../programs.md)."
    return {**pages, "index": gallery_page("Programs", text, cards, pages)}


# ---- papers ----

def experiments():
    """(page's name, program, paper, size, experiment) of all experiments that have a figure."""
    for program, paper in stored(PAPERS).items():
        for name in paper["order"]:
            size = next((size for size in ("paper", "quick") if name in paper.get(size, {})), None)
            if size and paper[size][name]["figures"]:
                yield "%s-%s" % (program, name), program, name, paper, size, paper[size][name]


def experiment_title(paper, name):
    return "%s: %s" % (paper["title"], name.replace("_", " "))


def told(values):
    mean = sum(values) / len(values)
    return "%.3g" % mean + (" on average over %d seeds" % len(values) if len(values) > 1 else "")


def seen(found):
    """Two sentences: what the figure shows, and its first claim with what was measured."""
    claim, right = found["claims"][0], sum(c["holds"] for c in found["claims"])
    return "%s. Of %d claims %d are reproduced; the first, %s, was expected to be %s and is %s." % (
        found["about"].split("\n")[0].rstrip("."), len(found["claims"]), right, claim["text"], claim["expected"],
        told(claim["measured"]))


def paper_page(program, name, paper, size, found):
    links = ", ".join("[%s](https://arxiv.org/abs/%s)" % (number, number) for number in paper["arxiv"].split(", "))
    again = "sh examples/papers/run.sh %s --only %s%s" % (program, name, " --quick" if size == "quick" else "")
    lines = ["# " + experiment_title(paper, name), "", "Of the paper %s." % links, ""]
    about = found["about"].split("\n")[0].replace("[", "(").replace("]", ")")
    lines += ["![%s](%s/papers/%s)\n" % (about, IMAGES, figure) for figure in found["figures"]]
    stamp = [found[key] for key in ("dyn", "date") if found.get(key)] + [found["machine"], "%.3g s" % found["seconds"]]
    lines += ["**What you see.** " + seen(found), "", "| claim | expected | measured |", "|---|---|---|"]
    for c in found["claims"]:
        measured = told(c["measured"]) + ("" if c["holds"] else ": **not reproduced**")
        lines.append("| %s | %s | %s |" % (c["text"].replace("|", "\\|"), c["expected"], measured))
    lines += ["", "**Made** in the %s size: %s. Again: `%s`" % (
        "paper's" if size == "paper" else "smaller", ", ".join(stamp), again), "",
        "```{literalinclude} ../../../examples/papers/%s.py\n:language: python\n:lines: 2-\n```" % program]
    return "\n".join(lines) + "\n"


def papers():
    """Pages by name, with the index."""
    found = list(experiments())
    pages = {page: paper_page(program, name, paper, size, one) for page, program, name, paper, size, one in found}
    cards = [card(page, experiment_title(paper, name), "%s/papers/%s" % (IMAGES, one["figures"][0]))
             for page, _, name, paper, _, one in found]
    text = "Experiments of papers, made again and held against their numbers; [all claims](../../reproduction.md)."
    return {**pages, "index": gallery_page("Papers", text, cards, pages)}
