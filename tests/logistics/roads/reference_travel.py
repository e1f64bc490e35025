"""Slow, plain-Python travel for the tests to compare with; shares no code with the product."""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence


def haversine_m(a: Sequence[float], b: Sequence[float]) -> float:
    lon1, lat1, lon2, lat2 = (math.radians(v) for v in (*a, *b))
    h = math.sin((lat2 - lat1) / 2) ** 2 + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return 2 * 6_371_008.8 * math.asin(math.sqrt(h))


def arrival_s(clock_s: float, metres: float, hourly_mps: Sequence[float]) -> float:
    """Clock time at the end of a way of `metres`, walking from one full hour to the next."""
    now = clock_s
    while True:
        hour_end = (math.floor(now / 3600) + 1) * 3600
        speed = hourly_mps[math.floor(now / 3600) % 24]
        covered = speed * (hour_end - now)
        if covered >= metres:
            return now + metres / speed
        metres -= covered
        now = hour_end


def earliest_arrivals(
    out_edges: dict[int, list[tuple[int, float, Sequence[float]]]], source: int, clock_s: float
) -> dict[int, float]:
    """Time-dependent Dijkstra (Dreyfus 1969): the clock at which each vertex is first reached."""
    settled: dict[int, float] = {}
    queue = [(clock_s, source)]
    while queue:
        now, vertex = heapq.heappop(queue)
        if vertex in settled:
            continue
        settled[vertex] = now
        for head, metres, speeds in out_edges.get(vertex, []):
            if head not in settled:
                heapq.heappush(queue, (arrival_s(now, metres, speeds), head))
    return settled
