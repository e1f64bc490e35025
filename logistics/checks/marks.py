"""The marks in `[basis]`: every input is observed, derived or assumed, and says so."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache

from logistics.checks.findings import Findings
from logistics.schema_faults import schema_paths

# what the file is called and how it is read are no inputs
_UNMARKED = ("schema", "basis", "scenario")


def check_marks(findings: Findings, written: Mapping[str, set[str]]) -> None:
    """Report sections (or, where a section is marked in part, fields) that no key of `[basis]` covers."""
    marks = findings.scenario.basis if "basis" not in findings.draft.absent else None
    if marks is None:
        return
    known = _known()
    for key in marks:
        if _schema_path(key, known):
            continue
        close = difflib.get_close_matches(key, sorted(known), 1, 0.6)
        findings.add(
            ("basis", key),
            "unknown-mark",
            "no input has this path",
            f'write "{close[0]}" (did you mean that?)'
            if close
            else "write a path such as sites.stages.service_s",
            value=key,
        )
    for section, leaves in written.items():
        if section in _UNMARKED or section not in {path.split(".")[0] for path in known}:
            continue
        bare = sorted(leaf for leaf in leaves if not _covered(section + leaf, marks))
        if not bare:
            continue
        whole = len(bare) == len(leaves)
        repair = f'add {section} = "assumed: ..." to [basis] (or "observed: ...", "derived: ...")'
        if whole:
            message = "this section is not marked as observed, derived or assumed"
            findings.add((section,), "unmarked-input", message, repair)
            continue
        message = "these inputs are not marked as observed, derived or assumed"
        fields = ", ".join(section + leaf for leaf in bare)
        findings.add((section,), "unmarked-input", message, repair, value=fields)


def _covered(path: str, marks: Mapping[str, str]) -> bool:
    parts = path.split(".")
    return parts[-1] in ("id", "name") or any(
        ".".join(parts[:end]) in marks for end in range(len(parts), 0, -1)
    )


@cache
def _known() -> frozenset[str]:
    return frozenset(schema_paths())


def _schema_path(key: str, known: frozenset[str]) -> bool:
    """Whether the key is a path of the schema, or lies inside a free table such as `demand.streams.origins`."""
    parts = key.split(".")
    if key in known:
        return True
    parents = [".".join(parts[:end]) for end in range(1, len(parts))]
    inside = [path for path in parents if path in known]
    return bool(inside) and not any(path.startswith(inside[-1] + ".") for path in known)
