"""Compiled kernels on disk: dropped when what they were compiled from has changed, announced when missing.

Numba keys its cache by the file of the outermost function only, so a change in a helper's module, or of a constant
that it imports, would leave stale machine code behind.

Kernels fill the arrays that they are given and return numbers: numba runs Python code for each array returned, and
a Ctrl-C heard there leaves a tuple with holes in it, which ends the process (numba 0.68).
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from pathlib import Path

_LOG = logging.getLogger("solvers")


def drop_stale_cache(package: str, folder: Path, *others: Path, announced: bool = True) -> bool:
    """Delete the compiled kernels of a package if its sources changed since; True if some were there.

    `others` are files and folders outside `folder` that helpers or constants are compiled in from.
    `announce_compiling` follows, unless `announced` is false.
    """
    sources = [
        file for place in (folder, *others) for file in ([place] if place.is_file() else place.glob("*.py"))
    ]
    digest = hashlib.sha256()
    for source in sorted(sources):
        digest.update(source.name.encode() + source.read_bytes())
    cache = folder / "__pycache__"
    stamp = cache / "kernels.sha256"
    dropped = False
    with contextlib.suppress(OSError):
        if not stamp.exists() or stamp.read_text() != digest.hexdigest():
            stale = [*cache.glob("*.nbi"), *cache.glob("*.nbc")]
            for file in stale:
                file.unlink(missing_ok=True)
            cache.mkdir(exist_ok=True)
            stamp.write_text(digest.hexdigest())
            dropped = bool(stale)
    if announced:
        announce_compiling(package, folder)
    return dropped


def announce_compiling(package: str, folder: Path) -> None:
    """Warn that compilation lies ahead if nothing compiled is there; on stderr, unless logging goes elsewhere."""
    cache = folder / "__pycache__"
    # where the folder cannot be written to, numba keeps its cache elsewhere and nothing is known of it
    if os.access(cache, os.W_OK) and not any(cache.glob("*.nbi")):
        _LOG.warning("compiling %s: once, then it is cached", package)
