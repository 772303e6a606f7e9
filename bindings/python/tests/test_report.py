# SPDX-License-Identifier: BSD-3-Clause
"""The report: one file that holds all it shows, and that a browser opens without a complaint."""
import os
import re
import shutil
import subprocess
import tempfile
import unittest
from html.parser import HTMLParser

import numpy as np

import dyn
from support import quadratic, wave

try:
    import matplotlib
    matplotlib.use("Agg")
except ImportError:
    matplotlib = None


class Reader(HTMLParser):
    """Identifiers, references and text of a page; complains of elements that are not closed."""
    EMPTY = {"meta", "br", "path", "use", "image", "rect"}

    def __init__(self, page):
        super().__init__()
        self.open, self.ids, self.links, self.words = [], [], [], []
        self.feed(page)
        assert not self.open, self.open

    def handle_starttag(self, tag, attributes):
        if tag not in self.EMPTY:
            self.open.append(tag)
        for name, value in attributes:
            self.ids += [value] if name == "id" else []
            self.links += [value] if name in ("href", "src", "xlink:href") else []

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        self.open = self.open[:-1] if tag not in self.EMPTY else self.open

    def handle_endtag(self, tag):
        if tag not in self.EMPTY:
            assert self.open.pop() == tag, tag

    def handle_data(self, data):
        self.words.append(data)


def measured(steps):
    run = dyn.Run(dyn.mlp([1, 20, 1], init=dyn.init.normal(0.1), seed=3), *wave(), optimizer=dyn.Adam(1e-2))
    run.measure(dyn.Sharpness(k=2), every=steps // 20)
    run.measure(dyn.Condensation(), at=("start", "log", "end"))
    run.measure(dyn.ModelRank(probe_std=4, rule="gap"), at=("start", "end"))
    return run.train(steps)


@unittest.skipIf(matplotlib is None, "matplotlib is not installed")
class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.training = measured(200)

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = os.path.join(self.folder.name, "report.html")
        self.addCleanup(self.folder.cleanup)

    def written(self, run, **options):
        dyn.report(run, self.path, **options)
        with open(self.path, encoding="utf-8") as file:
            return file.read()

    def test_it_says_what_was_run_and_how_sure_it_is(self):
        run = self.training
        page = Reader(self.written(run, title="a < b & c"))
        words = " ".join(page.words)
        self.assertIn("a < b & c", page.words)
        self.assertIn("200, ready" if run.reason == "ready" else f"200, {run.reason}", words)
        self.assertIn("Adam(rate=0.01", words)
        self.assertIn("seed of the start", words)
        self.assertIn(f"{run.seconds:.3g} s on {dyn.current().threads} threads, of which", words)
        self.assertIn(f"sharpness {run.costs['sharpness'].share:.0%}", words)
        self.assertIn(f"{run.history['loss'][-1]:.6g} at the end", words)
        self.assertIn(f"{run['rank'][-1].by_gap} by the largest gap", words)
        self.assertIn(f"{run['condensation'][len(run['condensation']) - 1].effective} directions", words)

    def test_it_needs_no_other_file(self):
        text = self.written(self.training)
        page = Reader(text)
        self.assertGreater(len(page.links), 10)
        self.assertEqual([link[:60] for link in page.links if not link.startswith(("#", "data:"))], [])
        self.assertEqual(len(page.ids), len(set(page.ids)))
        self.assertEqual({link[1:] for link in page.links if link.startswith("#")} - set(page.ids), set())

    def test_a_long_run_stays_small(self):
        self.written(measured(6000))
        self.assertLess(os.path.getsize(self.path), 2 << 20)

    def test_warnings(self):
        run = dyn.Run(quadratic([1.0]), optimizer=dyn.GD(1e150), theta=[1.0])
        with self.assertRaises(dyn.NonFinite):
            run.train(9)
        self.assertIn("nonfinite", re.findall('class="warning">(.*?)</p>', self.written(run))[0])

    def test_an_objective_of_functions(self):
        self.assertIn("<svg", self.written(dyn.Run(quadratic([1.0, 2.0]), optimizer=dyn.GD(0.1), theta=[1, 1]).train(9)))

    def sweep(self, seeds):
        def experiment(width, scale, seed):
            run = dyn.Run(dyn.mlp([1, width, 1], init=dyn.init.normal(scale), seed=seed), *wave(), steps=40)
            run.measure(dyn.Sharpness(), every=10)
            return run
        return dyn.Sweep(experiment, dict(width=[2, 3], scale=[0.1, 1.0], seed=range(seeds))).train()

    def test_cells_of_a_sweep_open_the_figures_of_their_members(self):
        for seeds, drawn in ((1, True), (20, False)):
            sweep = self.sweep(seeds)
            text = self.written(sweep)
            page = Reader(text)
            cells = [link[1:] for link in page.links if link.startswith("#cell")]
            self.assertEqual(cells, [f"cell-{i}" for i in (2, 3, 0, 1)])        # the largest width on top
            self.assertEqual(len(page.ids), len(set(page.ids)))
            for number, name in enumerate(sorted(cells)):
                section = text.split(f'id="{name}"')[1].split("</section>")[0]
                width, scale = [(2, 0.1), (2, 1.0), (3, 0.1), (3, 1.0)][number]
                self.assertEqual(section.count("<h4>"), seeds)
                self.assertEqual(section.count(f"width = {width}, scale = {scale:g}, seed"), seeds)
                self.assertGreaterEqual(section.count("<svg"), seeds if drawn else 2 * seeds)
                found = [m.results["sharpness"] for m in sweep.members(width=width, scale=scale)]
                self.assertTrue(f'href="#{name}">{np.mean(found):.3g}</a>' in text, name)
            self.assertEqual("<clipPath" in text.split('id="cell-0"')[1], drawn)
            self.assertLess(len(text), 2 << 20)

    @unittest.skipIf(shutil.which("chromium") is None, "chromium is not installed")
    def test_a_cell_in_a_browser(self):
        self.written(self.sweep(1))
        shown = []
        for place in ("", "#cell-3"):
            shot = os.path.join(self.folder.name, "cell.png")
            run = subprocess.run(
                ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
                 "--user-data-dir=" + self.folder.name + "/profile", "--window-size=1000,2500", "--screenshot=" + shot,
                 "file://" + self.path + place], capture_output=True, text=True, timeout=120)
            self.assertNotIn("CONSOLE", run.stderr)
            shown.append(np.mean(matplotlib.image.imread(shot)[..., :3].min(-1) < 0.9))
        self.assertGreater(shown[1], 1.05 * shown[0])       # the cell's figures are there when it is followed

    @unittest.skipIf(shutil.which("chromium") is None, "chromium is not installed")
    def test_in_a_browser(self):
        self.written(self.training)
        for width in (400, 1400):
            shot = os.path.join(self.folder.name, f"{width}.png")
            run = subprocess.run(
                ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
                 "--user-data-dir=" + self.folder.name + "/profile", f"--window-size={width},2000",
                 "--screenshot=" + shot, "file://" + self.path], capture_output=True, text=True, timeout=120)
            self.assertNotIn("CONSOLE", run.stderr)
            pixels = matplotlib.image.imread(shot)
            self.assertEqual(pixels.shape[1], width)
            self.assertGreater(np.mean(pixels[..., :3].min(-1) < 0.9), 0.02)


if __name__ == "__main__":
    unittest.main()
