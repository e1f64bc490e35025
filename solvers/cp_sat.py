"""One way to run OR-Tools CP-SAT: sized, repeatable, and leaving Ctrl-C to Python.

CP-SAT brings pandas with it, so the modules that use it import it when they first need it.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ortools.sat.python import cp_model


def search(
    model: cp_model.CpModel, work: float, seconds: float | None, seed: int, threads: int = 1
) -> cp_model.CpSolver | None:
    """The solver with the best solution found, or None where it found none.

    `work` is in units of CP-SAT's deterministic time; `seconds` ends the search too, if given. With one thread
    and no `seconds` the outcome repeats per `seed`. Ctrl-C in the main thread ends the search, and
    `KeyboardInterrupt` goes on from here; where the caller's own handler takes the signal, the search goes on.
    """
    from ortools.sat.python import cp_model

    solver = cp_model.CpSolver()
    solver.parameters.num_workers = threads
    solver.parameters.random_seed = seed % 2**31
    solver.parameters.max_deterministic_time = work
    if seconds is not None:
        solver.parameters.max_time_in_seconds = seconds
    # CP-SAT's own handler leaves the signal at its default after a search, in whichever thread that ran: the
    # next Ctrl-C would then kill the whole process, with no chance to clear up.
    solver.parameters.catch_sigint_signal = False
    if threading.current_thread() is threading.main_thread():
        # Python's handler runs in the main thread only, and not while that is inside native code.
        with ThreadPoolExecutor(1) as pool:
            running = pool.submit(solver.solve, model)
            try:
                status = running.result()
            except KeyboardInterrupt:
                solver.stop_search()
                raise
    else:
        status = solver.solve(model)
    return solver if status in (cp_model.OPTIMAL, cp_model.FEASIBLE) else None
