"""Worker processes that each solve one problem again and again, steered from here."""

from __future__ import annotations

import contextlib
import pickle
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from solvers.errors import LogisticsError
from solvers.parallel.rounds import Finished, Round, play
from solvers.problem import Problem
from solvers.result import Incumbent
from solvers.solution import Solution

GRACE_S = 6.0  # a worker that does not end so long after it was asked to is killed


class WorkerError(LogisticsError):
    """A worker process failed."""

    code = "worker-failed"


class InlinePool:
    """The same face without processes: one round after the other, here."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem

    def __enter__(self) -> InlinePool:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __len__(self) -> int:
        return 1

    def run(
        self,
        rounds: Sequence[Round],
        on_best: Callable[[Incumbent[Solution]], bool],
        patience_s: float | None = None,  # noqa: ARG002
        need_any: bool = False,  # noqa: ARG002
    ) -> tuple[list[Finished], bool]:
        """The rounds in turn; solvers heed Ctrl-C themselves, which leaves out the rest of the rounds."""
        found = []
        for wanted in rounds:
            found.append(play(self._problem, wanted, lambda: False, on_best))
            if found[-1].result.interrupted:
                return found, True
        return found, False


class WorkerPool:
    """`size` processes that hold `problem`; a context manager that leaves none behind."""

    def __init__(self, problem: Problem, size: int) -> None:
        self._messages: queue.Queue[tuple[int, str, Any]] = queue.Queue()
        content = pickle.dumps(("problem", problem), protocol=pickle.HIGHEST_PROTOCOL)
        self._processes: list[subprocess.Popen[bytes]] = []
        self._ready: set[int] = set()
        self._gone: set[int] = set()
        for number in range(size):
            process = subprocess.Popen(
                [sys.executable, "-m", "solvers.parallel.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for this process, which then halts the workers
            )
            self._processes.append(process)
            threading.Thread(target=self._listen, args=(number, process, content), daemon=True).start()

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    with contextlib.suppress(OSError):
                        stream.close()

    def __len__(self) -> int:
        """Workers that are left."""
        return len(self._processes) - len(self._gone)

    def _listen(self, number: int, process: subprocess.Popen[bytes], first: bytes) -> None:
        """Hand the problem over (it may not fit the pipe at once), then pass on what the worker says."""
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            process.stdin.write(first)
            process.stdin.flush()
            self._messages.put((number, "ready", None))
            while True:
                kind, content = pickle.load(process.stdout)
                self._messages.put((number, kind, content))
        except Exception as error:  # whatever it is, the worker is of no more use
            ended = isinstance(error, EOFError | OSError)
            self._messages.put((number, "gone", None if ended else f"{type(error).__name__}: {error}"))

    def _tell(self, number: int, kind: str, content: object = None) -> None:
        stream = self._processes[number].stdin
        assert stream is not None
        with contextlib.suppress(OSError, ValueError):
            pickle.dump((kind, content), stream, protocol=pickle.HIGHEST_PROTOCOL)
            stream.flush()

    def run(
        self,
        rounds: Sequence[Round],
        on_best: Callable[[Incumbent[Solution]], bool],
        patience_s: float | None = None,
        need_any: bool = False,
    ) -> tuple[list[Finished], bool]:
        """One round in each worker; what they bring, in their order, and whether Ctrl-C ended it.

        `on_best` hears of incumbents while the rounds run, and says whether those that hear should. Workers that
        have not answered after `patience_s` (one that compiles cannot be halted) or soon after Ctrl-C are ended and
        the pool goes on without them; with `need_any` it first waits for at least one solution.
        Raises `WorkerError` if every round fails.
        """
        alive = [n for n in range(len(self._processes)) if n not in self._gone]
        wanted = dict(zip(alive, rounds, strict=False))
        open_, found = set(wanted), dict[int, Finished]()
        failures: list[str] = []
        asked: set[int] = set()
        end = None if patience_s is None else time.monotonic() + patience_s
        interrupted = heard = False
        while open_ and (end is None or time.monotonic() < end or (need_any and not (found or heard))):
            try:
                for number in (self._ready & open_) - asked:
                    asked.add(number)
                    self._tell(number, "round", wanted[number])
                with contextlib.suppress(queue.Empty):
                    number, kind, content = self._messages.get(timeout=0.5)
                    if kind == "ready":
                        self._ready.add(number)
                    elif kind == "best" and number in open_:
                        heard = True
                        if on_best(content):
                            for other in (open_ & asked) - {number}:
                                if wanted[
                                    other
                                ].hears:  # others may not read for long, and the pipe would fill
                                    self._tell(other, "arrival", content.solution)
                    elif kind == "done" and number in open_:
                        found[number] = content
                        open_.discard(number)
                    elif kind in ("failed", "gone") and number in open_:
                        failures.append(content or "the worker process ended")
                        open_.discard(number)
                        if kind == "gone":
                            self._gone.add(number)
            except KeyboardInterrupt:
                if not interrupted:
                    interrupted, need_any, end = True, False, time.monotonic() + GRACE_S
                    open_ &= asked
                    for number in asked:
                        self._tell(number, "halt")
        for number in open_:
            self._gone.add(number)
            self._processes[number].kill()
        if not found and failures and not open_:
            raise WorkerError("every solver of the portfolio failed: " + "; ".join(failures))
        return [found[number] for number in sorted(found)], interrupted
