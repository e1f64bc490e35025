"""The scenario reference is what the schema says, and every code of a fault is in its index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from logistics.fault_codes import CODES
from logistics.reference import comments, reference, unit_of
from logistics.scenario import Scenario, SiteSection

ROOT = Path(__file__).parents[2]
MODULES = (
    "catalogue",
    "csv_header",
    "overrides",
    "scenario",
    "schema_faults",
    "sections",
    "units",
    "validate",
    "volumes",
)
SOURCES = [
    *sorted((ROOT / "logistics" / "checks").glob("*.py")),
    *(ROOT / "logistics" / f"{name}.py" for name in MODULES),
    ROOT / "solvers" / "registry.py",
    ROOT / "sim" / "warehouse" / "site.py",
]
NO_CODES = {"built-in", "great-circle", "hourly-graph", "uci-online-retail", "hub-a", "utf-8-sig"}


def test_the_committed_page_is_up_to_date() -> None:
    page = (ROOT / "docs" / "scenario-reference.md").read_text(encoding="utf-8")
    assert page == reference(), "run: python -m logistics.reference docs/scenario-reference.md"


def test_every_section_and_field_is_there() -> None:
    page = reference()
    for section in ("[[sites.stages]]", "[[demand.streams]]", "[demand.order_file]", "[dispatch.solve_time]"):
        assert f"## `{section}`" in page
    assert "| `shifts` | list of shift, at least 1 | **required** | who works when |" in page
    assert '| `order_cutoff` | "HH:MM" | `"24:00"` |' in page
    for name in Scenario.model_fields:
        assert f"| `{'schema' if name == 'schema_version' else name}` |" in page


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("cutoff_s", "seconds"),
        ("unload_s_per_parcel", "seconds per parcel"),
        ("km_minor", "minor currency units (cents, fen)"),
        ("count", ""),
        ("max_stops", ""),
        ("s", ""),
    ],
)
def test_units_follow_from_names(name: str, unit: str) -> None:
    assert unit_of(name) == unit


def test_a_field_without_a_comment_is_an_error() -> None:
    class LaneSection(SiteSection):  # a name that the schema has, with fields that its source lacks
        pass

    with pytest.raises(KeyError, match="no comment beside kind"):
        comments(LaneSection)


def test_codes_in_the_sources_and_in_the_index_are_the_same() -> None:
    used = {
        code
        for path in SOURCES
        for code in re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+)+|not-utf8)"', path.read_text(encoding="utf-8"))
    } - NO_CODES
    assert used - CODES.keys() == set()
    assert CODES.keys() - used == set()
