"""Compiled search kernels: flat typed arrays in, flat typed arrays out, no Python inside the loops.

Numba keys its on-disk cache by the file of the outermost function only, so a change in a helper module would
leave stale machine code behind. `drop_stale_cache` therefore clears it whenever any kernel source changed.
"""

from __future__ import annotations

import contextlib
import hashlib
from pathlib import Path


def drop_stale_cache(folder: Path) -> bool:
    """Delete compiled kernels next to `folder`'s sources if these changed since; True if some were there."""
    digest = hashlib.sha256()
    for source in sorted(folder.glob("*.py")):
        digest.update(source.name.encode() + source.read_bytes())
    cache = folder / "__pycache__"
    stamp = cache / "kernels.sha256"
    with contextlib.suppress(OSError):
        if stamp.exists() and stamp.read_text() == digest.hexdigest():
            return False
        stale = [*cache.glob("*.nbi"), *cache.glob("*.nbc")]
        for file in stale:
            file.unlink(missing_ok=True)
        cache.mkdir(exist_ok=True)
        stamp.write_text(digest.hexdigest())
        return bool(stale)
    return False


drop_stale_cache(Path(__file__).parent)
