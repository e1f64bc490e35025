"""Checks across the parts of a scenario."""

from __future__ import annotations

from collections.abc import Mapping

from logistics.schema_faults import Draft
from solvers.errors import Fault


def cross_check(draft: Draft, written: Mapping[str, set[str]], file: str) -> list[Fault]:
    """All faults between the readable parts of a scenario."""
    return []
