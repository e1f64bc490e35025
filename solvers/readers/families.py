"""Benchmark families: how a set's numbers are rounded and in which units its solution files state costs.

The one table that readers, tests and benchmarks take conventions from. Keyed by the TYPE of a VRPLIB file;
SOLOMON and LI-LIM stand for those text formats, MAMUT for its JSON.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Family:
    """One family's conventions.

    `unit` is the number of units of the problem's cost in one unit of a .sol file's cost, `decimals` those of
    that file.
    """

    rounding: str
    unit: int = 1
    decimals: int = 0


FAMILIES: dict[str, Family] = {
    "CVRP": Family("round"),
    "ACVRP": Family("round"),
    "VRPB": Family("round"),
    "VRPTW": Family("dimacs", 10, 1),
    "PCVRPTW": Family("dimacs"),
    "MTVRPTWR": Family("dimacs"),
    "MDVRPTW": Family("exact"),
    "SDVRPTW": Family("exact"),
    "HFVRP": Family("exact"),
    "SOLOMON": Family("dimacs", 10, 1),
    "LI-LIM": Family("fine", 10_000, 2),
    "MAMUT": Family("finest", 10_000_000, 7),
}

VRPLIB_TYPES = tuple(kind for kind in FAMILIES if kind not in ("SOLOMON", "LI-LIM", "MAMUT"))
OTHER = Family("round")  # of files without a type of the table, which `read` refuses


def family(kind: str) -> Family:
    """The family of a VRPLIB TYPE, whatever its case."""
    return FAMILIES.get(kind.upper(), OTHER)
