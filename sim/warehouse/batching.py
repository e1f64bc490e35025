"""Order batching: first come first served, by seed order, or by savings."""

from __future__ import annotations

import numpy as np

from sim.warehouse.kernels import batching as kernel
from sim.warehouse.layout import AisleBlock
from sim.warehouse.orders import IntArray
from sim.warehouse.routing import POLICIES as ROUTING

POLICIES = ("fcfs", "seed", "savings")
TOGETHER = 400  # orders whose pairs are weighed at once: savings cost the square of it


def batch_orders(
    block: AisleBlock,
    location: IntArray,
    order: IntArray,
    orders: int,
    policy: str,
    most_orders: int,
    most_lines: int,
    routing: str = "exact",
) -> IntArray:
    """(orders,) cart of every order, numbered from 0.

    `location` and `order` are parallel, one entry a pick; orders are numbered by age and each has a pick.
    Raises `ValueError` for an unknown policy, an order without picks, or an order with more than `most_lines`
    of them.
    """
    if policy not in POLICIES or routing not in ROUTING:
        raise ValueError(
            f"no batching {policy!r} with routing {routing!r}; there are: {', '.join(POLICIES)} with "
            f"{', '.join(ROUTING)}"
        )
    aisle, along = block.aisle[location].astype(np.int64), block.along_m[location]
    turn = np.lexsort((along, aisle, order))
    first = np.searchsorted(order[turn], np.arange(orders + 1)).astype(np.int64)
    size = np.diff(first)
    if orders and not 1 <= size.min() <= size.max() <= most_lines:
        raise ValueError(f"orders of {size.min()} to {size.max()} lines; a cart holds 1 to {most_lines}")
    aisle, along = aisle[turn], along[turn]
    batch = np.empty(orders, np.int64)
    if policy == "fcfs":
        kernel.first_come(first, most_orders, most_lines, batch)
        return batch
    carts = 0
    for begin in range(0, orders, TOGETHER):
        end = min(begin + TOGETHER, orders)
        bounds, part = first[begin : end + 1], batch[begin:end]
        if policy == "seed":
            number = kernel.seed(bounds, aisle, block.aisles, most_orders, most_lines, part)
        else:
            number = kernel.savings(
                bounds,
                aisle,
                along,
                most_orders,
                most_lines,
                block.depot_aisle,
                block.aisle_pitch_m,
                block.length_m,
                ROUTING[routing],
                part,
            )
        part += carts
        carts += number
    return batch
