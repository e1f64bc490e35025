"""Large plain instances to tune on, as VRPLIB files: `python -m tests.benchmarks.large FOLDER 6000 15000 30000`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np


def write(folder: Path, visits: int, per_route: int = 20, seed: int = 1) -> Path:
    """Half the visits uniform, half in clusters, depot in the middle, about `per_route` visits a route."""
    rng = np.random.default_rng(seed)
    side = int(1000 * np.sqrt(visits / 1000))
    centres = rng.integers(0, side, (max(3, visits // 300), 2))
    half = visits // 2
    scattered = rng.integers(0, side, (half, 2))
    clustered = centres[rng.integers(0, len(centres), visits - half)]
    clustered = clustered + rng.laplace(0, side * 0.015, (visits - half, 2))
    places = np.concatenate([scattered, np.clip(clustered, 0, side).astype(int)])
    demand = rng.integers(1, 101, visits)
    name = f"L-n{visits + 1}-q{per_route}-s{seed}"
    nodes = [(side // 2, side // 2), *places.tolist()]
    lines = [
        f"NAME : {name}",
        "TYPE : CVRP",
        f"DIMENSION : {visits + 1}",
        "EDGE_WEIGHT_TYPE : EUC_2D",
        f"CAPACITY : {int(per_route * demand.mean())}",
        "NODE_COORD_SECTION",
        *(f"{i} {x} {y}" for i, (x, y) in enumerate(nodes, 1)),
        "DEMAND_SECTION",
        *(f"{i} {q}" for i, q in enumerate([0, *demand.tolist()], 1)),
        "DEPOT_SECTION",
        "1",
        "-1",
        "EOF",
    ]
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.vrp"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


if __name__ == "__main__":
    for size in sys.argv[2:]:
        print(write(Path(sys.argv[1]), int(size)))
