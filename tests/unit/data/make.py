# SPDX-License-Identifier: BSD-3-Clause
"""Makes the files of this folder with NumPy: python3 make.py. Element i (counted row-major) is (7 i - 11) / 8 in float
files and 7 i - 11 in signed, 7 i in unsigned integer files; the tests know the same rule."""
import gzip
import struct
import numpy as np

def numbers(shape, dtype):
    dtype = np.dtype(dtype)
    i = np.arange(int(np.prod(shape, dtype=int))).reshape(shape)
    if dtype.kind == "f":
        return ((7 * i - 11) / 8).astype(dtype)
    return (7 * i if dtype.kind == "u" else 7 * i - 11).astype(dtype)

for code in ["<f8", "<f4", "<i8", "<i4", "<i2", "|i1", "<u4", "<u2", "|u1", ">f8", ">f4", ">i8", ">i4", ">i2", ">u2"]:
    name = {"<": "little", ">": "big", "|": "byte"}[code[0]] + "-" + code[1:]
    np.save(name + ".npy", numbers((2, 3), code))
np.save("fortran-f8.npy", np.asfortranarray(numbers((2, 3, 4), "<f8")))
np.save("fortran-big-i2.npy", np.asfortranarray(numbers((3, 1, 2), ">i2")))
np.save("rank0.npy", np.float64(-1.375))
np.save("rank1.npy", numbers((5,), "<f4"))
np.save("rank8.npy", numbers((1, 2, 1, 1, 3, 1, 1, 1), "<f4"))
np.save("empty.npy", np.zeros((0, 3)))
np.save("bool.npy", np.array([[True, False, True]]))
for version in [(2, 0), (3, 0)]:
    with open("version%d.npy" % version[0], "wb") as f:
        np.lib.format.write_array(f, numbers((2, 3), "<f8"), version=version)
np.savez("stored.npz", a=numbers((2, 3), "<f8"), b=np.asfortranarray(numbers((3, 2), ">i4")))
np.savez_compressed("deflated.npz", zeros=np.zeros((40, 50)), a=numbers((2, 3), "<f8"))
np.savez("single.npz", only=numbers((2, 3), "<f4"))
np.save("complex.npy", np.zeros(2, complex))
np.save("records.npy", np.zeros(2, [("x", "<f4"), ("y", "<i4")]))
np.save("unicode.npy", np.array(["ab"]))
with open("images.idx", "wb") as f:
    f.write(bytes([0, 0, 0x08, 3]) + struct.pack(">3I", 2, 3, 4) + numbers((2, 3, 4), "u1").tobytes())
with open("shorts.idx", "wb") as f:
    f.write(bytes([0, 0, 0x0B, 1]) + struct.pack(">I", 4) + numbers((4,), ">i2").tobytes())
with open("floats.idx", "wb") as f:
    f.write(bytes([0, 0, 0x0D, 2]) + struct.pack(">2I", 2, 3) + numbers((2, 3), ">f4").tobytes())

def packed(path, out, split=0):
    """The file packed with gzip, as two members if split is not 0."""
    data = open(path, "rb").read()
    parts = [data[:split], data[split:]] if split else [data]
    with open(out, "wb") as f:
        f.write(b"".join(gzip.compress(part, mtime=0) for part in parts))

packed("images.idx", "images.idx.gz", split=20)
packed("little-f4.npy", "floats.npy.gz")
packed("images.idx.gz", "twice.gz")
