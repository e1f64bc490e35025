"""Solvers by name: the built-in ones, and those that other packages offer as entry points.

A package adds a routing solver by declaring, in its own metadata, an entry point in the group
`logistics.solvers` whose value is a class or factory without mandatory arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from inspect import Parameter, signature
from typing import Any, Protocol, TypeVar, runtime_checkable

from solvers.errors import BrokenSolverError, Fault, InvalidInputError, LogisticsError, UnknownSolverError
from solvers.problem import Problem
from solvers.ranges import Ranges, outside
from solvers.result import OnBest, Result
from solvers.solution import Solution
from solvers.stop import Stop

P_contra = TypeVar("P_contra", contravariant=True)
S = TypeVar("S")

GROUP = "logistics.solvers"
HERE = "built-in"  # the origin of this project's own solvers
ENOUGH = 1000
"""Iterations for solvers that do not say how many are enough."""


@runtime_checkable
class Solver(Protocol[P_contra, S]):
    """Turns a problem into a result. Same problem, seed and iteration-based stop: same result."""

    name: str
    features: frozenset[str]

    def solve(
        self,
        problem: P_contra,
        stop: Stop,
        *,
        seed: int,
        start: S | None = None,
        on_best: OnBest[S] | None = None,
    ) -> Result[S]:
        """Best solution found before `stop`; raises `UnsupportedFeatureError` beyond `features`."""
        ...


RoutingSolver = Solver[Problem, Solution]

# name -> module:attribute, imported only when asked for
BUILT_IN: dict[str, str] = {
    "alns": "solvers.alns:AlnsSolver",
    "auto": "solvers.auto:AutoSolver",
    "ant_colony": "solvers.ant_colony:AntColonySolver",
    "decompose": "solvers.decompose:DecomposeSolver",
    "genetic": "solvers.genetic:GeneticSolver",
    "hgs": "solvers.peers.hgs:HgsSolver",
    "ortools": "solvers.ortools_routing:OrtoolsSolver",
    "portfolio": "solvers.portfolio:PortfolioSolver",
    "pyvrp": "solvers.peers.pyvrp:PyvrpSolver",
    "ruin_recreate": "solvers.ruin_recreate:RuinRecreateSolver",
    "savings": "solvers.savings:SavingsSolver",
    "vroom": "solvers.peers.vroom:VroomSolver",
}


@dataclass(frozen=True, slots=True)
class SolverInfo:
    """A registered solver: its name and where it comes from (`built-in` or the package's entry point)."""

    name: str
    target: str
    origin: str


def registered() -> dict[str, SolverInfo]:
    """All solvers by name; a built-in name wins over an entry point of the same name."""
    from importlib.metadata import entry_points  # costs a tenth of the whole import

    found = {ep.name: SolverInfo(ep.name, ep.value, "entry point") for ep in entry_points(group=GROUP)}
    found.update({name: SolverInfo(name, target, HERE) for name, target in BUILT_IN.items()})
    return dict(sorted(found.items()))


def make(name: str, parameters: Mapping[str, Any] | None = None) -> RoutingSolver:
    """The solver registered as `name`, with its parameters.

    `UnknownSolverError` lists all names, `BrokenSolverError` says why one of another package cannot be made,
    `InvalidInputError` names every parameter that the solver lacks, of another kind, or outside the solver's
    `ranges` (see `solvers.ranges`), if it has any.
    """
    info = _info(name)
    factory, known = _factory(info)
    given = dict(parameters or {})
    if faults := _parameter_faults(name, factory, known, given):
        raise InvalidInputError(tuple(faults))
    with own_errors_told(info):
        solver: RoutingSolver = factory(**given)
        if not isinstance(solver, Solver) or not isinstance(solver.features, frozenset | set):
            raise TypeError("it needs a name, a set of features and a method solve")
    return solver


def parameter_names(name: str) -> tuple[str, ...]:
    """The parameters of a solver; errors as of `make`."""
    return tuple(_factory(_info(name))[1])


def _info(name: str) -> SolverInfo:
    info = registered().get(name)
    if info is None:
        raise UnknownSolverError(f"no solver {name!r}; there are: {', '.join(registered())}")
    return info


def _factory(info: SolverInfo) -> tuple[Any, Mapping[str, Parameter]]:
    """What makes the solver, and the parameters that this takes."""
    module, _, attribute = info.target.partition(":")
    with own_errors_told(info):
        factory = getattr(import_module(module), attribute)
        return factory, signature(factory).parameters


@contextmanager
def own_errors_told(info: SolverInfo) -> Iterator[None]:
    """Whatever a solver of another package raises while it is made, as `BrokenSolverError`."""
    try:
        yield
    except LogisticsError:
        raise
    except (Exception, SystemExit) as error:
        if info.origin == HERE:
            raise
        message = f"{info.name!r} of another package cannot be made: {type(error).__name__}: {error}"
        raise BrokenSolverError(message) from error


def enough_iterations(solver: RoutingSolver, problem: Problem) -> int:
    """Iterations for a plan that somebody waits for: some milliseconds a visit, after which gains come slowly.

    An iteration is another thing in each solver, so each may say by a method `enough(problem) -> int`; for one that
    has no such method it is `ENOUGH`.
    """
    enough = getattr(solver, "enough", None)
    return ENOUGH if enough is None else max(1, int(enough(problem)))


def listen(solver: RoutingSolver, arrivals: Callable[[], Solution | None]) -> None:
    """Let a solver ask `arrivals` now and then for a solution that others have found meanwhile.

    Solvers that can use one while they run have an attribute `arrivals`, None until somebody sets it; on others
    this has no effect.
    """
    if listens(solver):
        solver.arrivals = arrivals  # type: ignore[attr-defined]


def listens(solver: RoutingSolver) -> bool:
    """Whether the solver can use solutions of others while it runs."""
    return hasattr(solver, "arrivals")


def _parameter_faults(
    name: str, factory: Any, known: Mapping[str, Parameter], given: Mapping[str, Any]
) -> list[Fault]:
    """Parameters that the factory does not have, and values of another kind than its default or out of range."""
    if any(p.kind is Parameter.VAR_KEYWORD for p in known.values()):
        return []
    ranges: Ranges = getattr(factory, "ranges", {})
    kinds = {key: _plain_kinds(parameter) for key, parameter in known.items()}
    faults = []
    for key, value in given.items():
        if key not in known:
            what, repair = "no such parameter", f"there are: {', '.join(known) or 'none'}"
            faults.append(Fault(f"solver {name}", key, str(value), "unknown-parameter", what, repair))
            continue
        wanted = kinds.get(key, ())
        if not wanted or type(value) in wanted or (float in wanted and type(value) is int):
            if key in ranges and (repair := outside(value, ranges[key])):
                faults.append(Fault(f"solver {name}", key, str(value), "bad-value", "out of range", repair))
            continue
        default = known[key].default
        like = "" if default in (None, Parameter.empty) else f" like {default!r}"
        kind = " or ".join(each.__name__ for each in wanted if each is not type(None))
        what, repair = "a value of the wrong kind", f"give a value of type {kind}{like}"
        faults.append(Fault(f"solver {name}", key, repr(value), "parameter-type", what, repair))
    return faults


def _plain_kinds(parameter: Parameter) -> tuple[type, ...]:
    """What types a parameter takes, by its annotation or else its default; () where that says no plain types."""
    plain: dict[str, type] = {"bool": bool, "int": int, "float": float, "str": str, "None": type(None)}
    written = parameter.annotation
    if isinstance(written, str):
        parts = [part.strip() for part in written.split("|")]
        return tuple(plain[part] for part in parts) if all(part in plain for part in parts) else ()
    if isinstance(written, type) and written in plain.values():
        return (written,)
    return (type(parameter.default),) if type(parameter.default) in (bool, int, float, str) else ()


def names() -> Iterator[str]:
    yield from registered()
