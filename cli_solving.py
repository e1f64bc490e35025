"""Commands about routing problems and solvers."""

from __future__ import annotations

import sys
from typing import Any

import click

from cli_shared import (
    INCOMPLETE,
    INTERRUPTED,
    as_json,
    print_json,
    print_table,
    rounding_option,
    seed_option,
    spinner,
)


@click.command()
@click.argument("problem", type=click.Path())
@click.option("--solver", "name", default="ruin_recreate", show_default=True)
@click.option(
    "--time-limit", type=click.FloatRange(min=0, min_open=True), help="Seconds; 60 without --iterations."
)
@click.option("--iterations", type=click.IntRange(min=1), help="Stop by iterations: reproducible.")
@rounding_option
@click.option("--out", type=click.Path(), help="Write the solution (.json, or .sol).")
@seed_option
@as_json
def solve(
    problem: str,
    name: str,
    time_limit: float | None,
    iterations: int | None,
    rounding: str | None,
    out: str | None,
    seed: int,
    as_json: bool,
) -> None:
    """Solve a routing problem: a native .json, a VRPLIB .vrp or a Solomon .txt file."""
    from solvers import MaxIterations, MaxRuntime, make
    from solvers.check import check as verify
    from solvers.native import dump_solution, load_problem
    from solvers.stop import Stop

    loaded = load_problem(problem, rounding)
    stop: Stop = MaxIterations(iterations) if iterations else MaxRuntime(time_limit or 60.0)
    if iterations and time_limit:
        stop = MaxIterations(iterations) | MaxRuntime(time_limit)
    with spinner() as progress:
        progress(f"{name} on {loaded.name or problem}: {loaded.num_visits} visits")
        result = make(name).solve(
            loaded,
            stop,
            seed=seed,
            on_best=lambda best: progress(f"{name}: cost {best.cost:,} after {best.elapsed_s:.1f} s"),
        )
    report = verify(loaded, result.solution)
    if out is not None:
        dump_solution(loaded, result.solution, out)
    if as_json:
        print_json(
            {
                "status": str(result.status),
                "cost": result.cost,
                "routes": [
                    {"vehicle_type": loaded.vehicle_types.names[r.vehicle_type], "visits": list(r.visits)}
                    for r in result.solution.routes
                ],
                "unserved": list(report.unserved),
                "violations": [v.message for v in report.violations],
                "runtime_s": result.runtime_s,
                "seed": result.seed,
            }
        )
    else:
        click.echo(
            f"{result.status}: cost {result.cost:,}, {len(result.solution.routes)} routes, "
            f"{len(report.unserved)} unserved, {result.runtime_s:.1f} s"
        )
    if result.interrupted:
        sys.exit(INTERRUPTED)
    sys.exit(INCOMPLETE if report.unserved or report.violations else 0)


@click.command()
@click.argument("problem", type=click.Path())
@click.argument("solution", type=click.Path())
@rounding_option
@as_json
def check(problem: str, solution: str, rounding: str | None, as_json: bool) -> None:
    """Check a solution against its problem, independently of every solver."""
    from solvers.check import check as verify
    from solvers.native import load_problem, load_solution

    loaded = load_problem(problem, rounding)
    report = verify(loaded, load_solution(solution, loaded))
    if as_json:
        print_json(
            {
                "feasible": report.feasible,
                "cost": report.cost.total,
                "violations": [{"code": v.code, "message": v.message} for v in report.violations],
                "unserved": list(report.unserved),
            }
        )
    else:
        for violation in report.violations:
            click.echo(violation.message)
        click.echo(
            f"cost {report.cost.total:,}; {len(report.violations)} violations, {len(report.unserved)} unserved"
        )
    sys.exit(0 if report.feasible else INCOMPLETE)


@click.command()
@as_json
def solvers(as_json: bool) -> None:
    """List the routing solvers and the problem features that each supports."""
    from solvers.errors import LogisticsError
    from solvers.features import FEATURES
    from solvers.registry import make, registered

    listed: dict[str, Any] = {}
    for name, info in registered().items():
        try:
            supported = sorted(make(name).features)
        except LogisticsError as error:
            listed[name] = {"origin": info.origin, "features": [], "unavailable": str(error)}
            continue
        listed[name] = {"origin": info.origin, "features": supported}
    if as_json:
        print_json(listed)
        return
    rows = [
        [
            f"{feature}: {meaning}",
            *("yes" if feature in entry["features"] else "" for entry in listed.values()),
        ]
        for feature, meaning in FEATURES.items()
    ]
    print_table("Solvers and what they support", ["feature", *listed], rows)
