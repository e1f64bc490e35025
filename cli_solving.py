"""Commands about routing problems and solvers."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from cli_shared import (
    INCOMPLETE,
    INTERRUPTED,
    FiniteRange,
    as_json,
    note,
    print_json,
    print_table,
    rounding_option,
    seed_option,
    spinner,
)

if TYPE_CHECKING:
    from solvers.problem import Problem
    from solvers.result import Incumbent, Result
    from solvers.solution import Solution

_CV = "Coefficient of variation of the samples of --under."


def writable(path: Path, problem: Problem) -> None:
    """Refuse a place or a form in which a solution could not be written, before the search."""
    from solvers.errors import Fault, InvalidInputError, UnsupportedFeatureError
    from solvers.readers import beyond_sol

    what, repair = "", "name a file"
    try:
        if path.is_dir() or not path.parent.is_dir():
            what = "it is a folder" if path.is_dir() else "there is no such folder"
        elif path.suffix.lower() not in (".json", ".sol"):
            what, repair = "a solution is .json or .sol", "give it one of these endings"
        else:
            tempfile.TemporaryFile(dir=path.parent).close()
    except OSError as error:
        what = f"nothing can be written there: {error.strerror}"
    if what:
        raise InvalidInputError((Fault(str(path), "--out", "", "not-writable", what, repair),))
    if path.suffix.lower() == ".sol" and (more := beyond_sol(problem)) is not None:
        raise UnsupportedFeatureError(f"a .sol file does not support: {more}; write .json")


def under_options(command: Any) -> Any:
    """The options about replaying a plan under sampled demands and travel times."""
    for option in (
        click.option("--travel-cv", default=0.2, show_default=True, type=FiniteRange(0, 5), help=_CV),
        click.option("--demand-cv", default=0.2, show_default=True, type=FiniteRange(0, 5), help=_CV),
        click.option(
            "--under",
            type=click.IntRange(min=1),
            metavar="N",
            help="Replay the plan under N sampled demands and travel times.",
        ),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("problem", type=click.Path())
@click.option("--solver", "name", default="auto", show_default=True, help="NAME or NAME:KEY=VALUE,…")
@click.option("--params", type=click.Path(), help="TOML file of the solver's parameters.")
@click.option(
    "--time-limit",
    type=FiniteRange(min=0, min_open=True),
    help="Seconds; 60 where nothing else ends the run.",
)
@click.option("--iterations", type=click.IntRange(min=1), help="Stop by iterations: reproducible.")
@click.option("--no-improvement", type=click.IntRange(min=1), help="Iterations without a new best.")
@click.option("--start", type=click.Path(), help="Solution to start from (.json, .sol).")
@rounding_option
@click.option("--out", type=click.Path(), help="Write the solution (.json, or .sol).")
@click.option(
    "--explain", "explained", is_flag=True, help="Say why visits are unserved and what routes cost."
)
@under_options
@seed_option
@as_json
def solve(
    problem: str,
    name: str,
    params: str | None,
    time_limit: float | None,
    iterations: int | None,
    no_improvement: int | None,
    start: str | None,
    rounding: str | None,
    out: str | None,
    explained: bool,
    under: int | None,
    demand_cv: float,
    travel_cv: float,
    seed: int,
    as_json: bool,
) -> None:
    """Solve a routing problem: a native .json, a VRPLIB .vrp, or a Solomon, a Li and Lim
    or a VRPLIB .txt file.

    Ctrl-C, a request to end (SIGTERM) and the loss of the terminal (SIGHUP) end the search with the best solution
    so far: it is written to --out, or to PROBLEM.best.json in the working folder, and the exit code is 130. Before
    the first plan nothing is written.
    """
    from dataclasses import asdict

    from solvers.bench.specs import parameters_of, parse_spec
    from solvers.check import check as verify
    from solvers.check import claims, confirmed_status
    from solvers.constraints import known_routes
    from solvers.native import dump_solution, load_problem, load_solution
    from solvers.registry import make
    from solvers.replay import replayable
    from solvers.stop import first_of

    spec = parse_spec(name)
    given = parameters_of(Path(params), spec.name) if params else {}
    solver = make(spec.name, {**given, **spec.parameters})
    loaded = load_problem(problem, rounding)
    begin = None if start is None else load_solution(start, loaded)
    if begin is not None and (wrong := verify(loaded, begin).violations):
        note(f"{start}: the start has {len(wrong)} violations; solvers keep what holds of it")
    if out is not None:
        writable(Path(out), loaded)
    if under is not None:
        replayable(loaded)
    if not (time_limit or iterations or no_improvement):
        time_limit = 60.0
    with spinner() as progress:
        watch = Watch(spec.name, progress)
        progress(f"{spec.name} on {loaded.name or problem}: {loaded.num_visits} visits")
        try:
            result = solver.solve(
                loaded,
                first_of(time_limit, iterations, no_improvement),
                seed=seed,
                start=begin,
                on_best=watch,
            )
        except KeyboardInterrupt:  # by a solver that does not heed it itself
            if watch.best is None:
                _no_plan()
            result = watch.result(loaded, seed)
    report = verify(loaded, result.solution)
    plan = known_routes(loaded, result.solution)
    if result.interrupted and not plan.routes and loaded.num_visits and (report.unserved or not watch.best):
        _no_plan()
    if result.interrupted and out is None:
        out = f"{Path(problem).stem}.best.json"
    if out is not None:
        dump_solution(loaded, plan, out)  # before any word, which may fail where the reader is gone
        note(f"wrote {out}")
    for claim in claims(result, report):
        note(claim)
    if result.iterations == 0 and time_limit is not None and result.runtime_s >= time_limit:
        note(
            "no iteration was made within the time limit: loading or compiling code and the first plan took it up; "
            "give more time"
        )
    status = confirmed_status(result, report)
    answer = {
        "status": str(status),
        "cost": report.cost.total,
        "routes": [
            {
                "vehicle_type": loaded.vehicle_types.names[r.vehicle_type],
                "visits": list(r.visits),
                **({"halts": [asdict(halt) for halt in r.halts]} if r.halts else {}),
                **({"parts": [asdict(part) for part in r.parts]} if r.parts else {}),
            }
            for r in plan.routes
        ],
        "unserved": list(report.unserved),
        "violations": [v.message for v in report.violations],
        "runtime_s": result.runtime_s,
        "seed": result.seed,
        "solver": result.solver,
        "iterations": result.iterations,
        "interrupted": result.interrupted,
        "history": [list(entry) for entry in result.history],
    }
    if not as_json:
        for violation in report.violations:
            click.echo(violation.message)
        broken = f"{len(report.violations)} violations, " if report.violations else ""
        click.echo(
            f"{status}: cost {report.cost.total:,}, {len(plan.routes)} routes, {broken}"
            f"{len(report.unserved)} unserved, {result.runtime_s:.1f} s, {result.solver}"
        )
    if explained:
        answer["explanation"] = _explained(loaded, plan, as_json)
    if under is not None:
        answer["under"] = _replayed(loaded, result.solution, under, seed, demand_cv, travel_cv, as_json)
    if as_json:
        print_json(answer)
    if result.interrupted:
        sys.exit(INTERRUPTED)
    sys.exit(INCOMPLETE if report.unserved or report.violations else 0)


def _no_plan() -> NoReturn:
    """End an interrupted run that has no plan yet: an empty one must not take the place of an older file."""
    note("interrupted before the first plan; nothing was written")
    sys.exit(INTERRUPTED)


class Watch:
    """Hears of new best solutions: tells the terminal, or stderr now and then, and keeps the last."""

    def __init__(self, name: str, progress: Callable[[str], None]) -> None:
        self._name, self._progress = name, progress
        self._told = float("-inf")
        self.best: Incumbent[Solution] | None = None

    def __call__(self, best: Incumbent[Solution]) -> None:
        self.best = best
        unserved = f", {best.unserved} unserved" if best.unserved else ""
        text = f"{self._name}: cost {best.cost:,}{unserved} after {best.elapsed_s:.1f} s"
        with suppress(OSError):  # nobody may read any more, which is no reason to lose the plan
            self._progress(text)
            if not sys.stderr.isatty() and best.elapsed_s - self._told >= max(1.0, 0.1 * self._told):
                self._told = best.elapsed_s
                note(text)

    def result(self, problem: Problem, seed: int) -> Result[Solution]:
        """The last best as the result of an interrupted run."""
        from solvers.check import check
        from solvers.result import Result

        assert self.best is not None
        report = check(problem, self.best.solution)
        return Result(
            status=report.status,
            solution=self.best.solution,
            cost=report.cost.total,
            unserved=report.unserved,
            solver=self._name,
            seed=seed,
            iterations=self.best.iteration,
            runtime_s=self.best.elapsed_s,
            interrupted=True,
        )


def _explained(problem: Problem, solution: Solution, quiet: bool) -> dict[str, Any]:
    """Reasons and accounts as JSON; as tables on stdout too, unless `quiet`."""
    from dataclasses import asdict

    from solvers.explain import explain

    found = explain(problem, solution)
    names = problem.visits.names
    routes = [
        {
            "route": a.figures.index,
            "vehicle_type": problem.vehicle_types.names[a.figures.route.vehicle_type],
            "cost": asdict(a.figures.cost),
            "distance": a.figures.distance,
            "duration": a.figures.duration,
            "waiting": a.figures.waiting,
            "spare_capacity": list(a.spare_capacity),
            "spare_time": a.spare_time,
            "spare_distance": a.spare_distance,
            "spare_duration": a.spare_duration,
            "tightest_visit": a.tightest_visit,
            "spare_energy": a.spare_energy,
        }
        for a in found.routes
    ]
    if not quiet:
        if found.unserved:
            rows = [[names[r.visit], r.code, r.message] for r in found.unserved]
            print_table("Visits on no route", ["visit", "reason", "in words"], rows)
        columns = [
            "route",
            "vehicle",
            "cost",
            "distance",
            "duration",
            "waiting",
            "spare capacity",
            "spare time",
        ]
        figures = [
            [
                str(r["route"]),
                str(r["vehicle_type"]),
                f"{a.figures.cost.total:,}",
                f"{a.figures.distance:,}",
                f"{a.figures.duration:,}",
                f"{a.figures.waiting:,}",
                ", ".join(f"{c:,}" for c in a.spare_capacity),
                "–" if a.spare_time is None else f"{a.spare_time:,}",
            ]
            for r, a in zip(routes, found.routes, strict=True)
        ]
        print_table("Routes", columns, figures)
    unserved = [
        {"visit": r.visit, "name": names[r.visit], "code": r.code, "message": r.message}
        for r in found.unserved
    ]
    return {"unserved": unserved, "routes": routes}


def _replayed(
    problem: Problem,
    solution: Solution,
    samples: int,
    seed: int,
    demand_cv: float,
    travel_cv: float,
    quiet: bool,
) -> dict[str, Any]:
    """What the samples showed as JSON; as tables on stdout too, unless `quiet`.

    Routes that name what does not exist cannot be driven; no sample of a plan with such routes is sound.
    """
    from solvers.constraints import known_routes, unknown_references
    from solvers.replay import replay

    driven = known_routes(problem, solution)
    left = sorted({v.route for v in unknown_references(problem, solution) if v.route is not None})
    found = replay(problem, driven, samples, seed, demand_cv=demand_cv, travel_cv=travel_cv).as_json()
    found["routes_not_driven"] = left
    if left:
        found["without_violation_share"] = 0.0
    if not quiet:
        cost = found["cost"]
        share = f"{found['without_violation_share']:.1%} without violation"
        if left:
            share = (
                f"{len(left)} of {len(solution.routes)} routes name what does not exist and are not driven"
            )
        click.echo(f"under {samples} samples: {share}; planned cost {found['planned_cost']:,}")
        rows = [
            [code, f"{b['share']:.1%}", f"{b['mean_misses']:.1f}", f"{b['mean_amount']:,.1f}"]
            for code, b in found["violations"].items()
        ]
        if driven.routes or not left:
            title = "Cost of the other routes under samples" if left else "Cost under samples"
            print_table(title, list(cost), [[f"{value:,.0f}" for value in cost.values()]])
        if rows:
            columns = ["constraint", "share of samples", "misses in those", "amount in those"]
            print_table("Violations under samples", columns, rows)
    return {**found, "seed": seed, "demand_cv": demand_cv, "travel_cv": travel_cv}


@click.command()
@click.argument("problem", type=click.Path())
@click.argument("solution", type=click.Path())
@rounding_option
@under_options
@seed_option
@as_json
def check(
    problem: str,
    solution: str,
    rounding: str | None,
    under: int | None,
    demand_cv: float,
    travel_cv: float,
    seed: int,
    as_json: bool,
) -> None:
    """Check a solution against its problem, independently of every solver.

    What the file states of cost, unserved visits and the problem's name is compared with what is found.
    """
    from solvers.check import check as verify
    from solvers.native import load_problem, load_solution
    from solvers.replay import replayable
    from solvers.stated import differences, stated_in

    loaded = load_problem(problem, rounding)
    if under is not None:
        replayable(loaded)
    plan = load_solution(solution, loaded)
    report = verify(loaded, plan)
    said = stated_in(solution, loaded)
    wrong = differences(said, loaded, report, problem, rounding)
    answer: dict[str, Any] = {
        "feasible": report.feasible,
        "cost": report.cost.total,
        "violations": [{"code": v.code, "message": v.message} for v in report.violations],
        "unserved": list(report.unserved),
        "stated": said.as_json(),
        "differences": wrong,
    }
    for difference in wrong:
        note(difference)
    if not as_json:
        for violation in report.violations:
            click.echo(violation.message)
        click.echo(
            f"cost {report.cost.total:,}; {len(report.violations)} violations, {len(report.unserved)} unserved"
        )
    if under is not None:
        answer["under"] = _replayed(loaded, plan, under, seed, demand_cv, travel_cv, as_json)
    if as_json:
        print_json(answer)
    sys.exit(0 if report.feasible else INCOMPLETE)


@click.command()
@click.option(
    "--schema",
    type=click.Choice(["problem", "solution"]),
    help="Print the JSON Schema of problem.json or solution.json instead.",
)
@as_json
def solvers(schema: str | None, as_json: bool) -> None:
    """List the routing solvers and the problem features that each supports."""
    if schema is not None:
        from solvers.native import problem_schema, solution_schema

        print_json(problem_schema() if schema == "problem" else solution_schema())
        return
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
