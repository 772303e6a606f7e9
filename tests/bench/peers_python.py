# SPDX-License-Identifier: BSD-3-Clause
"""libdyn through its Python package: what a call of a plan costs there (compare with the verb call in other.c)."""
import dyn
import numpy as np

from worker import serve, show


def call(case):
    g = dyn.Graph()
    f = g.compile(g.input("a", ()) + g.input("b", ()))
    total = np.empty(())
    f.bind("a", np.array(1.0))
    f.bind("b", np.array(2.0))
    f.bind_output(0, total)

    def make():
        function = f.run

        def run(units):
            for _ in range(units):
                function()
        return run

    def check(run):
        run(1)
        show("sum", float(total))
    return [("bound arrays", make)], check


serve({"call": call})
