# SPDX-License-Identifier: BSD-3-Clause
"""Text as tokens, by the tokenizer files of the package tokenizers (tokenizer.json). It is imported when it is first used."""
from __future__ import annotations

import os
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .errors import STATUS, class_of, error, invalid


class Tokens(NamedTuple):
    """The tokens [count] of a text, and how many kinds there are: the size of an embedding.

    >>> dyn.data.Tokens(np.array([2, 0]), 3).vocabulary
    3
    """

    tokens: NDArray[np.int64]
    vocabulary: int


def tokenize(text: str | os.PathLike[str], tokenizer: Any) -> Tokens:
    """The tokens of a text: a string, or a path (pathlib.Path) of a UTF-8 file.

    tokenizer: the path of a tokenizer.json, as models on the hub carry it, or a tokenizers.Tokenizer. What it adds at begin
        and end of a text is left out. Needs the package tokenizers. dyn.data.windows cuts the tokens into samples.

    >>> from tokenizers import Tokenizer, models, pre_tokenizers
    >>> own = Tokenizer(models.WordLevel({"to": 0, "be": 1, "or": 2, "not": 3}))
    >>> own.pre_tokenizer = pre_tokenizers.Whitespace()
    >>> dyn.data.tokenize("to be or not to be", own)
    Tokens(tokens=array([0, 1, 2, 3, 0, 1]), vocabulary=4)
    """
    own = _tokenizer(tokenizer)
    ids = np.array(own.encode(_read(text), add_special_tokens=False).ids, np.int64)
    kinds = own.get_vocab()
    return Tokens(ids, max(kinds.values(), default=-1) + 1)


def _tokenizer(given: Any) -> Any:
    from tokenizers import Tokenizer
    if isinstance(given, Tokenizer):
        return given
    if not isinstance(given, (str, os.PathLike)):
        raise invalid(f"tokenizer is {class_of(given)}, must be the path of a tokenizer.json or a tokenizers.Tokenizer")
    path = os.fspath(given)
    if not os.path.isfile(path):
        raise error(STATUS["eio"], f"{path}: there is no such file")
    try:
        return Tokenizer.from_file(path)
    except Exception as refused:        # the package raises Exception itself
        raise error(STATUS["eformat"], f"{path} is no tokenizer.json: {refused!s:.300}") from None


def _read(text: Any) -> str:
    if isinstance(text, str):
        return text
    if not isinstance(text, os.PathLike):
        raise invalid(f"text is {class_of(text)}, must be a string or a path")
    path = os.fspath(text)
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError as refused:
        raise error(STATUS["eio"], f"{path}: {refused.strerror}") from None
    except UnicodeDecodeError as refused:
        raise error(STATUS["eformat"], f"{path} is no UTF-8: byte {refused.start}") from None
