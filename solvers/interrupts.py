"""Ctrl-C as a note, for searches in native code: they swallow an exception, or lose what they found by it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

# Those that may end a run; the last is not known on every platform.
SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


@contextmanager
def interrupts_noted(note: Callable[[], None]) -> Iterator[None]:
    """Within, `note` is called where a signal's handler raises `KeyboardInterrupt`, which goes no further.

    Ctrl-C, and a request to end (SIGTERM) or a lost terminal (SIGHUP) where the program answers them alike. What
    else the program's handlers do they still do, and signals that it ignores or leaves to the system stay so. Only
    the main thread hears signals: in others nothing changes.
    """
    handlers: dict[int, Callable[[int, FrameType | None], object]] = {}
    if threading.current_thread() is threading.main_thread():
        known = ((number, signal.getsignal(number)) for number in SIGNALS)
        handlers = {number: handler for number, handler in known if callable(handler)}

    def hear(number: int, frame: FrameType | None) -> None:
        try:
            handlers[number](number, frame)
        except KeyboardInterrupt:
            note()

    for number in handlers:
        signal.signal(number, hear)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
