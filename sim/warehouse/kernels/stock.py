"""Reservation of whole orders in turn."""

from __future__ import annotations

from numba import njit


@njit(cache=True, nogil=True)
def allocate(book, reserve, promised, orders, first_line, item, wanted, granted):
    """Promise all units that each order still wants, or none of them; `granted` says which."""
    for i in range(orders.size):
        order = orders[i]
        enough = True
        for line in range(first_line[order], first_line[order + 1]):
            free = max(book[item[line]] + reserve[item[line]] - promised[item[line]], 0)
            if free < wanted[line]:
                enough = False
                break
        granted[i] = enough
        if enough:
            for line in range(first_line[order], first_line[order + 1]):
                promised[item[line]] += wanted[line]
