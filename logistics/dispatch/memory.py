"""What the dispatcher remembers, taken out of its state and put into the state of another one.

Only open parcels are worth remembering. They are numbered anew by whoever takes the memory out: parcel `k` of
all arrays here. Sites and vehicles are rows of the scenario and of its fleet.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from logistics.dispatch.book import Status
from logistics.dispatch.dispatcher import Asked, DispatchConfig, Dispatcher, DispatchState
from logistics.dispatch.messages import DELIVERY, OrdersPlaced, Solve
from logistics.dispatch.routing import Stops, VehicleGroup, build_problem
from logistics.tables import NOBODY, IntArray, RowArray


@dataclass(frozen=True, slots=True, eq=False)
class BookMemory:
    """The book's changing side, one entry per parcel; `rank` is the place in line among those of `pool_site`."""

    status: IntArray
    attempts: IntArray
    postponed: IntArray
    pool_site: IntArray  # NOBODY where the parcel waits for nothing
    rank: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class AskedMemory:
    """A solve that was asked for and not answered, with the rules under which it was asked."""

    solve: int
    site: int
    role: str
    depart_s: int
    groups: tuple[VehicleGroup, ...]
    rows: RowArray  # parcels, sorted by stop
    first: IntArray
    service_s: IntArray
    tw: IntArray
    solver: str
    iterations: int | None
    parameters: dict[str, object]
    seed: int
    charge_s: float


def remember_book(state: DispatchState, rows: RowArray) -> BookMemory:
    """The book's memory of these parcels."""
    book = state.book
    number = np.full(len(book), NOBODY, dtype=np.int64)
    number[rows] = np.arange(len(rows))
    site, rank = np.full(len(rows), NOBODY, dtype=np.int64), np.zeros(len(rows), dtype=np.int64)
    for status in Status:
        for pool_site in book.pool_sites(status):
            pooled = number[book.pool(status, pool_site)]
            pooled = pooled[pooled >= 0]
            site[pooled], rank[pooled] = pool_site, np.arange(len(pooled))
    return BookMemory(
        book.status[rows].astype(np.int64),
        book.attempts[rows].astype(np.int64),
        book.postponed[rows].astype(np.int64),
        site,
        rank,
    )


def resume(
    dispatcher: Dispatcher,
    orders: OrdersPlaced,
    memory: BookMemory,
    asked: Sequence[AskedMemory],
    away: Iterable[int],
    next_solve: int,
    deferred: Sequence[tuple[int, str]],
) -> tuple[DispatchState, list[Solve]]:
    """The state of a dispatcher that knows these parcels, and the solves for which it still waits.

    `orders` describes the parcels as they were placed; `away` are vehicles on the road. All others, save those
    that the open solves plan for, stand at their stations. `deferred` are waves that wait for these solves.
    """
    state = dispatcher.start()
    rows = state.book.add(orders, dispatcher.road_places(state, orders))
    book = state.book
    book.status[rows] = memory.status
    book.attempts[rows] = memory.attempts
    book.postponed[rows] = memory.postponed
    order = np.lexsort((memory.rank, memory.pool_site))
    order = order[memory.pool_site[order] != NOBODY]
    for status in np.unique(memory.status[order]).tolist():
        chosen = order[memory.status[order] == status]
        book.put(Status(status), rows[chosen], memory.pool_site[chosen])
    state.next_solve = next_solve
    state.deferred = [(site, timer) for site, timer in deferred if dispatcher.knows(timer)]
    state.idle.difference_update(away)
    solves = []
    for each in asked:
        state.asked[each.solve], solve = _ask_again(state, dispatcher.config, each)
        state.idle.difference_update(v for group in each.groups for v in group.vehicles)
        solves.append(solve)
    return state, solves


def _ask_again(state: DispatchState, config: DispatchConfig, asked: AskedMemory) -> tuple[Asked, Solve]:
    """The same problem once more: all that it is made of is still as it was while its parcels are planned."""
    book, head = state.book, asked.rows[asked.first[:-1]]
    if asked.role == DELIVERY:
        place, road_place = book.place[head], book.road_place[head]
    else:
        place = book.origin[head]
        road_place = config.site_place[place]
    stops = Stops(
        asked.rows,
        asked.first,
        place.astype(np.int32),
        road_place.astype(np.int32),
        asked.service_s,
        asked.tw,
    )
    groups = list(asked.groups)
    problem = build_problem(
        f"{asked.role} {config.scenario.sites[asked.site].id} #{asked.solve}",
        book,
        stops,
        groups,
        config.roads,
        int(config.site_place[asked.site]),
        asked.depart_s,
        config.priority_of_service,
        asked.role,
    )
    return Asked(asked.site, asked.role, stops, groups, asked.depart_s, problem), Solve(
        asked.solve,
        asked.site,
        asked.role,
        problem,
        len(asked.rows),
        asked.solver,
        asked.iterations,
        asked.parameters,
        asked.seed,
        asked.charge_s,
    )
