# SPDX-License-Identifier: BSD-3-Clause
"""Build backend of this folder: that of the root, where the library is that the package carries."""
import os
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if not (ROOT / "pyproject.toml").is_file():
    raise RuntimeError(f"{Path(__file__).parent} is a part of libdyn and builds only inside of its checkout")
os.chdir(ROOT)

from mesonpy import *   # noqa: E402,F401,F403: the hooks, after the change of folder
