# SPDX-License-Identifier: BSD-3-Clause
"""docs/reproduction.md, written from stored results.

usage: table.py [--keep] [--check]

--keep    first take new results and figures from results/papers into examples/papers/results and docs/images/papers
--check   write nothing; fail if the page is not what the stored results say"""
import json
import shutil
import sys

from reproduction import KEPT, RESULTS, ROOT, number, told

PAGE = ROOT / "docs/reproduction.md"
IMAGES = ROOT / "docs/images/papers"
HEAD = """# Reproductions

What the papers claim, held against what libdyn measures. `sh examples/papers/run.sh [NAME ...] [--quick]` runs the
programs of `examples/papers`; this page is written from the results they stored (`examples/papers/table.py`), never by
hand. A measured value is the mean ± standard deviation over seeds; the verdict is that of the mean, at the tolerance in
the column beside it. Size "quick" is a smaller form of the same experiment, which the tests run; the paper's size is
then **not run** here. Version and date of a measurement are told where its results were stored with them. Seconds are
those of a whole experiment (%s).
"""


def shown(stored, name):
    """(size, experiment) to be shown: the paper's size where it was run."""
    for form in ("paper", "quick"):
        if name in stored.get(form, {}):
            return form, stored[form][name]
    return None


def experiments(stored):
    """(name, size, experiment) of all that were run, in their order."""
    return [(name, *found) for name in stored["order"] if (found := shown(stored, name))]


def verdict(claim):
    if claim["holds"]:
        return "reproduced"
    return "**not reproduced**" + (": " + claim["reason"] if claim["reason"] else "")


def row(claim, size, figures, seconds):
    links = " ".join("[figure](images/papers/%s)" % name for name in figures)
    cells = [claim["text"], claim["expected"], told(claim["measured"]) + " (%d)" % len(claim["measured"]), size,
             verdict(claim), links, seconds]
    return "| %s |" % " | ".join(cell.replace("|", "\\|") for cell in cells)


def origins(stored):
    """Sentences: which version of libdyn measured what, and when, as far as the results tell."""
    found = {}
    for name, _, experiment in experiments(stored):
        if "dyn" in experiment:
            found.setdefault((experiment["dyn"], experiment["date"]), []).append("`%s`" % name)
    return "".join(" libdyn %s, %s: %s." % (*which, ", ".join(names)) for which, names in sorted(found.items()))


def section(stored, program):
    """One paper: its claims and figures."""
    lines = ["## %s (%s)" % (stored["title"], links(stored["arxiv"])), "",
             "`sh examples/papers/run.sh %s`%s" % (program, origins(stored) and "." + origins(stored)), "",
             "| claim | expected | measured (seeds) | size | verdict | figure | seconds |",
             "|---|---|---|---|---|---|---|"]
    figures = []
    for name, size, found in experiments(stored):
        seconds = number(found["seconds"])
        for i, claim in enumerate(found["claims"]):
            lines.append(row(claim, size, found["figures"] if i == 0 else [], seconds if i == 0 else ""))
        about = found["about"].split("\n")[0].replace("[", "(").replace("]", ")")
        figures += ["![%s](images/papers/%s)" % (about, figure) for figure in found["figures"]]
    lines += ["| %s | | | paper | not run here: `--only %s` | | |" % (about.replace("|", "\\|"), name)
              for name, about in stored.get("about", {}).items() if not shown(stored, name)]
    return "\n".join([*lines, "", *figures, ""])


def links(papers):
    return ", ".join("[%s](https://arxiv.org/abs/%s)" % (p, p) for p in papers.split(", "))


def summary(all_stored):
    """One line for each program."""
    lines = ["| paper | claims | reproduced | seconds | seconds with others |", "|---|---|---|---|---|"]
    for stored in all_stored.values():
        found = [e for _, _, e in experiments(stored)]
        claims = [c for e in found for c in e["claims"]]
        peers = {}
        for e in found:
            for peer, seconds in e["peers"].items():
                ours, theirs = peers.get(peer, (0, 0))
                peers[peer] = ours + e["seconds"], theirs + seconds
        others = ", ".join("%s %s (here %s)" % (peer, number(b), number(a)) for peer, (a, b) in peers.items())
        lines.append("| %s (%s) | %d | %d | %s | %s |" % (
            stored["title"], stored["arxiv"], len(claims), sum(c["holds"] for c in claims),
            number(sum(e["seconds"] for e in found)), others))
    return "\n".join(lines)


def page(all_stored):
    machines = sorted({e["machine"] for stored in all_stored.values() for _, _, e in experiments(stored)})
    return "\n".join([HEAD % "; ".join(machines), summary(all_stored), "",
                      *(section(stored, program) for program, stored in all_stored.items())])


def keep():
    """Join new results to those kept; figures that the page no longer shows go."""
    KEPT.mkdir(exist_ok=True)
    for path in RESULTS.glob("*.json"):
        new, kept = json.loads(path.read_text()), KEPT / path.name
        old = json.loads(kept.read_text()) if kept.exists() else {}
        for form in ("quick", "paper"):
            joined = {**old.get(form, {}), **new.get(form, {})}
            new[form] = {name: joined[name] for name in new["order"] if name in joined}
        kept.write_text(json.dumps(new, indent=1, ensure_ascii=False) + "\n")
        wanted = {f for _, _, found in experiments(new) for f in found["figures"]}
        IMAGES.mkdir(parents=True, exist_ok=True)
        for old_figure in IMAGES.glob(path.stem + "-*.png"):
            if old_figure.name not in wanted:
                old_figure.unlink()
        for name in wanted:
            if (RESULTS / name).exists():
                shutil.copy(RESULTS / name, IMAGES / name)


def main():
    if "--keep" in sys.argv:
        keep()
    text = page({path.stem: json.loads(path.read_text()) for path in sorted(KEPT.glob("*.json"))})
    if "--check" not in sys.argv:
        PAGE.write_text(text)
    elif PAGE.read_text() != text:
        sys.exit("docs/reproduction.md is not what the stored results say: python examples/papers/table.py")


if __name__ == "__main__":
    main()
