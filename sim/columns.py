"""Columns of result tables as numpy arrays, in one way for every reader of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
RowArray = NDArray[np.int32]
BoolArray = NDArray[np.bool_]


class Names(NamedTuple):
    """A column of names: `codes` (n,) int32 rows of `names`, -1 for null. Names ascend and all occur."""

    codes: RowArray
    names: list[str]

    def __getitem__(self, row: int) -> str:  # type: ignore[override]
        return self.names[int(self.codes[row])]

    def code(self, name: str) -> int:
        """Row of a name, or -2 (which no code equals) where it does not occur."""
        return self.names.index(name) if name in self.names else -2

    def where(self, name: str) -> BoolArray:
        """Rows that carry this name."""
        return np.asarray(self.codes == self.code(name))

    def mapped(self, to: list[str]) -> RowArray:
        """Codes into another list of names, -1 for null and for names that it lacks."""
        rows = {name: row for row, name in enumerate(to)}
        table = np.array([rows.get(name, -1) for name in self.names] + [-1], dtype=np.int32)
        return table[self.codes]


def names(table: pa.Table, column: str) -> Names:
    """A dictionary or string column with its dictionary sorted and stripped of names that do not occur."""
    encoded = encoded_names(table[column])
    return Names(
        np.asarray(pc.fill_null(encoded.indices, -1), dtype=np.int32), encoded.dictionary.to_pylist()
    )


def encoded_names(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """The column as one dictionary array (int32) with a sorted dictionary in which every name occurs."""
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    elif column.num_chunks > 1:
        column = column.unify_dictionaries()
    indices: list[RowArray] = []
    absent: list[BoolArray] = []
    for chunk in column.chunks:
        indices.append(np.asarray(pc.fill_null(chunk.indices, 0), dtype=np.int32))
        absent.append(np.asarray(chunk.indices.is_null()))
    if not indices or not sum(len(part) for part in indices):
        return pa.DictionaryArray.from_arrays(pa.array([], pa.int32()), pa.array([], pa.string()))
    given = column.chunk(column.num_chunks - 1).dictionary.cast(pa.string())
    code, missing = np.concatenate(indices), np.concatenate(absent)
    occurs = np.bincount(code[~missing], minlength=len(given)) > 0
    words = given.to_pylist()
    used = sorted({word for word, there in zip(words, occurs, strict=True) if there})
    rows = {word: row for row, word in enumerate(used)}
    table = np.array([rows.get(word, 0) for word in words] or [0], dtype=np.int32)
    return pa.DictionaryArray.from_arrays(
        pa.array(table[code], mask=missing if missing.any() else None), pa.array(used, pa.string())
    )


def times(table: pa.Table, column: str) -> FloatArray:
    """A column of numbers as float64, NaN for null."""
    return np.asarray(pc.fill_null(table[column].cast(pa.float64()), np.nan), dtype=np.float64)


def counts(table: pa.Table, column: str, absent: int = 0) -> IntArray:
    """A column of integers as int64, `absent` for null."""
    return np.asarray(pc.fill_null(table[column].cast(pa.int64()), absent), dtype=np.int64)


def flags(table: pa.Table, column: str) -> BoolArray:
    """A column of truth values, false for null."""
    return np.asarray(pc.fill_null(table[column], False), dtype=np.bool_)


def name_array(codes: RowArray, words: list[str]) -> pa.DictionaryArray:
    """A dictionary column from codes (-1: null) and names; the inverse of `names`."""
    return pa.DictionaryArray.from_arrays(
        pa.array(np.maximum(codes, 0).astype(np.int32), mask=codes < 0), pa.array(words, pa.string())
    )
