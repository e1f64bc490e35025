"""Malformed instance and solution files: every fault is told with its line, nothing crashes a reader."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from solvers.errors import InvalidInputError
from solvers.readers import read, read_sol
from tests.solvers import instance_texts
from tests.solvers.instance_texts import BACKHAULS, LI_LIM, MATRIX, PLAIN, RICH, SOLOMON, TRIPS, put

# what is broken -> the file, its name, then code and line of every fault expected
MALFORMED: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "empty": ("", "a.vrp", [("empty-file", "")]),
    "truncated in the coordinates": (
        PLAIN[: PLAIN.index("3 6 8")],
        "a.vrp",
        [("wrong-count", "line 8"), ("missing-section", "")],
    ),
    "truncated in the demands": (PLAIN[: PLAIN.index("4 6")], "a.vrp", [("wrong-count", "line 14")]),
    "dimension too large": (
        PLAIN.replace("DIMENSION : 4", "DIMENSION : 5"),
        "a.vrp",
        [("wrong-count", "line 10"), ("wrong-count", "line 15")],
    ),
    "dimension too small": (
        PLAIN.replace("DIMENSION : 4", "DIMENSION : 3"),
        "a.vrp",
        [("bad-index", "line 10"), ("bad-index", "line 15")],
    ),
    "dimension missing": (PLAIN.replace("DIMENSION : 4\n", ""), "a.vrp", [("missing-header", "")]),
    "dimension negative": (
        PLAIN.replace("DIMENSION : 4", "DIMENSION : -4"),
        "a.vrp",
        [
            ("negative", "line 3"),
            *(("bad-index", f"line {n}") for n in (8, 9, 10, 13, 14, 15)),
        ],
    ),
    "coordinate is NaN": (PLAIN.replace("2 3 4", "2 NaN 4"), "a.vrp", [("bad-number", "line 8")]),
    "coordinate is infinite": (PLAIN.replace("2 3 4", "2 inf 4"), "a.vrp", [("bad-number", "line 8")]),
    "coordinate is a word": (PLAIN.replace("2 3 4", "2 x 4"), "a.vrp", [("bad-number", "line 8")]),
    "capacity negative": (
        PLAIN.replace("CAPACITY : 10", "CAPACITY : -10"),
        "a.vrp",
        [("negative", "line 5")],
    ),
    "capacity missing": (PLAIN.replace("CAPACITY : 10\n", ""), "a.vrp", [("missing-header", "")]),
    "demand negative": (PLAIN.replace("2 4\n", "2 -4\n"), "a.vrp", [("negative", "line 13")]),
    "demand not whole": (PLAIN.replace("2 4\n", "2 4.5\n"), "a.vrp", [("not-whole", "line 13")]),
    "demands missing": (
        PLAIN[: PLAIN.index("DEMAND")] + PLAIN[PLAIN.index("DEPOT") :],
        "a.vrp",
        [("missing-section", "")],
    ),
    "node twice": (PLAIN.replace("3 6 8", "2 6 8"), "a.vrp", [("duplicate-row", "line 9")]),
    "column too many": (PLAIN.replace("2 3 4", "2 3 4 5"), "a.vrp", [("wrong-columns", "line 8")]),
    "unknown section": (
        PLAIN.replace("DEPOT_SECTION", "COLOUR_SECTION\n1 2\nDEPOT_SECTION"),
        "a.vrp",
        [("unknown-section", "line 16")],
    ),
    "unknown header": (PLAIN.replace("NAME", "TITEL"), "a.vrp", [("unknown-header", "line 1")]),
    "header twice": (
        PLAIN.replace("CAPACITY : 10", "CAPACITY : 10\nCAPACITY : 9"),
        "a.vrp",
        [("duplicate-header", "line 6")],
    ),
    "section twice": (
        PLAIN.replace("DEPOT_SECTION", "DEMAND_SECTION\n1 0\nDEPOT_SECTION"),
        "a.vrp",
        [("duplicate-section", "line 16")],
    ),
    "depot beyond the nodes": (
        PLAIN.replace("DEPOT_SECTION\n1", "DEPOT_SECTION\n9"),
        "a.vrp",
        [("bad-index", "line 17"), ("no-depot", "line 16")],
    ),
    "depot is not the first node": (
        PLAIN.replace("DEPOT_SECTION\n1", "DEPOT_SECTION\n2"),
        "a.vrp",
        [("depot-order", "line 16")],
    ),
    "unknown weight type": (PLAIN.replace("EUC_2D", "GEO"), "a.vrp", [("weight-type", "line 4")]),
    "unknown type": (PLAIN.replace("CVRP", "TSP"), "a.vrp", [("unknown-type", "line 2")]),
    "a type of text files": (PLAIN.replace("CVRP", "SOLOMON"), "a.vrp", [("unknown-type", "line 2")]),
    "depot with a demand": (PLAIN.replace("1 0\n", "1 7\n"), "a.vrp", [("depot-demand", "line 12")]),
    "depot with a backhaul": (
        BACKHAULS.replace("BACKHAUL_SECTION\n1 0", "BACKHAUL_SECTION\n1 7"),
        "a.vrp",
        [("depot-demand", "line 17")],
    ),
    "two demands for one capacity": (
        PLAIN.replace("1 0\n2 4\n3 5\n4 6", "1 0 0\n2 4 1\n3 5 2\n4 6 3"),
        "a.vrp",
        [("wrong-columns", "line 11")],
    ),
    "two demands for a fleet of one capacity": (
        RICH.replace("1 10 5\n2 10 5\n3 20 9", "1 10\n2 10\n3 20"),
        "a.vrp",
        [("wrong-columns", "line 13")],
    ),
    "number of a row is a word": (PLAIN.replace("2 3 4", "x 3 4"), "a.vrp", [("bad-number", "line 8")]),
    "depot is a word": (
        PLAIN.replace("DEPOT_SECTION\n1", "DEPOT_SECTION\n1 x"),
        "a.vrp",
        [("bad-number", "line 17")],
    ),
    "rounded up and without coordinates": (
        MATRIX.replace("EXPLICIT", "CEIL_2D"),
        "a.vrp",
        [("missing-section", "")],
    ),
    "rounded up and beyond memory": (
        PLAIN.replace("EUC_2D", "CEIL_2D").replace("DIMENSION : 4", "DIMENSION : 10001"),
        "a.vrp",
        [("wrong-count", "line 10"), ("wrong-count", "line 15"), ("too-large", "line 3")],
    ),
    "asymmetric where symmetric is declared": (
        MATRIX.replace("5 0 7", "6 0 7"),
        "a.vrp",
        [("asymmetric", "line 8")],
    ),
    "matrix cut off": (MATRIX.replace("9 7 0\n", ""), "a.vrp", [("wrong-count", "line 9")]),
    "matrix entry negative": (
        MATRIX.replace("5 0 7", "5 0 -7").replace("9 7 0", "9 0 0"),
        "a.vrp",
        [("negative", "line 9")],
    ),
    "unknown matrix format": (
        MATRIX.replace("FULL_MATRIX", "ROUND_MATRIX"),
        "a.vrp",
        [("weight-format", "line 7")],
    ),
    "window reversed": (RICH.replace("4 5 50", "4 50 5"), "a.vrp", [("window-reversed", "line 49")]),
    "vehicles missing": (
        PLAIN.replace("CAPACITY : 10\n", "").replace("DEPOT_SECTION", "CAPACITY_SECTION\nDEPOT_SECTION"),
        "a.vrp",
        [("missing-header", "line 15")],
    ),
    "depot of a vehicle is a client": (
        RICH.replace("3 2\nVEHICLES_FIXED", "3 4\nVEHICLES_FIXED"),
        "a.vrp",
        [("bad-index", "line 23")],
    ),
    "allowed client is a depot": (
        RICH.replace("1 3 4\n2 3 4", "1 2 4\n2 3 4"),
        "a.vrp",
        [("bad-index", "line 35")],
    ),
    "number beyond all units": (PLAIN.replace("4 0 5", "4 0 5e18"), "a.vrp", [("too-large", "line 10")]),
    "vehicles beyond counting": (
        TRIPS.replace("VEHICLES: 2", "VEHICLES: 9999999999"),
        "a.vrp",
        [("too-large", "line 4"), ("bad-index", "line 25")],
    ),
    "matrix beyond memory": (
        MATRIX.replace("DIMENSION: 3", "DIMENSION: 999999"),
        "a.vrp",
        [("wrong-count", "line 10"), ("wrong-count", "line 14")],
    ),
    "capacity beyond all units": (
        SOLOMON.replace("         20", "         " + 30 * "9"),
        "a.txt",
        [("too-large", "line 5")],
    ),
    "stray line": ("hello\n" + PLAIN, "a.vrp", [("stray-line", "line 1")]),
    "several at once": (
        PLAIN.replace("2 3 4", "2 NaN 4").replace("CAPACITY : 10", "CAPACITY : x").replace("2 4\n", "2 -4\n"),
        "a.vrp",
        [("bad-number", "line 5"), ("bad-number", "line 8"), ("negative", "line 13")],
    ),
    "reload depot is a client": (
        TRIPS.replace("2 1\nDEPOT", "2 3\nDEPOT"),
        "a.vrp",
        [("bad-index", "line 23")],
    ),
    "backhaul with a demand": (
        BACKHAULS.replace("4 0\nBACK", "4 2\nBACK"),
        "a.vrp",
        [("backhaul-delivery", "line 16")],
    ),
    "pair without a partner": (
        LI_LIM.replace("9	1	0", "9	0	0"),
        "a.txt",
        [("pair-end", "line 4"), ("pair-end", "line 3")],
    ),
    "pair of unequal amounts": (
        LI_LIM.replace("-5", "-6"),
        "a.txt",
        [("pair-amounts", "line 3"), ("pair-amounts", "line 4")],
    ),
    "pair row cut off": (LI_LIM[:-5], "a.txt", [("wrong-columns", "line 4")]),
    "no customer block": (SOLOMON[: SOLOMON.index("CUSTOMER")], "a.txt", [("missing-section", "")]),
    "no customers": (SOLOMON[: SOLOMON.index("    1  ")], "a.txt", [("wrong-count", "line 7")]),
    "customer row cut off": (SOLOMON.rstrip()[:-12], "a.txt", [("wrong-columns", "line 12")]),
    "customer is NaN": (SOLOMON.replace("2      6", "2      NaN"), "a.txt", [("bad-number", "line 12")]),
    "customers out of order": (
        SOLOMON.replace("    2      6", "    5      6"),
        "a.txt",
        [("bad-index", "line 12")],
    ),
    "customer whose number is a word": (
        SOLOMON.replace("    2      6", "    O2      6"),
        "a.txt",
        [("bad-number", "line 12")],
    ),
    "depot whose number is a word": (
        SOLOMON.replace("    0      0 ", "    O      0 "),
        "a.txt",
        [("bad-number", "line 10")],
    ),
    "text below the customers": (SOLOMON + "the end\n", "a.txt", [("wrong-columns", "line 13")]),
    "Solomon depot with a demand": (
        SOLOMON.replace("    0      0         0          0", "    0      0         0          4"),
        "a.txt",
        [("depot-demand", "line 10")],
    ),
    "place whose number is a word": (LI_LIM.replace("2	6", "x	6"), "a.txt", [("bad-number", "line 4")]),
    "first place with a demand": (
        LI_LIM.replace("0	0	0	0	0	900", "0	0	0	4	0	900"),
        "a.txt",
        [("depot-demand", "line 2")],
    ),
    "no vehicles": (SOLOMON.replace("  3         20", "  0         20"), "a.txt", [("negative", "line 5")]),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_malformed_files_are_told_with_line(what: str, tmp_path: Path) -> None:
    text, name, expected = MALFORMED[what]
    with pytest.raises(InvalidInputError) as caught:
        read(put(tmp_path, text, name), "round")
    found = [(fault.code, fault.place) for fault in caught.value.faults]
    assert sorted(found) == sorted(expected)
    assert all(name in str(fault) and fault.repair for fault in caught.value.faults)


@pytest.mark.parametrize("name", ["PLAIN", "MATRIX", "RICH", "BACKHAULS", "TRIPS", "LI_LIM", "SOLOMON"])
def test_no_damage_crashes_a_reader(name: str, tmp_path: Path) -> None:
    """Words replaced, lines dropped or doubled, the end cut off: a problem or faults, nothing else."""
    text, rng = getattr(instance_texts, name), np.random.default_rng(7)
    told = 0
    for _ in range(150):
        lines = (
            text[: int(rng.integers(1, len(text)))].split("\n") if rng.random() < 0.2 else text.split("\n")
        )
        for _ in range(int(rng.integers(1, 3))):
            at = int(rng.integers(len(lines)))
            words = lines[at].split() or [""]
            words[int(rng.integers(len(words)))] = str(
                rng.choice(["NaN", "-1", "1e999", 30 * "9", "x", "", "7"])
            )
            lines[at : at + 1] = [[" ".join(words)], [], 2 * [lines[at]]][
                int(rng.choice(3, p=[0.8, 0.1, 0.1]))
            ]
            lines = lines or [""]
        path = put(tmp_path, "\n".join(lines), "a.txt" if name in ("LI_LIM", "SOLOMON") else "a.vrp")
        try:
            read(path, "family")
        except InvalidInputError as error:
            told += all(fault.message and fault.repair for fault in error.faults)
    assert told > 75


def test_binary_and_missing_files_are_faults(tmp_path: Path) -> None:
    (tmp_path / "b.vrp").write_bytes(b"\xff\xfe\x00")
    for name, code in (("b.vrp", "not-text"), ("none.vrp", "unreadable")):
        with pytest.raises(InvalidInputError) as caught:
            read(tmp_path / name, "round")
        assert caught.value.faults[0].code == code


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("Route #1: 1 9\nCost 3", "bad-index", "line 1"),
        ("Route #1: 1 x\nCost 3", "bad-number", "line 1"),
        ("1 2 3", "stray-line", "line 1"),
        ("Route #1: 1\nCost: many", "bad-number", "line 2"),
        ("Route #one: 1", "bad-number", "line 1"),
    ],
)
def test_malformed_solutions(text: str, code: str, place: str, tmp_path: Path) -> None:
    problem = read(put(tmp_path, PLAIN), "round")
    with pytest.raises(InvalidInputError) as caught:
        read_sol(put(tmp_path, text, "x.sol"), problem)
    assert [(code, place)] == [(f.code, f.place) for f in caught.value.faults]


def test_an_unknown_type_names_those_known(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"found FOO\); use one of CVRP, .*HFVRP \[unknown-type"):
        read(put(tmp_path, PLAIN.replace("CVRP", "FOO")), "family")
