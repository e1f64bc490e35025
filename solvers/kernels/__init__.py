"""Compiled search kernels: flat typed arrays in, flat typed arrays out, no Python inside the loops.

Numba keys its on-disk cache by the file of the outermost function only, so a change in a helper module would
leave stale machine code behind. `drop_stale_cache` therefore clears it whenever any kernel source changed.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from pathlib import Path

_LOG = logging.getLogger("solvers")
_ROOT = Path(__file__).parent


def drop_stale_cache(folder: Path, root: Path = _ROOT) -> bool:
    """Delete compiled kernels next to `folder`'s sources if these changed since; True if some were there.

    Sources in the folders above, up to `root`, count too: their helpers are compiled into kernels below.
    Says so, by a warning that goes to stderr unless logging is set up otherwise, where nothing compiled is
    there and compilation lies ahead.
    """
    digest = hashlib.sha256()
    above = [f for f in folder.parents if f == root or root in f.parents] if folder != root else []
    for source in sorted(file for place in (folder, *above) for file in place.glob("*.py")):
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
    # where the folder cannot be written to, numba keeps its cache elsewhere and nothing is known of it
    if os.access(cache, os.W_OK) and not any(cache.glob("*.nbi")):
        _LOG.warning("compiling the kernels of %s: once, then they are cached", folder.name)
    return dropped


drop_stale_cache(_ROOT)
