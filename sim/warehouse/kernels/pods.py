"""What a pod can give to a station: scoring of pods and orders, claiming of units.

A station's open orders stand in `slots` (-1 where free); a line still wants `open_units` that no pod on its
way was promised to. A bin offers `free_units`. `bin_of` (items,) is scratch space, -1 throughout between
calls.
"""

from __future__ import annotations

from numba import njit


@njit(cache=True, nogil=True)
def score_pods(
    slots, first_line, item, open_units, item_first, item_bin, bin_pod, free_units, score, touched
):
    """Lines of the station that each pod could serve, at least in part; returns the number of pods `touched`."""
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
                if score[pod] == 0:
                    touched[n] = pod
                    n += 1
                score[pod] += 1
    return n


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
            units = min(open_units[line], free_units[bin_number])
            open_units[line] -= units
            free_units[bin_number] -= units
            out_line[n], out_bin[n], out_units[n] = line, bin_number, units
            n += 1
    for at in range(pod_first[pod], pod_first[pod + 1]):
        bin_of[bin_item[pod_bin[at]]] = -1
    return n


@njit(cache=True, nogil=True)
def match_orders(
    pods, orders, first_line, item, open_units, pod_first, pod_bin, bin_item, free_units, bin_of, out
):
    """Lines of each order that these pods could serve now."""
    for i in range(pods.size):
        for at in range(pod_first[pods[i]], pod_first[pods[i] + 1]):
            if free_units[pod_bin[at]] > 0:
                bin_of[bin_item[pod_bin[at]]] = pod_bin[at]
    for i in range(orders.size):
        out[i] = 0
        for line in range(first_line[orders[i]], first_line[orders[i] + 1]):
            if open_units[line] > 0 and bin_of[item[line]] >= 0:
                out[i] += 1
    for i in range(pods.size):
        for at in range(pod_first[pods[i]], pod_first[pods[i] + 1]):
            bin_of[bin_item[pod_bin[at]]] = -1


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
