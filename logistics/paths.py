"""Paths written in scenarios."""

from __future__ import annotations

import os
from pathlib import Path


def resolve(path: str, folder: Path) -> Path:
    """The file a scenario means: environment variables expanded, relative to `folder` (the scenario's).

    A variable that is unset stays as written, so that the message about a missing file names it.
    """
    return folder / Path(os.path.expandvars(path)).expanduser()
