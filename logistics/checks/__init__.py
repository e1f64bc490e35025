"""Checks across the parts of a scenario, for `logistics.validate`; each module holds one theme."""

from __future__ import annotations

from collections.abc import Mapping

from logistics.checks.clocks import check_clocks
from logistics.checks.contents import check_contents
from logistics.checks.files import check_files
from logistics.checks.findings import Findings
from logistics.checks.marks import check_marks
from logistics.checks.references import check_references
from logistics.checks.roles import check_containers, check_roles
from logistics.checks.sizes import check_sizes
from logistics.checks.solving import check_solver
from logistics.checks.ways import check_ways
from logistics.schema_faults import Draft
from solvers.errors import Fault

__all__ = ["cross_check"]


def cross_check(
    draft: Draft, written: Mapping[str, set[str]], file: str, thorough: bool = False
) -> list[Fault]:
    """All faults between the readable parts of a scenario and in the files it names.

    `written` are the dotted paths of what the file itself holds (without `--set`), by section. A run reads
    roads and buildings anyway; `thorough` reads them here, for their faults.
    """
    findings = Findings(draft, file)
    check_references(findings)
    check_roles(findings)
    check_solver(findings)
    check_marks(findings, written)
    tables = check_files(findings)
    check_clocks(findings, tables)
    check_sizes(findings, tables)
    check_containers(findings, tables)
    check_ways(findings, tables)
    if thorough:
        check_contents(findings, tables)
    return findings.faults
