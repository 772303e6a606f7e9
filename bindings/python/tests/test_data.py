# SPDX-License-Identifier: BSD-3-Clause
"""Data against NumPy, and damaged files."""
import gzip
import os
import struct
import subprocess
import sys
import tempfile
import unittest

import numpy as np

import dyn

R = np.random.default_rng(6)


class Data(unittest.TestCase):
    def test_digits(self):
        x, y = dyn.data.digits()
        self.assertEqual((x.shape, y.shape, x.min(), x.max()), ((1797, 64), (1797, 10), 0, 1))
        self.assertEqual(list(y.sum(0)), [178, 182, 177, 183, 181, 182, 181, 179, 174, 180])
        self.assertEqual(x.sum() * 16, 561718)
        self.assertEqual(list(dyn.data.digits(one_hot=False)[1][:4]), [0, 1, 2, 3])

    def test_files(self):
        a = R.normal(size=(5, 3))
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "a")
            np.save(path + ".npy", a.astype("f4"))
            np.savez(path + ".npz", a=a, k=np.arange(4))
            np.savetxt(path + ".csv", a, delimiter=",", header="u,v,w", comments="")
            np.testing.assert_array_equal(dyn.data.read(path + ".npy"), a.astype("f4"))
            np.testing.assert_array_equal(dyn.data.read(path + ".npz", "a"), a)
            self.assertEqual(dyn.data.read(path + ".npz", "k").dtype, np.int64)
            np.testing.assert_allclose(dyn.data.read(path + ".csv"), a, rtol=1e-15)
            with open(path + ".npy", "r+b") as file:
                file.truncate(130)
            with self.assertRaisesRegex(dyn.FormatError, "a.npy"):
                dyn.data.read(path + ".npy")
            with self.assertRaises(OSError):
                dyn.data.read(path + ".none")

    def test_bytes(self):
        """Images as MNIST's files hold them stay bytes, and are converted into the type asked for."""
        images = R.integers(0, 256, size=(6, 5, 4)).astype(np.uint8)
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "images.gz")
            with gzip.open(path, "wb") as file:
                file.write(bytes([0, 0, 8, 3]) + struct.pack(">3I", *images.shape) + images.tobytes())
            for dtype in (None, np.uint8, np.float32, np.float64, np.int64):
                got = dyn.data.read(path, dtype=dtype)
                self.assertEqual(got.dtype, dtype or np.uint8)
                np.testing.assert_array_equal(got, images)
            np.save(path + ".npy", np.array([0.5]))
            with self.assertRaisesRegex(dyn.InvalidArgument, "element 0 is 0.5"):
                dyn.data.read(path + ".npy", dtype=np.uint8)
        np.testing.assert_array_equal(dyn.data.split(images, 2)[0].dtype, np.uint8)

    def test_memory(self):
        """32 MB of bytes need the file, the array and its copy at most: far from eight bytes for each."""
        program = (
            "import dyn, resource, sys\n"
            "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024\n"
            "dyn.data.digits(); before = peak(); a = dyn.data.read(sys.argv[1])\n"
            "print(a.nbytes, peak() - before)")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "images")
            with open(path, "wb") as file:
                file.write(bytes([0, 0, 8, 2]) + struct.pack(">2I", 32, 1 << 20) + bytes(32 << 20))
            out = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
        size, grown = map(int, out.stdout.split())
        self.assertEqual(size, 32 << 20)
        self.assertLess(grown, 3.3 * size)

    def test_transformations(self):
        a = R.normal(3, 2, size=(50, 4))
        done = dyn.data.standardise(a)
        np.testing.assert_allclose(done.x, (a - a.mean(0)) / a.std(0), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(done.mean, a.mean(0), rtol=1e-13)
        np.testing.assert_allclose(dyn.data.standardise(a, "whole").std, [a.std()], rtol=1e-13)
        np.testing.assert_array_equal(dyn.data.one_hot([2, 0], 3), [[0, 0, 1], [1, 0, 0]])
        first, rest = dyn.data.split(a, 20, seed=1)
        np.testing.assert_array_equal(np.sort(np.r_[first, rest][:, 0]), np.sort(a[:, 0]))
        ids = dyn.data.split(np.arange(50), 20, seed=1)[0]
        np.testing.assert_array_equal(a[ids], first)
        with self.assertRaisesRegex(dyn.InvalidArgument, "dyn_array_one_hot"):
            dyn.data.one_hot([5], 3)


if __name__ == "__main__":
    unittest.main()
