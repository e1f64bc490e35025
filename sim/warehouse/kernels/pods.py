"""What a pod can give to a station: scoring of pods and orders, claiming of units.

A station's open orders stand in `slots` (-1 where free); a line still wants `open_units` that no pod on its
way was promised to. A bin offers `free_units`. `bin_of` (items,) is scratch space, -1 throughout between
calls.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def serving_pods(
    slots, first_line, item, open_units, item_first, item_bin, bin_pod, free_units, stored, score, pods, lines
):  # fmt: skip
    """Stored `pods`, ascending, and how many `lines` of the station each could serve, at least in part.

    Returns their number. `score` (pods,) is scratch space, 0 throughout between calls.
    """
    n = 0
    for slot in range(slots.size):
        order = slots[slot]
        if order < 0:
            continue
        for line in range(first_line[order], first_line[order + 1]):
            if open_units[line] <= 0:
                continue
            for at in range(item_first[item[line]], item_first[item[line] + 1]):
                bin_number = item_bin[at]
                if free_units[bin_number] <= 0:
                    continue
                pod = bin_pod[bin_number]
                if not stored[pod]:
                    continue
                if score[pod] == 0:
                    put = n  # few at a time
                    while put > 0 and pods[put - 1] > pod:
                        pods[put] = pods[put - 1]
                        put -= 1
                    pods[put] = pod
                    n += 1
                score[pod] += 1
    for i in range(n):
        lines[i] = score[pods[i]]
        score[pods[i]] = 0
    return n


@njit(cache=True, nogil=True)
def most_lines(pods, lines, pod_place, place_to_station_m, station):
    """The pod that serves the most lines; of those the nearest to the station, then the first."""
    best = 0
    for i in range(1, pods.size):
        if lines[i] < lines[best]:
            continue
        if (
            lines[i] > lines[best]
            or place_to_station_m[pod_place[pods[i]], station]
            < place_to_station_m[pod_place[pods[best]], station]
        ):
            best = i
    return pods[best]


@njit(cache=True, nogil=True)
def nearest_place(places, place_to_station_m, station):
    """The first of the places that are nearest to the station."""
    best = 0
    for i in range(1, places.size):
        if place_to_station_m[places[i], station] < place_to_station_m[places[best], station]:
            best = i
    return places[best]


@njit(cache=True, nogil=True)
def nearest_robot(robots, robot_xy, at):
    """The first of the robots that are nearest to a point, (2,)."""
    best, least = 0, np.inf
    for i in range(robots.size):
        away = abs(robot_xy[robots[i], 0] - at[0]) + abs(robot_xy[robots[i], 1] - at[1])
        if away < least:
            best, least = i, away
    return robots[best]


@njit(cache=True, nogil=True)
def low_bins(pod, pod_first, bin_book, bin_item, reserve, low, out):
    """Bins of the pod with at most `low` units by the books and some in reserve; returns their number."""
    n = 0
    for bin_number in range(pod_first[pod], pod_first[pod + 1]):
        if bin_book[bin_number] <= low and reserve[bin_item[bin_number]] > 0:
            out[n] = bin_number
            n += 1
    return n


@njit(cache=True, nogil=True)
def promise(line, bin_number, open_units, free_units, out_line, out_bin, out_units, n):
    """As many units of the bin to the line as it still wants and the bin has, the n-th claim."""
    units = min(open_units[line], free_units[bin_number])
    open_units[line] -= units
    free_units[bin_number] -= units
    out_line[n], out_bin[n], out_units[n] = line, bin_number, units


@njit(cache=True, nogil=True)
def claim(
    pod, slots, first_line, item, open_units, pod_first, pod_bin, bin_item, free_units, bin_of,
    out_line, out_bin, out_units,
):  # fmt: skip
    """Promise the pod's units to the station's open lines, slot by slot; returns the number of claims."""
    for at in range(pod_first[pod], pod_first[pod + 1]):
        bin_of[bin_item[pod_bin[at]]] = pod_bin[at]
    n = 0
    for slot in range(slots.size):
        order = slots[slot]
        if order < 0:
            continue
        for line in range(first_line[order], first_line[order + 1]):
            if open_units[line] <= 0:
                continue
            bin_number = bin_of[item[line]]
            if bin_number < 0 or free_units[bin_number] <= 0 or n == out_line.size:
                continue
            promise(line, bin_number, open_units, free_units, out_line, out_bin, out_units, n)
            n += 1
    for at in range(pod_first[pod], pod_first[pod + 1]):
        bin_of[bin_item[pod_bin[at]]] = -1
    return n


@njit(cache=True, nogil=True)
def match_orders(
    orders, first_line, item, open_units, item_first, item_bin, bin_pod, free_units, pod_station, out
):  # fmt: skip
    """Lines of each order that pods on their way to or at each station could serve now: `out` (orders, stations).

    `pod_station` (pods,) is -1 for all other pods; stations beyond the columns of `out` do not count.
    """
    seen = np.full(out.shape[1], -1, np.int64)
    for i in range(orders.size):
        out[i] = 0
        for line in range(first_line[orders[i]], first_line[orders[i] + 1]):
            if open_units[line] <= 0:
                continue
            for at in range(item_first[item[line]], item_first[item[line] + 1]):
                station = pod_station[bin_pod[item_bin[at]]]
                if station < 0 or station >= seen.size or free_units[item_bin[at]] <= 0:
                    continue
                if seen[station] != line:
                    seen[station] = line
                    out[i, station] += 1


@njit(cache=True, nogil=True)
def claim_coming(
    order, station, first_line, item, open_units, item_first, item_bin, bin_pod, free_units, pod_station,
    out_line, out_bin, out_units,
):  # fmt: skip
    """Promise units on pods that are on their way to or at a station to an order; returns the number of claims."""
    n = 0
    for line in range(first_line[order], first_line[order + 1]):
        for at in range(item_first[item[line]], item_first[item[line] + 1]):
            bin_number = item_bin[at]
            if open_units[line] <= 0 or n == out_line.size:
                break
            if pod_station[bin_pod[bin_number]] != station or free_units[bin_number] <= 0:
                continue
            promise(line, bin_number, open_units, free_units, out_line, out_bin, out_units, n)
            n += 1
    return n


@njit(cache=True, nogil=True)
def starved(slots, first_line, item, open_units, item_first, item_bin, free_units, out):
    """Items that the station's open lines want and no bin offers; returns their number."""
    n = 0
    for slot in range(slots.size):
        order = slots[slot]
        if order < 0:
            continue
        for line in range(first_line[order], first_line[order + 1]):
            if open_units[line] <= 0:
                continue
            offered = False
            for at in range(item_first[item[line]], item_first[item[line] + 1]):
                if free_units[item_bin[at]] > 0:
                    offered = True
                    break
            if not offered and n < out.size:
                out[n] = item[line]
                n += 1
    return n


@njit(cache=True, nogil=True)
def wanted_by(
    pod, slots, first_line, item, open_units, pod_first, pod_bin, bin_item, free_units, bin_of, out
):
    """Which stations (rows of `slots`) have an open line that the pod could serve."""
    for at in range(pod_first[pod], pod_first[pod + 1]):
        if free_units[pod_bin[at]] > 0:
            bin_of[bin_item[pod_bin[at]]] = pod_bin[at]
    for station in range(slots.shape[0]):
        out[station] = False
        for slot in range(slots.shape[1]):
            order = slots[station, slot]
            if order < 0 or out[station]:
                continue
            for line in range(first_line[order], first_line[order + 1]):
                if open_units[line] > 0 and bin_of[item[line]] >= 0:
                    out[station] = True
                    break
    for at in range(pod_first[pod], pod_first[pod + 1]):
        bin_of[bin_item[pod_bin[at]]] = -1
