"""Which items are bought together: item–item collaborative filtering on sparse matrices of past orders."""

from __future__ import annotations

import numpy as np
from scipy import sparse

from sim.warehouse.orders import FloatArray, IntArray, OrderLines, RowArray


def item_affinity(
    history: OrderLines, shrink: float = 5.0, neighbours: int = 50, largest_order: int = 100
) -> sparse.csr_array:
    """(items, items) symmetric, non-negative: how much likelier than chance two items share an order.

    Cosine of the items' order columns, c_ij / √(n_i n_j), less what independence would give, √(n_i n_j) / N,
    and shrunk by c_ij / (c_ij + `shrink`), so that a few chance meetings count little; `neighbours` are kept
    of each item. Orders of more than `largest_order` lines are left out: they touch most of the building
    anyway, and cost the square of their length. Source of the similarity: Sarwar et al., Item-based
    collaborative filtering recommendation algorithms, WWW 2001; of shrinking: Bell & Koren, KDD 2007.
    """
    small = np.flatnonzero(history.lines_of_order <= largest_order)
    incidence = history.incidence()[small]
    together = sparse.csr_array(incidence.T @ incidence)
    times = together.diagonal()
    together.setdiag(0)
    together.eliminate_zeros()
    pair = together.tocoo()
    mean = np.sqrt(times[pair.row] * times[pair.col])
    lift = pair.data / mean - mean / max(small.size, 1)
    value = np.maximum(lift, 0.0) * pair.data / (pair.data + shrink)
    strongest = _strongest(pair.row, value, neighbours, times.size)
    kept = sparse.csr_array(
        (value[strongest], (pair.row[strongest], pair.col[strongest])), shape=together.shape
    )
    kept.eliminate_zeros()
    return sparse.csr_array(kept.maximum(kept.T))


def _strongest(row: RowArray, value: FloatArray, most: int, rows: int) -> IntArray:
    """Positions of the `most` largest values of each row."""
    turn = np.lexsort((-value, row))
    first = np.searchsorted(row[turn], np.arange(rows))
    rank = np.arange(row.size) - first[row[turn]]
    chosen: IntArray = turn[rank < most]
    return chosen
