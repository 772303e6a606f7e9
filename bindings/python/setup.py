# SPDX-License-Identifier: BSD-3-Clause
"""What pyproject.toml cannot say: the digits and, where the checkout is built, the library go into the package, and
nothing is left behind in the source folder."""
import atexit
import shutil
import tempfile
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

CHECKOUT = Path(__file__).resolve().parents[2]
LIBRARY = CHECKOUT / "build/libdyn/libdyn.so.0"
SCRATCH = tempfile.mkdtemp()
atexit.register(shutil.rmtree, SCRATCH, ignore_errors=True)


class Build(build_py):
    def run(self):
        super().run()
        if self.editable_mode:      # the package then lies in the checkout, and finds both there
            return
        package = Path(self.build_lib) / "dyn"
        (package / "files").mkdir(parents=True, exist_ok=True)
        for file in (CHECKOUT / "examples/data").glob("digits-*.npy"):
            shutil.copy(file, package / "files")
        if LIBRARY.exists():
            shutil.copy(LIBRARY, package)


class MaybeBinary(Distribution):
    def has_ext_modules(self):
        return LIBRARY.exists()


setup(cmdclass={"build_py": Build}, distclass=MaybeBinary,
      options={"build": {"build_base": SCRATCH}, "egg_info": {"egg_base": SCRATCH}})
