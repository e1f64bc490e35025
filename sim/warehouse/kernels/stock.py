"""Reservation of whole orders in turn."""

from __future__ import annotations

from numba import njit


@njit(cache=True, nogil=True)
def allocate(free, orders, first_line, item, wanted, granted):
    """Take all units that each order still wants out of `free`, or none of them; `granted` says which."""
    for i in range(orders.size):
        order = orders[i]
        enough = True
        for line in range(first_line[order], first_line[order + 1]):
            if free[item[line]] < wanted[line]:
                enough = False
                break
        granted[i] = enough
        if enough:
            for line in range(first_line[order], first_line[order + 1]):
                free[item[line]] -= wanted[line]
