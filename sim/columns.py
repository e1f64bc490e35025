"""Columns of result tables as numpy arrays, in one way for every reader of them."""

from __future__ import annotations

from typing import Any, NamedTuple

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
    codes, words = _codes(column)
    absent = codes < 0
    occurs = np.bincount(codes + 1, minlength=len(words) + 1)[1:] > 0
    used = words.filter(pa.array(occurs))
    order = np.asarray(pc.array_sort_indices(used), dtype=np.int64)
    ascending = used.take(pa.array(order))
    # names that the given dictionary holds twice become one
    fresh = np.ones(len(order), dtype=np.bool_)
    if len(order) > 1:
        fresh[1:] = np.asarray(pc.not_equal(ascending[1:], ascending[:-1]))
    rank = np.zeros(len(words) + 1, dtype=np.int32)
    rank[np.flatnonzero(occurs)[order]] = np.cumsum(fresh) - 1
    return pa.DictionaryArray.from_arrays(
        pa.array(rank[codes], mask=absent if absent.any() else None), ascending.filter(pa.array(fresh))
    )


def distinct_names(table: pa.Table, column: str, rows: BoolArray) -> int:
    """How many different names the chosen rows of a column carry."""
    codes, words = _codes(table[column])
    chosen = np.bincount(codes[rows & (codes >= 0)], minlength=len(words)) > 0
    return int(pc.count_distinct(words.filter(pa.array(chosen))).as_py())


def _codes(column: pa.ChunkedArray) -> tuple[RowArray, pa.Array]:
    """Rows of the dictionary, -1 for null, and the dictionary as it is given."""
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode()
    column = column.unify_dictionaries()
    if not column.num_chunks:
        return np.zeros(0, dtype=np.int32), pa.array([], pa.string())
    parts = [np.asarray(pc.fill_null(chunk.indices, -1), dtype=np.int32) for chunk in column.chunks]
    words = column.chunk(column.num_chunks - 1).dictionary.cast(pa.string())
    return (parts[0] if len(parts) == 1 else np.concatenate(parts)), words


def distinct(values: NDArray[Any]) -> NDArray[Any]:
    """The different values of an array, ascending, by one sort (numpy's own way hashes, which is slower)."""
    ascending = np.sort(values)
    fresh = np.ones(len(ascending), dtype=np.bool_)
    np.not_equal(ascending[1:], ascending[:-1], out=fresh[1:])
    return ascending[fresh]


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
