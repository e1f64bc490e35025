"""One run of a scenario: demand, roads, twin, tables, manifest, run folder."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from logistics.demand import build_demand
from logistics.past_orders import past_orders
from logistics.paths import resolve
from logistics.roads import Roads, load_roads
from logistics.scenario import Scenario
from logistics.tables import Demand
from sim.handover import take_state
from sim.joining import join
from sim.random_streams import Streams
from sim.results import build_tables, machine_figures
from sim.resume import check_vehicles, put_state
from sim.state import RunState, check_state, read_state
from sim.twin import Twin, TwinOptions

Progress = Callable[[str], None]
PACKAGES = ("logistics-engine", "numpy", "numba", "scipy", "simpy", "ortools", "pyarrow", "duckdb")


@dataclass(frozen=True, slots=True)
class RunResult:
    """A finished run. `kpis` are the flat key figures; those of the manifest add wall-clock and memory; `state` is
    where another run can go on."""

    scenario: Scenario
    tables: dict[str, pa.Table]
    kpis: dict[str, float]
    manifest: dict[str, Any]
    roads: Roads
    state: RunState


def scenario_hash(scenario: Scenario) -> str:
    """A hash of everything the scenario file and its overrides say, and of the files that it names."""
    digest = hashlib.sha256(scenario.model_dump_json(by_alias=True).encode())
    orders = scenario.demand.order_file
    named = [scenario.roads.path, scenario.sort_plan.path, scenario.demand.volumes, scenario.catalogue.path]
    named += [] if orders is None else [orders.path, orders.map, orders.buildings_path]
    for text in named:
        path = None if text is None else resolve(text, scenario.folder)
        if path is not None and path.is_file():  # a map may be a built-in one
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def make_roads(scenario: Scenario) -> tuple[Roads, Roads]:
    """Roads for local traffic and for linehaul (the same object where the scenario makes no difference)."""
    section = scenario.roads

    def roads(speeds_kmh: list[float] | None) -> Roads:
        speeds = None if speeds_kmh is None else [speed / 3.6 for speed in speeds_kmh]
        return load_roads(
            section.kind,
            path=None if section.path is None else scenario.path(section.path),
            detour_factor=section.detour_factor,
            start_second_of_day=scenario.scenario.start_second_of_day,
            speeds_mps=speeds,
            max_snap_m=section.max_snap_m,
        )

    local = roads(section.speeds_kmh)
    if section.linehaul_speeds_kmh is None or section.kind != "great-circle":
        return local, local
    return local, roads(section.linehaul_speeds_kmh)


def build_twin(
    scenario: Scenario,
    seed: int,
    replication: int = 0,
    options: TwinOptions | None = None,
    progress: Progress = lambda _: None,
) -> Twin:
    """The twin of a checked scenario with its demand and roads, ready to run."""
    return _build(scenario, seed, replication, options, progress, None).twin


@dataclass(frozen=True, slots=True)
class _Built:
    """A twin ready to run, the demand of its own scenario, and what it took over from an earlier run."""

    twin: Twin
    demand: Demand
    came_from: dict[str, Any] | None = None


def _build(
    scenario: Scenario,
    seed: int,
    replication: int,
    options: TwinOptions | None,
    progress: Progress,
    start_from: Path | None,
) -> _Built:
    state = None
    if start_from is not None:
        state = read_state(start_from)
        check_state(state, scenario, str(start_from))
    streams = Streams(seed, replication)
    progress("demand")
    demand = build_demand(scenario, streams.generator, scenario.folder)
    learns = [site.storage.slotting.learn_days for site in scenario.sites if site.storage is not None]
    past = past_orders(scenario, streams.generator, scenario.folder, max(learns)) if learns else None
    progress("roads")
    local, linehaul = make_roads(scenario)
    if state is None:
        return _Built(Twin(scenario, demand, local, linehaul, streams, options, past=past), demand)
    joined = join(scenario, demand, state)
    twin = Twin(
        scenario, joined.demand, local, linehaul, streams, options, joined.begins_s, joined.keys, demand, past
    )
    check_vehicles(state, twin, str(start_from))
    put_state(twin, state)
    came_from = {
        "scenario": state.header["scenario"],
        "moment": state.moment.isoformat(),
        "parcels": joined.carried,
        "orders_before": joined.earlier_orders,
    }
    return _Built(twin, demand, came_from)


def run_scenario(
    scenario: Scenario,
    seed: int,
    replication: int = 0,
    options: TwinOptions | None = None,
    progress: Progress | None = None,
    start_from: Path | None = None,
) -> RunResult:
    """Simulate a checked scenario. Same scenario, seed and replication: the same tables.

    With `start_from`, the folder of an earlier run, the run goes on from the state in which that one ended.
    Raises `InvalidInputError` where that can't be.
    """
    begun = time.perf_counter()
    say = progress or (lambda _: None)
    built = _build(scenario, seed, replication, options, say, start_from)
    twin, cleaning = built.twin, built.demand.cleaning
    say("simulation")
    started = time.perf_counter()
    twin.run()
    simulated = time.perf_counter()
    say("tables")
    machines = machine_figures(twin)
    tables, kpis = build_tables(twin, machines)
    finished = time.perf_counter()
    wall = {
        "simulation_s": simulated - started - twin.waited_s,
        "solver_s": twin.pool.runtime_s,
        "solver_wait_s": twin.waited_s,
        "prepare_s": started - begun,
        "tables_s": finished - simulated,
        "total_s": finished - begun,
        "peak_memory_mb": peak_memory_mb(),
    }
    manifest = {
        "scenario": scenario.scenario.name,
        "scenario_hash": scenario_hash(scenario),
        "seed": seed,
        "replication": replication,
        "currency": scenario.scenario.currency,
        "start": scenario.scenario.start.isoformat(),
        "begun_s": twin.begins_s,
        "ended_s": twin.cut_s,
        "from": built.came_from,
        "versions": versions(),
        "machine": {
            "system": platform.system(),
            "architecture": platform.machine(),
            "python": platform.python_version(),
            "cores": os.cpu_count(),
        },
        "cleaning": None
        if cleaning is None
        else {
            "lines_read": cleaning.lines_read,
            "lines_kept": cleaning.lines_kept,
            "dropped": cleaning.dropped,
        },
        "kpis": {**kpis, **wall},
    }
    for key, kind in (("sorting", "sorter"), ("storage", "storage")):
        if machines[kind]:
            manifest[key] = machines[kind]
    return RunResult(scenario, tables, kpis, manifest, twin.world.roads, take_state(twin))


def versions() -> dict[str, str]:
    """Versions of what decides about results."""
    return {name: importlib.metadata.version(name) for name in PACKAGES}


def peak_memory_mb() -> float:
    """Largest resident size of this process and of its largest child so far, in megabytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return (own + children) * unit / 1e6


def folder_of(out: str | None, scenario: Scenario) -> Path:
    """Where a run goes: the folder asked for, else runs/NAME."""
    return Path(out) if out else Path("runs") / scenario.scenario.name
