# SPDX-License-Identifier: BSD-3-Clause
"""Is the site whole? Links lead somewhere, nothing comes from the network; and where there is a Chromium, pages load without
a complaint at the widths of a phone and a screen, fit them, have their figures, are dark where that is asked for, and the
search finds.

usage: check.py SITE"""
import html
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from html.parser import HTMLParser
from urllib.parse import unquote, urlparse

docs = pathlib.Path(__file__).resolve().parent
sys.path.append(str(docs.parent / "tests"))
import checks       # noqa: E402

site = pathlib.Path(sys.argv[1]).resolve()
PAGES = ("index", "guide", "performance", "programs", "reproduction", "reference/gallery/index",
         "reference/gallery/plot_edge_of_stability", "reference/programs/index", "reference/programs/physics",
         "reference/papers/index", "reference/papers/cnn-alignment", "tutorials/stored/first_result",
         "reference/python/measure", "reference/c/sharpness")
PROBE = """<script>addEventListener("load", () => { parent.postMessage(JSON.stringify({
    wide: document.documentElement.scrollWidth, window: innerWidth,
    missing: [...document.images].filter(i => i.complete && !i.naturalWidth).map(i => i.src),
    paper: getComputedStyle(document.body).backgroundColor }), "*") })</script></body>"""
FRAME = """<!DOCTYPE html><title></title><iframe src="%s" width="%d" height="1500" style="border: 0"></iframe>
<script>addEventListener("message", found => { document.title = found.data })</script>"""


class Page(HTMLParser):
    """Identifiers of a page, and what it refers to."""

    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.loaded = {""}, [], []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        self.ids.update(given[key] for key in ("id", "name") if given.get(key))
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag in ("img", "script") and given.get("src"):
            self.loaded.append(given["src"])
        if tag == "link" and given.get("rel") in ("stylesheet", "icon") and given.get("href"):
            self.loaded.append(given["href"])


pages = {path: Page(path) for path in site.rglob("*.html")}


def dead(path, page):
    """References of a page that lead nowhere."""
    for link in page.links + page.loaded:
        url = urlparse(link)
        if url.scheme or link.startswith("//"):
            continue
        target = (path.parent / unquote(url.path)).resolve() if url.path else path
        if not target.exists() or (target in pages and unquote(url.fragment) not in pages[target].ids):
            yield "%s: %s" % (path.relative_to(site), link)


def links_lead_somewhere():
    bad = [line for path, page in pages.items() for line in dead(path, page)]
    assert len(pages) > 40 and not bad, "\n".join(bad[:20])


def nothing_from_the_network():
    bad = [(path.name, link) for path, page in pages.items() for link in page.loaded if urlparse(link).scheme in ("http", "https")]
    assert not bad, bad[:20]


def browser(folder, url, *arguments):
    """Chromium's output for a page; a message on its console fails."""
    run = subprocess.run(["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
                          "--virtual-time-budget=8000", "--user-data-dir=%s/profile" % folder, *arguments, url],
                         capture_output=True, text=True, timeout=120)
    complaints = [line for line in run.stderr.splitlines() if "CONSOLE" in line]
    assert run.returncode == 0 and not complaints, "%s\n%s" % (url, "\n".join(complaints) or run.stderr[-2000:])
    return run.stdout


def page_loads(name, width):
    assert (site / (name + ".html")).exists(), "there is no such page"
    with tempfile.TemporaryDirectory() as folder:
        picture = pathlib.Path(folder, "page.png")
        browser(folder, (site / (name + ".html")).as_uri(), "--screenshot=%s" % picture, "--window-size=%d,1500" % width)
        header = picture.read_bytes()[:24]
        assert int.from_bytes(header[16:20], "big") == width and picture.stat().st_size > 20000, picture.stat().st_size


def seen(name, width, *options):
    """What a script finds in a page at a width: how wide it is, images that are not there, the colour of the paper. The
    page is in a frame, as no window is narrower than 500 pixels."""
    page = site / (name + ".html")
    assert page.exists(), "there is no such page"
    probe = page.with_suffix(".probe.html")
    probe.write_text(page.read_text(encoding="utf-8").replace("</body>", PROBE), encoding="utf-8")
    try:
        with tempfile.TemporaryDirectory() as folder:
            frame = pathlib.Path(folder, "frame.html")
            frame.write_text(FRAME % (probe.as_uri(), width))
            dom = browser(folder, frame.as_uri(), "--dump-dom", "--window-size=1600,1600", *options)
    finally:
        probe.unlink()
    return json.loads(html.unescape(re.search("<title>(.*?)</title>", dom, re.S).group(1)))


def page_fits(name, width):
    found = seen(name, width)
    assert found["wide"] <= found["window"] == width, "%d wide in a window of %d" % (found["wide"], found["window"])
    assert not found["missing"], found["missing"]


def is_dark():
    paper = {scheme: sum(map(int, re.findall(r"\d+", seen("guide", 1400, "--blink-settings=preferredColorScheme=%d" % scheme)
                                             ["paper"])[:3])) for scheme in (0, 1)}
    assert paper[0] < 200 < 600 < paper[1], paper


def search_finds(word, expected):
    with tempfile.TemporaryDirectory() as folder:
        dom = browser(folder, (site / "search.html").as_uri() + "?q=" + word, "--dump-dom")
    found = re.findall(r'<li class="kind-\w+"><a href="([^"]+)"', dom)
    assert any(expected in link for link in found[:5]), found[:5]


tests = [("links lead somewhere", links_lead_somewhere), ("nothing comes from the network", nothing_from_the_network)]
if shutil.which("chromium"):
    tests += [("%s at %d pixels" % (name, width), lambda name=name, width=width: page_loads(name, width))
              for name in PAGES for width in (400, 1400)]
    tests += [("%s fits %d pixels, with its figures" % (name, width), lambda name=name, width=width: page_fits(name, width))
              for name in PAGES for width in (400, 1400)]
    tests += [("dark where that is preferred", is_dark)]
    tests += [("search finds Sharpness", lambda: search_finds("Sharpness", "#dyn.Sharpness")),
              ("search finds dyn_eigen_solve", lambda: search_finds("dyn_eigen_solve", "#c.dyn_eigen_solve"))]
checks.run(tests)
