# SPDX-License-Identifier: BSD-3-Clause
"""Pictures of the gallery's pages: the figures and animations that a block of code leaves in variables."""
import logging

from matplotlib.animation import Animation
from matplotlib.figure import Figure
from sphinx_gallery.scrapers import figure_rst

logging.getLogger("matplotlib.animation").setLevel(logging.WARNING)


def figures(block, variables, settings):
    """sphinx-gallery's hook, called after each block. Returns reStructuredText that shows what is new."""
    space = variables["example_globals"]
    seen = space.setdefault("__seen__", set())
    paths = []
    for thing in list(space.values()):
        if isinstance(thing, (Figure, Animation)) and id(thing) not in seen:
            seen.add(id(thing))
            path = next(variables["image_path_iterator"])
            if isinstance(thing, Animation):
                path = path.replace(".png", ".gif")
                thing.save(path, dpi=80, writer="pillow")
            else:
                thing.savefig(path, dpi=110)
            paths.append(path)
    return figure_rst(paths, settings["src_dir"])
