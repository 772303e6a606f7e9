# SPDX-License-Identifier: BSD-3-Clause
"""Sphinx's settings for the site that `sh docs/build.sh` makes."""
import pathlib
import sys

docs = pathlib.Path(__file__).resolve().parent
root = docs.parent
sys.path[:0] = [str(docs), str(root / "bindings/python")]
import docstrings                       # noqa: E402
import dyn                              # noqa: E402
import pages                            # noqa: E402

project = "libdyn"
author = "the libdyn authors"
copyright = author
version = release = dyn.__version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "breathe",
              "sphinx_gallery.gen_gallery"]
exclude_patterns = ["site", "jupyter_execute", "gallery", "tutorials/[a-z]*.md", "reference/gallery/*.ipynb"]
nb_execution_mode = "off"              # tutorials are shown as they were stored by docs/tutorials.sh

myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_type_aliases = {"ArrayLike": "ArrayLike"}
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
suppress_warnings = [
    "duplicate_declaration.c",      # enum dyn_run_reason and the function of that name: two spaces in C
    "ref.python"]                   # the type bytes in what ArrayLike stands for, and properties of that name
breathe_projects = {"libdyn": str(root / "build/docs/doxygen/xml")}
breathe_default_project = "libdyn"
breathe_domain_by_extension = {"h": "c"}
c_id_attributes = ["DYN_API"]

toc_object_entries_show_parents = "hide"
sphinx_gallery_conf = {
    "examples_dirs": [str(docs / "gallery")], "gallery_dirs": ["reference/gallery"], "filename_pattern": "plot_",
    "image_scrapers": ("scraper.figures",), "capture_repr": (), "abort_on_example_error": True, "show_memory": False,
    "write_computation_times": False, "download_all_examples": False, "within_subsection_order": "FileNameSortKey"}

html_theme = "furo"
html_title = "libdyn " + version
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_copyright = False
html_show_search_summary = False        # would be fetched, which a browser refuses for files


def setup(app):
    pages.write(docs / "reference")
    app.connect("autodoc-process-docstring", docstrings.process)
    app.connect("autodoc-process-signature", docstrings.signature)
    app.connect("autodoc-skip-member", docstrings.skip)
