"""What the checks share: the readable parts of the scenario, known ids and the faults found so far."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

from logistics.scenario import Scenario
from logistics.schema_faults import Draft, Location, show
from solvers.errors import Fault

_LISTED = 8  # names offered when none is close


class Findings:
    """Collects faults. Locations are those of the draft's scenario; places are shown as in the document.

    Nothing is reported at, above or below a location with a schema fault: what is wrong there is known.
    """

    def __init__(self, draft: Draft, file: str) -> None:
        self.draft = draft
        self.file = file
        self.faults: list[Fault] = []
        self._ids: dict[str, list[str]] = {}
        # references and duplicates found, by section: ways can't be followed through these
        self.broken: set[str] = set()

    @property
    def scenario(self) -> Scenario:
        return self.draft.scenario

    def add(
        self,
        location: Location,
        code: str,
        message: str,
        repair: str,
        value: Any = None,
        file: str | None = None,
    ) -> None:
        """Report a fault, unless a schema fault sits there."""
        if self.draft.spoilt(self.draft.in_document(location)):
            return
        found = "" if value is None else show(value)
        self.faults.append(Fault(file or self.file, self.draft.place(location), found, code, message, repair))

    def sound(self, *sections: str) -> bool:
        """Whether no fault at all was found in these top-level sections."""
        return not any(
            section in self.draft.absent
            or section in self.broken
            or any(location[0] == section for location in self.draft.faulty)
            for section in sections
        )

    def ids(self, section: str) -> list[str]:
        """All ids in a list of the document (dotted path), those of unreadable elements included."""
        if section not in self._ids:
            node: Any = self.draft.document
            for key in section.split("."):
                node = node.get(key) if isinstance(node, dict) else None
            found = (
                [item.get("id") for item in node if isinstance(item, dict)] if isinstance(node, list) else []
            )
            self._ids[section] = [name for name in found if isinstance(name, str)]
        return self._ids[section]

    def known(self, section: str, name: str, location: Location) -> bool:
        """Whether `name` is an id of the section; reports it otherwise."""
        known = self.ids(section)
        if name in known:
            return True
        if section.split(".")[0] in self.draft.absent:
            return False  # the missing section is reported already
        thing = section.split(".")[-1].removesuffix("s")
        self.broken.add(str(location[0]))
        self.add(
            location, f"unknown-{thing}", f"there is no {thing} with this id", meant(name, known), value=name
        )
        return False


def check_equipment(
    findings: Findings,
    place: Location,
    key: str,
    kinds: Sequence[str],
    allowed: Sequence[str],
    not_for_kind: str,
) -> bool:
    """Whether a site of this kind may hold the equipment `key` ("storage", "sorting"); reports it otherwise.

    Also reports, with the code given, tables of parameters for other `kinds`.
    """
    site = findings.scenario.sites[int(place[1])]
    section = getattr(site, key)
    where = (*place, key)
    if site.kind not in allowed:
        why = f"only {' and '.join(f'{kind}s' for kind in allowed)} have {key}, this is a {site.kind}"
        findings.add(where, "key-not-for-kind", why, "remove it", value=section.kind)
        return False
    for name in kinds:
        if name != section.kind and name in section.model_fields_set:
            findings.add(
                (*where, name),
                not_for_kind,
                f'the {key} is of kind "{section.kind}", these parameters would be ignored',
                f'remove the table, or write kind = "{name}"',
            )
    return True


def meant(name: str, known: list[str]) -> str:
    """A repair that offers the closest known name, or the first few."""
    close = difflib.get_close_matches(name, known, 1, 0.6)
    if close:
        return f'write "{close[0]}" (did you mean that?)'
    if not known:
        return "add it"
    return f"write one of {', '.join(known[:_LISTED])}{', ...' if len(known) > _LISTED else ''}"
