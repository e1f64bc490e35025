"""The machine and the versions that a benchmark ran with."""

from __future__ import annotations

import os
import platform
import re
import shlex
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("logistics-engine", "numpy", "numba", "scipy", "ortools", "pyvrp", "pyvroom")


def available_cpus() -> list[int]:
    """CPUs that this process may use: those it is pinned to where the system tells."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def describe() -> dict[str, Any]:
    """Time, processor, memory, system, versions of this package and of those it measures, commit if known."""
    return {
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "processor": _processor(),
        "cpus": len(available_cpus()),
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "memory_gb": _memory_gb(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": sys.version.split()[0],
        "versions": {name: found for name in PACKAGES if (found := _version(name))},
        "commit": _commit(),
    }


def command_text(arguments: Sequence[str]) -> str:
    """The command line as others may repeat it: data is named by the variable that finds it."""
    words, root = [], os.environ.get("LOGISTICS_DATA", "").rstrip("/")
    for word in arguments:
        if root and (word + "/").startswith(root + "/"):
            words.append(f'"$LOGISTICS_DATA{word[len(root) :]}"')
        else:
            words.append(shlex.quote(word))
    return " ".join(["logistics", *words])


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists() and (found := re.search(r"^model name\s*: (.+)$", info.read_text(), re.MULTILINE)):
        return found[1]
    return platform.processor() or platform.machine()


def _memory_gb() -> float | None:
    info = Path("/proc/meminfo")
    found = re.search(r"^MemTotal:\s+(\d+) kB", info.read_text(), re.MULTILINE) if info.exists() else None
    return round(int(found[1]) / 2**20, 1) if found else None


def _commit() -> str | None:
    """The commit of the checkout that this module lies in, with a plus sign where files were changed since."""
    here = Path(__file__).parent
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty=+", "--abbrev=10", "--exclude=*"],
            cwd=here, capture_output=True, text=True, check=False, timeout=10,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() or None
