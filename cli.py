"""The command line: every command registered, failures turned into messages and exit codes.

The commands stand in the modules `cli_*` beside this one: parsing, progress and output; all logic lives in the
packages, which are imported when a command runs. Data goes to stdout, progress and messages to stderr. Exit
codes: 0 success, 1 invalid input, 2 internal failure, 3 unserved visits or violations (`run` only with --strict),
130 interrupted. A new command is a function in one of those modules and a name in `COMMANDS`.
"""

from __future__ import annotations

import os
import signal
import stat
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import FrameType

import click

from cli_bench import bench
from cli_imports import import_
from cli_scenarios import compare, explain, init, report, run, sweep, validate
from cli_shared import INTERNAL, INTERRUPTED, INVALID, ensure_kernel_cache, note
from cli_solving import check, solve, solvers

AGAIN_S = 0.02
"""An interruption that comes where an exception would be lost is tried again after this time."""

LOSING = "<frozen importlib", str(Path("llvmlite", "binding"))
"""Parts of the names of files in which an exception is lost.

Compiled modules (numba's, for one) answer it while they are loaded with an `ImportError` of their own, so that the
user would read of a failure and not of the interruption. LLVM calls back while it loads or makes machine code, and
of an exception there only a message comes back.
"""

HANGUP: int | None = getattr(signal, "SIGHUP", None)
"""A lost terminal, where the platform knows it."""

COMMANDS = (init, validate, run, compare, sweep, report, explain, solve, check, solvers, import_, bench)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="logistics-engine")
def logistics() -> None:
    """Simulate and optimize parcel networks, from order to doorstep."""


for _command in COMMANDS:
    logistics.add_command(_command)


def leave_terminal() -> None:
    """Let what is still said to a terminal go nowhere.

    Writing to one that is gone fails, and with the first message all that is left to do would be lost.
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (1, 2):
        with suppress(OSError):
            if stat.S_ISCHR(os.fstat(stream).st_mode):
                os.dup2(nowhere, stream)
    os.close(nowhere)


_told: set[int] = set()  # signals that came once and are to be obeyed once


def interrupt(number: int, frame: FrameType | None) -> None:
    """Signal handler: raise `KeyboardInterrupt`, but not where that is lost (`LOSING`).

    Of a lost terminal both the system and the shell may tell; the second word must not end what the first one made
    the program save.
    """
    if number in _told:
        return
    if number == HANGUP:
        leave_terminal()
    while frame is not None:
        if any(part in frame.f_code.co_filename for part in LOSING):
            again = (threading.main_thread().ident, number)
            later = threading.Timer(AGAIN_S, signal.pthread_kill, again)
            later.daemon = True
            later.start()
            return
        frame = frame.f_back
    if number == HANGUP:
        _told.add(number)
    raise KeyboardInterrupt


def main() -> None:
    """Entry point: turns every foreseen failure into a message and an exit code."""
    ensure_kernel_cache()
    # A request to end is obeyed as Ctrl-C is: what was begun is taken away, nothing stays half-written.
    signal.signal(signal.SIGTERM, interrupt)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # in the background it is ignored
        signal.signal(signal.SIGINT, interrupt)
    if HANGUP is not None and signal.getsignal(HANGUP) is signal.SIG_DFL:  # nohup has it ignored
        signal.signal(HANGUP, interrupt)
    try:
        logistics(standalone_mode=False)
    except (click.exceptions.Abort, KeyboardInterrupt):
        note("interrupted")
        sys.exit(INTERRUPTED)
    except click.ClickException as error:
        error.show()
        sys.exit(INVALID)
    except Exception as error:
        # Imported only now: `logistics --help` need not load numpy.
        from solvers.errors import InvalidInputError, LogisticsError

        if isinstance(error, InvalidInputError):
            note(str(error))
            sys.exit(INVALID)
        if isinstance(error, LogisticsError):
            note(f"{error} [{error.code}]")
            sys.exit(INTERNAL if error.code in ("conservation", "plan-rejected") else INVALID)
        if isinstance(error, BrokenPipeError):
            sys.exit(0)
        note(f"internal failure: {type(error).__name__}: {error}; please report it with the command you ran")
        sys.exit(INTERNAL)
    finally:
        # The work is done and the exit code settled: a late Ctrl-C must not turn them into a death by signal.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        if HANGUP is not None:
            signal.signal(HANGUP, signal.SIG_IGN)


if __name__ == "__main__":
    main()
