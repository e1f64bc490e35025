"""The overview of docs/benchmarks says what the tables that it links to say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "docs" / "benchmarks"
ROW = re.compile(r"\| \[.+\]\((.+)\) \| (.+) \| `(\w+)` \| (.+) \| (.*) ?\|")
ROWS = [row.groups() for row in map(ROW.fullmatch, (FOLDER / "README.md").read_text().splitlines()) if row]


def gaps(table: str) -> dict[str, str]:
    """Mean gap in per cent by solver, of all instances together: the first table of the page."""
    lines = iter(table.splitlines())
    header = next(line for line in lines if line.startswith("| solver |"))
    column = [cell.strip() for cell in header.split("|")].index("mean gap %")
    next(lines)
    found = {}
    for line in lines:
        if not line.startswith("|"):
            break
        cells = [cell.strip() for cell in line.split("|")]
        found[cells[1].split(" @ ")[0]] = cells[column]
    return found


def test_every_table_is_in_the_overview() -> None:
    page = (FOLDER / "README.md").read_text()
    tables = [p.relative_to(FOLDER).as_posix() for p in FOLDER.rglob("compare.md")]
    assert tables
    assert not [t for t in tables if f"({t})" not in page]
    assert len(ROWS) == page.count("\n| [")


@pytest.mark.parametrize(("link", "seeds", "solver", "gap", "pyvrp"), ROWS)
def test_figures_are_those_of_the_table(link: str, seeds: str, solver: str, gap: str, pyvrp: str) -> None:
    table = (FOLDER / link).read_text()
    assert f"Seeds {seeds}." in table
    assert gaps(table)[solver] == gap
    assert gaps(table).get("pyvrp", "") == pyvrp.strip()
