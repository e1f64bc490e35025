"""Shared fixtures: real data by environment variable only, hypothesis profiles, the soak marker."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile(
    "default", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.register_profile("soak", deadline=None, max_examples=2000, suppress_health_check=list(HealthCheck))
settings.load_profile("soak" if os.environ.get("LOGISTICS_SOAK") else "default")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "soak: long fault tests and fuzzing, run by `make soak`")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("LOGISTICS_SOAK"):
        return
    skip = pytest.mark.skip(reason="soak test; run `make soak`")
    for item in items:
        if "soak" in item.keywords:
            item.add_marker(skip)


def unavailable(reason: str, variable: str = "LOGISTICS_REQUIRE_DATA") -> None:
    """Skip, or fail where the environment says that nothing may be missing."""
    if os.environ.get(variable) == "1":
        pytest.fail(f"{variable}=1, but {reason}")
    pytest.skip(reason)


@pytest.fixture
def heard_signals() -> Iterator[None]:
    """Programs that a test starts hear signals, even where the tests run by nohup or in the background."""
    ignored = [s for s in (signal.SIGINT, signal.SIGHUP) if signal.getsignal(s) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(scope="session")
def data_dir() -> Callable[[str], Path]:
    """`data_dir("routing/cvrp-x")`: that set's folder or file under LOGISTICS_DATA, or the test skips."""

    def find(name: str) -> Path:
        root = os.environ.get("LOGISTICS_DATA")
        if not root:
            unavailable(f"LOGISTICS_DATA is unset; this test needs the set {name}")
        path = Path(root or "") / name
        if not path.exists():
            unavailable(f"the set {name} is not under LOGISTICS_DATA")
        return path

    return find
