# SPDX-License-Identifier: BSD-3-Clause
"""What pyproject.toml cannot say: the digits and, where the checkout is built, the library go into the package."""
import shutil
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

CHECKOUT = Path(__file__).resolve().parents[2]
LIBRARY = CHECKOUT / "build/libdyn/libdyn.so.0"


class Build(build_py):
    def run(self):
        super().run()
        package = Path(self.build_lib) / "dyn"
        (package / "files").mkdir(parents=True, exist_ok=True)
        for file in (CHECKOUT / "examples/data").glob("digits-*.npy"):
            shutil.copy(file, package / "files")
        if LIBRARY.exists():
            shutil.copy(LIBRARY, package)


class MaybeBinary(Distribution):
    def has_ext_modules(self):
        return LIBRARY.exists()


setup(cmdclass={"build_py": Build}, distclass=MaybeBinary)
