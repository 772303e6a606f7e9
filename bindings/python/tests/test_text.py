# SPDX-License-Identifier: BSD-3-Clause
"""Text as tokens by tokenizer.json: there and back, bad files by their name."""
import pathlib
import tempfile
import unittest

import numpy as np

import dyn

try:
    import tokenizers
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
except ImportError:
    tokenizers = None

TEXT = "the quick brown fox jumps over the lazy dog; the dog is quick, " * 20


@unittest.skipIf(tokenizers is None, "tokenizers is not installed")
class Text(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        own = Tokenizer(models.BPE())
        own.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        own.decoder = tokenizers.decoders.ByteLevel()
        own.train_from_iterator([TEXT], trainers.BpeTrainer(vocab_size=300, initial_alphabet=own.pre_tokenizer.alphabet()))
        self.file = self.folder / "tokenizer.json"
        own.save(str(self.file))
        self.own = own

    def test_there_and_back(self):
        text = self.folder / "text"
        text.write_text(TEXT, encoding="utf-8")
        for given, tokenizer in ((TEXT, self.own), (text, self.file), (text, str(self.file))):
            made = dyn.data.tokenize(given, tokenizer)
            self.assertEqual(self.own.decode(made.tokens.tolist()), TEXT)
            self.assertEqual((made.tokens.dtype, made.vocabulary), (np.dtype(np.int64), self.own.get_vocab_size()))
        self.assertLess(len(made.tokens), len(TEXT) / 2)

    def test_it_trains(self):
        made = dyn.data.tokenize(TEXT, self.file)
        x, y = dyn.data.windows(made.tokens, 8, 16, seed=1)
        net = dyn.gpt(made.vocabulary, 8, layers=1, heads=2, width=8, seed=1)
        run = dyn.Run(net, x, y, loss="cross_entropy", optimizer=dyn.Adam(1e-2)).train(5)
        self.assertLess(run.history["loss"][-1], run.history["loss"][0])

    def test_bad_files_are_named(self):
        (self.folder / "cut").write_bytes(self.file.read_bytes()[:100])
        (self.folder / "latin").write_bytes(b"caf\xe9")
        for message, kind, text, tokenizer in (
                ("cut is no tokenizer.json", dyn.FormatError, TEXT, self.folder / "cut"),
                ("none: there is no such file", dyn.FileError, TEXT, self.folder / "none"),
                ("latin is no UTF-8: byte 3", dyn.FormatError, self.folder / "latin", self.file),
                ("No such file", dyn.FileError, self.folder / "none", self.file),
                ("must be a string or a path", dyn.InvalidArgument, 3, self.file),
                ("must be the path of a tokenizer.json", dyn.InvalidArgument, TEXT, 3)):
            with self.subTest(message), self.assertRaisesRegex(kind, message):
                dyn.data.tokenize(text, tokenizer)


if __name__ == "__main__":
    unittest.main()
