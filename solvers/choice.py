"""Which solver suits a problem and a stop, by rules that stand in choice.toml and can be replaced."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from solvers.errors import Fault, InvalidInputError, LogisticsError, UnsupportedFeatureError
from solvers.features import FEATURES
from solvers.problem import Problem
from solvers.registry import BUILT_IN, make, registered
from solvers.stop import Stop

DEFAULT_RULES = Path(__file__).with_name("choice.toml")


@dataclass(frozen=True)
class Rule:
    """A solver with parameters, and when it may be taken."""

    solver: str
    parameters: dict[str, Any] = field(default_factory=dict)
    min_visits: int = 0
    max_visits: int = 2**60
    min_seconds: float = 0.0
    max_seconds: float = float("inf")
    min_cores: int = 1
    any_feature: tuple[str, ...] = ()
    no_feature: tuple[str, ...] = ()
    beyond: str = ""

    def holds(self, problem: Problem, seconds: float | None, cores: int) -> bool:
        """Whether the conditions hold; a stop without a time limit meets no bound on seconds."""
        timed = self.min_seconds > 0 or self.max_seconds < float("inf")
        used = problem.features
        return (
            self.min_visits <= problem.num_visits <= self.max_visits
            and cores >= self.min_cores
            and (not timed or (seconds is not None and self.min_seconds <= seconds <= self.max_seconds))
            and (not self.any_feature or bool(used & set(self.any_feature)))
            and not used & set(self.no_feature)
            and (not self.beyond or not used <= (features_of_solver(self.beyond) or frozenset()))
        )


@dataclass(frozen=True)
class Rules:
    """All rules of a file, in its order."""

    rule: tuple[Rule, ...]
    member: tuple[Rule, ...]


@lru_cache(maxsize=8)
def load_rules(path: Path = DEFAULT_RULES) -> Rules:
    """The rules in a TOML file; raises `InvalidInputError` with every fault."""
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        what = f"the file cannot be read: {error.strerror}"
        raise InvalidInputError((Fault(str(path), "", "", "unreadable", what, "check the path"),)) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInputError(
            (Fault(str(path), "", "", "bad-toml", str(error), "mend the file"),)
        ) from None
    faults: list[Fault] = []
    for key in set(content) - {"rule", "member"}:
        faults.append(
            Fault(str(path), key, "", "unknown-key", "no such table", "write [[rule]] or [[member]]")
        )
    found = {kind: tuple(_rules(path, kind, content.get(kind, []), faults)) for kind in ("rule", "member")}
    if faults:
        raise InvalidInputError(tuple(faults))
    return Rules(**found)


def _rules(path: Path, kind: str, entries: Any, faults: list[Fault]) -> Iterable[Rule]:
    known = {f.name: f for f in fields(Rule)}
    kinds = {"solver": str, "beyond": str, "parameters": dict, "any_feature": list, "no_feature": list}
    if not isinstance(entries, list) or not all(isinstance(e, dict) for e in entries):
        faults.append(Fault(str(path), kind, "", "bad-table", "not an array of tables", f"write [[{kind}]]"))
        return
    for number, entry in enumerate(entries):
        before = len(faults)
        for key, value in entry.items():
            place = f"{kind}[{number}].{key}"
            wanted = kinds.get(key, (int, float))
            if key not in known:
                faults.append(
                    Fault(str(path), place, str(value), "unknown-key", "no such condition", "see choice.toml")
                )
            elif isinstance(value, bool) or not isinstance(value, wanted):
                what = "a value of the wrong kind"
                faults.append(Fault(str(path), place, repr(value), "bad-value", what, "see choice.toml"))
            elif key == "beyond" and str(value) not in registered():
                what, repair = "no such solver", f"there are: {', '.join(registered())}"
                faults.append(Fault(str(path), place, str(value), "unknown-solver", what, repair))
            elif isinstance(value, list):
                for name in (n for n in value if n not in FEATURES):
                    what, repair = "no such feature", "`logistics solvers` lists them"
                    faults.append(Fault(str(path), place, str(name), "unknown-feature", what, repair))
        if "solver" not in entry:
            faults.append(Fault(str(path), f"{kind}[{number}]", "", "no-solver", "no solver", "name one"))
        if len(faults) == before:
            values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in entry.items()}
            yield Rule(**values)


# where no rule leads anywhere: this project's other solvers, in the order of their names
OTHERS = tuple(
    Rule(name)
    for name, target in sorted(BUILT_IN.items())
    if ".peers." not in target and name not in ("auto", "portfolio")
)


def usable_cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@lru_cache(maxsize=64)
def features_of_solver(name: str) -> frozenset[str] | None:
    """What a solver supports; None where it is not registered or an optional package is missing."""
    if name not in registered():
        return None
    try:
        return make(name).features
    except LogisticsError:
        return None


def able(rule: Rule, problem: Problem) -> bool:
    """Whether the rule's solver is there and supports every feature of the problem."""
    supported = features_of_solver(rule.solver)
    return supported is not None and problem.features <= supported


def pick(problem: Problem, stop: Stop, rules: Rules, cores: int) -> Rule:
    """The rule that `auto` follows; raises `UnsupportedFeatureError` where no solver can."""
    for rule in (*rules.rule, *OTHERS):
        if rule.holds(problem, stop.max_runtime_s, cores) and able(rule, problem):
            return rule
    raise UnsupportedFeatureError(
        f"no rule leads to a solver that supports: {', '.join(sorted(problem.features)) or 'plain problems'}"
    )


def members(problem: Problem, stop: Stop, rules: Rules, cores: int) -> list[Rule]:
    """The solvers that may compete on the problem, in order; raises `UnsupportedFeatureError` where none can."""
    can = [rule for rule in rules.member if able(rule, problem)]
    can = can or [rule for rule in OTHERS if able(rule, problem)]
    found = [rule for rule in can if rule.holds(problem, stop.max_runtime_s, cores)] or can
    if not found:
        listed = ", ".join(sorted(problem.features)) or "plain problems"
        raise UnsupportedFeatureError(f"no member of the portfolio supports: {listed}")
    return found


def features_of_rules(rules: Iterable[Rule]) -> frozenset[str]:
    """The features that at least one of the rules' solvers, or one of the others of this project, supports."""
    known = (features_of_solver(rule.solver) for rule in (*rules, *OTHERS))
    return frozenset().union(*(features for features in known if features is not None))
