"""A worker process of `solvers.parallel.pool`: solves on request, reports incumbents, ends on request.

Messages are pickles: (kind, content) pairs in both directions, over stdin and stdout. A process of this
module's own rather than a fork or a spawned `__main__`, so that any script may use the portfolio.
"""

from __future__ import annotations

import os
import pickle
import queue
import sys
import threading
from collections import deque
from typing import Any

from solvers.parallel.rounds import IDLE_S, play
from solvers.problem import Problem
from solvers.solution import Solution


def main() -> None:
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a solver prints is no answer
    requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
    halt = threading.Event()
    arrived: deque[Solution] = deque(maxlen=1)  # only the latest is the best

    def tell(kind: str, content: object) -> None:
        pickle.dump((kind, content), answers, protocol=pickle.HIGHEST_PROTOCOL)
        answers.flush()

    def listen() -> None:
        while True:
            try:
                kind, content = pickle.load(sys.stdin.buffer)
            except (EOFError, OSError):
                os._exit(0)  # whoever asked is gone
            if kind == "halt":
                halt.set()
                continue
            if kind == "arrival":
                arrived.append(content)
                continue
            if kind == "round":
                halt.clear()
                arrived.clear()
            requests.put((kind, content))

    def arrivals() -> Solution | None:
        try:
            return arrived.pop()
        except IndexError:
            return None

    threading.Thread(target=listen, daemon=True).start()
    problem: Problem | None = None
    while True:
        try:
            kind, content = requests.get(timeout=IDLE_S if problem is None else None)
        except queue.Empty:
            os._exit(0)
        if kind == "problem":
            problem = content
            continue
        assert problem is not None
        try:
            tell("done", play(problem, content, halt.is_set, lambda best: tell("best", best), arrivals))
        except BrokenPipeError:
            os._exit(0)
        except Exception as error:
            tell("failed", f"{content.solver}: {type(error).__name__}: {error}")


if __name__ == "__main__":
    main()
