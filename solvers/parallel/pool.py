"""Worker processes that each solve one problem again and again, steered from here."""

from __future__ import annotations

import atexit
import contextlib
import os
import pickle
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from solvers.choice import usable_cores
from solvers.errors import LogisticsError
from solvers.parallel.rounds import IDLE_S, Finished, Round, play
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
        on_best: Callable[[Incumbent[Solution]], object],
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


class _Worker:
    """A process that solves on request; what it says goes to the pool that has it, with its number there."""

    def __init__(self) -> None:
        self.number = 0
        self.messages: queue.Queue[tuple[int, str, Any]] | None = None
        self.parked = 0.0
        self.processor_s = 0.0
        self.process = subprocess.Popen(
            [sys.executable, "-m", "solvers.parallel.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for this process, which then halts the workers
        )
        threading.Thread(target=self._listen, daemon=True).start()

    def hold(self, number: int, messages: queue.Queue[tuple[int, str, Any]], problem: bytes) -> None:
        """Hand the problem over, beside what else is done: it may not fit the pipe at once."""
        self.number, self.messages = number, messages
        threading.Thread(target=self._hand_over, args=(problem,), daemon=True).start()

    def _hand_over(self, problem: bytes) -> None:
        assert self.process.stdin is not None
        try:
            self.process.stdin.write(problem)
            self.process.stdin.flush()
            self._say("ready")
        except (OSError, ValueError):
            self._say("gone")

    def _listen(self) -> None:
        assert self.process.stdout is not None
        try:
            while True:
                kind, content = pickle.load(self.process.stdout)
                if kind == "done":
                    self.processor_s = content.processor_s
                self._say(kind, content)
        except Exception as error:  # whatever it is, the worker is of no more use
            ended = isinstance(error, EOFError | OSError)
            self._say("gone", None if ended else f"{type(error).__name__}: {error}")

    def _say(self, kind: str, content: object = None) -> None:
        if self.messages is not None:
            self.messages.put((self.number, kind, content))

    def tell(self, kind: str, content: object = None) -> None:
        assert self.process.stdin is not None
        with contextlib.suppress(OSError, ValueError):
            pickle.dump((kind, content), self.process.stdin, protocol=pickle.HIGHEST_PROTOCOL)
            self.process.stdin.flush()

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()


class _Parked:
    """Workers with nothing to do, kept for the next pool: a start takes seconds, most of a quick solve."""

    def __init__(self) -> None:
        self._workers: list[_Worker] = []
        atexit.register(self.end)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._workers.clear)  # they are the parent's

    def take(self) -> _Worker:
        """One of them, or a new one."""
        while True:
            try:
                worker = self._workers.pop()
            except IndexError:
                return _Worker()
            if worker.process.poll() is None and time.monotonic() - worker.parked < IDLE_S / 2:
                return worker
            worker.end()

    def put(self, worker: _Worker) -> None:
        worker.messages, worker.parked = None, time.monotonic()
        if len(self._workers) < usable_cores():
            worker.tell("problem", None)
            self._workers.append(worker)
        else:
            worker.end()

    def processor_s(self) -> float:
        """Processor time that they have used so far."""
        return sum(worker.processor_s for worker in self._workers)

    def end(self) -> None:
        while self._workers:
            self._workers.pop().end()


parked = _Parked()


class WorkerPool:
    """`size` processes that hold `problem`; a context manager after which none is at work."""

    def __init__(self, problem: Problem, size: int) -> None:
        self._messages: queue.Queue[tuple[int, str, Any]] = queue.Queue()
        content = pickle.dumps(("problem", problem), protocol=pickle.HIGHEST_PROTOCOL)
        self._workers = [parked.take() for _ in range(size)]
        self._ready: set[int] = set()
        self._gone: set[int] = set()
        self._busy: set[int] = set()
        for number, worker in enumerate(self._workers):
            worker.hold(number, self._messages, content)

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, worker in enumerate(self._workers):
            if number in self._ready - self._gone - self._busy:
                parked.put(worker)
            else:
                worker.end()

    def __len__(self) -> int:
        """Workers that are left."""
        return len(self._workers) - len(self._gone)

    def run(
        self,
        rounds: Sequence[Round],
        on_best: Callable[[Incumbent[Solution]], object],
        patience_s: float | None = None,
        need_any: bool = False,
    ) -> tuple[list[Finished], bool]:
        """One round in each worker; what they bring, in their order, and whether Ctrl-C ended it.

        `on_best` hears of incumbents while the rounds run, and so do other rounds that hear. Workers that have
        not answered after `patience_s` (one that compiles cannot be halted) or soon after Ctrl-C are ended and
        the pool goes on without them; with `need_any` it first waits for at least one solution.
        Raises `WorkerError` if every round fails.
        """
        alive = [n for n in range(len(self._workers)) if n not in self._gone]
        wanted = dict(zip(alive, rounds, strict=False))
        open_, found = set(wanted), dict[int, Finished]()
        failures: list[str] = []
        asked: set[int] = set()
        passed_on: set[Solution] = set()
        end = None if patience_s is None else time.monotonic() + patience_s
        interrupted = heard = False
        while open_ and (end is None or time.monotonic() < end or (need_any and not (found or heard))):
            try:
                for number in (self._ready & open_) - asked:
                    asked.add(number)
                    self._busy.add(number)
                    self._workers[number].tell("round", wanted[number])
                with contextlib.suppress(queue.Empty):
                    number, kind, content = self._messages.get(timeout=0.5)
                    if kind in ("done", "failed", "gone"):
                        self._busy.discard(number)
                    if kind == "ready":
                        self._ready.add(number)
                    elif kind == "best" and number in open_:
                        heard = True
                        on_best(content)
                        for other in (open_ & asked) - {number}:
                            # others may not read for long, and the pipe would fill; what was heard echoes
                            if wanted[other].hears and content.solution not in passed_on:
                                self._workers[other].tell("arrival", content.solution)
                        passed_on.add(content.solution)
                    elif kind == "done" and number in open_:
                        found[number] = content
                        open_.discard(number)
                    elif kind in ("failed", "gone"):
                        if kind == "gone":
                            self._gone.add(number)
                        if number in open_:
                            failures.append(content or "the worker process ended")
                            open_.discard(number)
            except KeyboardInterrupt:
                if not interrupted:
                    interrupted, need_any, end = True, False, time.monotonic() + GRACE_S
                    open_ &= asked
                    for number in asked:
                        self._workers[number].tell("halt")
        for number in open_:
            self._gone.add(number)
            self._workers[number].process.kill()
        if not found and failures and not open_:
            raise WorkerError("every solver of the portfolio failed: " + "; ".join(failures))
        return [found[number] for number in sorted(found)], interrupted
