# SPDX-License-Identifier: BSD-3-Clause
"""Run a program and tell its seconds and memory; part of compare.py.

usage: measured.py TOLD TAKE IMAGE FILE VALUES [argument of the program ...]

Of FILE what stands between "---- program ----" and "---- check" is timed, in seconds of the processor, so that
other work beside does not count. A program of ours then has the values
of TAKE, a JSON table {name: expression}, written to VALUES, and its figure to IMAGE; a peer makes its check, with
VALUES as its first argument. Seconds, memory and versions go to the file TOLD as JSON."""
import json
import pathlib
import resource
import sys
import types


def memory():
    """Largest resident memory so far, in MiB, of this process and of those that it waited for."""
    return sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) / 1024


def processor():
    """Seconds of the processor so far, of this process and of those that it waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def part(text, begin, end):
    """Lines begin to end of a program as code that knows its line numbers."""
    return compile("\n" * begin + "\n".join(text.splitlines()[begin:end]), sys.argv[0], "exec")


def markers(text):
    """Line numbers at which the program and its check begin."""
    rows = text.splitlines()
    return [next(i for i, row in enumerate(rows) if row.startswith("# ---- " + word)) for word in ("program", "check")]


def flat(named):
    """Arrays by name; those of a dictionary by name/key."""
    import numpy as np
    arrays = {}
    for name, value in named.items():
        parts = {"%s/%s" % (name, k): v for k, v in value.items()} if isinstance(value, dict) else {name: value}
        arrays.update({k: np.asarray(v) for k, v in parts.items()})
    return arrays


def hand_over(take, values, image, space):
    """Write what the peer takes, and the figure with what is seen in it."""
    import numpy as np
    import pictures
    taken = {name: eval(expression, space) for name, expression in take.items()}
    np.savez(values, **flat(taken))
    told = {"see": pictures.make(pathlib.Path(sys.argv[0]).stem, space, image)} if image else {"see": ""}
    return {**told, "work": int(taken["work"]) if "work" in taken else None}


def libraries():
    """Versions of what a peer used."""
    return ", ".join("%s %s" % (name, sys.modules[module].__version__)
                     for name, module in (("PyTorch", "torch"), ("SciPy", "scipy")) if module in sys.modules)


def main():
    told, take, image, script, values, *arguments = sys.argv[1:]
    ours = bool(json.loads(take))
    text = pathlib.Path(script).read_text()
    sys.argv = [script, *([] if ours else [values]), *arguments]
    kept, sys.modules["__main__"] = sys.modules["__main__"], types.ModuleType("__main__")
    space = sys.modules["__main__"].__dict__        # where functions that other processes run are looked for
    space.update(__file__=script, __measured__=kept)
    program, check = markers(text)
    exec(part(text, 0, program), space)
    facts, begun = {"imports": memory()}, processor()
    exec(part(text, program, check), space)
    facts.update(seconds=processor() - begun, peak=memory())
    if ours:
        facts.update(hand_over(json.loads(take), values, image, space))
    else:
        exec(part(text, check, None), space)
        facts.update(libraries=libraries(), work=space.get("work"))
    pathlib.Path(told).write_text(json.dumps(facts))


if __name__ == "__main__":
    main()
