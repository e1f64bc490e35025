"""Small instances and records for the harness's tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from solvers.bench.record import Record


def write_instances(folder: Path, count: int, visits: int = 9) -> None:
    """CVRP instances a0, a1, …; a0 has a best-known solution beside it."""
    rng = np.random.default_rng(1)
    folder.mkdir(parents=True, exist_ok=True)
    for k in range(count):
        places = rng.integers(0, 50, (visits + 1, 2))
        rows = [f"{i + 1} {x} {y}" for i, (x, y) in enumerate(places)]
        demands = [f"{i + 1} {int(i > 0)}" for i in range(visits + 1)]
        text = [
            *(f"NAME : a{k}", "TYPE : CVRP", f"DIMENSION : {visits + 1}", "EDGE_WEIGHT_TYPE : EUC_2D"),
            *("CAPACITY : 3", "NODE_COORD_SECTION", *rows, "DEMAND_SECTION", *demands),
            *("DEPOT_SECTION", "1", "-1", "EOF"),
        ]
        (folder / f"a{k}.vrp").write_text("\n".join(text) + "\n")


def record(label: str, instance: str, seed: int, cost: int | None, **more: Any) -> Record:
    """A feasible run against best-known 100, or one that failed."""
    values: dict[str, Any] = {
        "key": f"{label}{instance}{seed}{more.get('stop')}",
        "set_name": "s",
        "instance": instance,
        "visits": 50,
        "label": label,
        "solver": label,
        "parameters": {},
        "seed": seed,
        "stop": {"time_limit_s": 10.0},
        "cores": 1,
        "best_known": 100.0,
    }
    if cost is None:
        values |= {"error": "it broke", "error_code": "crash", "visits": 0}
    else:
        values |= {"cost": cost, "feasible": True, "status": "feasible", "unserved": 0, "routes": 3}
        values |= {"history": [[1.0, 2 * cost, 0], [5.0, cost, 0]], "wall_s": 10.0}
    return Record(**(values | more))
