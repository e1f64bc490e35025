"""Whether the solver that the dispatcher names is there, takes its parameters and can solve what waves ask."""

from __future__ import annotations

from logistics.checks.findings import Findings, meant
from solvers import registry
from solvers.errors import BrokenSolverError, InvalidInputError, LogisticsError, MissingExtraError
from solvers.features import FEATURES


def check_solver(findings: Findings) -> None:
    """Report an unknown or absent solver, parameters that it does not take, features that it lacks."""
    dispatch = findings.scenario.dispatch
    if dispatch is None:
        return
    solvers = list(registry.names())
    if dispatch.solver not in solvers:
        findings.add(
            ("dispatch", "solver"),
            "unknown-solver",
            "no solver is registered under this name",
            meant(dispatch.solver, solvers),
            value=dispatch.solver,
        )
        return
    try:
        solver = registry.make(dispatch.solver, dispatch.parameters)
    except InvalidInputError as error:
        for fault in error.faults:
            place = ("dispatch", "parameters", fault.place)
            findings.add(
                place, fault.code, fault.message, fault.repair, value=dispatch.parameters[fault.place]
            )
        return
    except (BrokenSolverError, MissingExtraError) as error:
        findings.add(
            ("dispatch", "solver"),
            "broken-solver" if isinstance(error, BrokenSolverError) else "missing-extra",
            str(error),
            "install it, or name another solver",
            value=dispatch.solver,
        )
        return
    except (LogisticsError, TypeError, ValueError) as error:
        findings.add(
            ("dispatch", "parameters"),
            "unknown-parameter",
            f"the solver {dispatch.solver} does not take them: {error}",
            f"give parameters that {dispatch.solver} knows, or none",
            value=dispatch.parameters,
        )
        return
    for feature in sorted(_needed(findings) - solver.features):
        findings.add(
            ("dispatch", "solver"),
            "unsupported-feature",
            f"the waves of this scenario need {feature} ({FEATURES[feature]}), which the solver lacks",
            "name another solver; `logistics solvers` lists what each supports",
            value=dispatch.solver,
        )


def _needed(findings: Findings) -> set[str]:
    """What waves use for certain: grams and millilitres, doors that open and close, drivers' hours, and
    services of different priority."""
    scenario = findings.scenario
    kinds = {vehicle.id: vehicle for vehicle in scenario.vehicles if vehicle.role == "delivery"}
    vans = [kinds[fleet.vehicle] for fleet in scenario.fleet if fleet.vehicle in kinds and fleet.count > 0]
    if not vans or not findings.sound("vehicles", "fleet", "services", "dispatch"):
        return set()
    needed = {"capacities", "time_windows"}
    if any(van.wage_minor_per_hour > 0 for van in vans):
        needed.add("time_costs")
    if len({service.priority for service in scenario.services}) > 1:
        needed.add("priorities")
    return needed
