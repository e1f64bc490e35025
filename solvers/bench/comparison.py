"""What records say: gaps by set and size, per instance, paired differences, primal integrals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from solvers.bench.record import Record
from solvers.bench.stats import Interval, bootstrap_mean, primal_integral
from solvers.clock import Clock
from solvers.errors import Fault, InvalidInputError

SIZES = ((200, "up to 200"), (600, "201–600"), (1500, "601–1,500"), (10**9, "over 1,500"))
ALL = "all"
_FEWER = "compare fewer folders, or delete its lines"

Case = tuple[str, str, int]  # set, instance, seed


@dataclass(frozen=True, slots=True)
class Row:
    """One solver on one group of instances, beside the baseline on those that both have.

    instances    with a feasible solution of at least one seed
    mean_gap_pct mean over instances of the mean over seeds
    difference   of the gaps, solver minus baseline, paired by instance and seed
    integral     mean primal integral in per cent, None where the runs have no time limit, or
                 something comes before the cost
    infeasible, errors    runs that ended without a feasible solution, and without any
    extra_routes          sum over the runs of routes beyond the best-known number, where vehicles come first;
                          such runs have no gap
    """

    solver: str
    instances: int
    runs: int
    mean_gap_pct: float | None
    ratio_to_baseline: float | None
    difference: Interval | None
    integral: float | None
    infeasible: int
    errors: int
    extra_routes: int | None = None


@dataclass(frozen=True)
class Comparison:
    """The records with their references, and what each grouping shows."""

    baseline: str
    solvers: tuple[str, ...]
    runs: dict[tuple[str, Case], Record]
    reference: dict[tuple[str, str], float]
    guessed: frozenset[tuple[str, str]]
    level: float

    def gap(self, solver: str, case: Case) -> float | None:
        """Gap in per cent to the reference of a feasible run."""
        record = self.runs.get((solver, case))
        if record is None or not record.comparable or record.measure is None:
            return None
        return 100.0 * (record.measure / self.reference[case[:2]] - 1.0)

    def sets(self) -> list[str]:
        return sorted({case[0] for _, case in self.runs})

    def cases(self, set_name: str = ALL, least: int = 0, most: int = 10**9) -> list[Case]:
        """Cases of a set whose instances have more than `least` and at most `most` visits."""
        size = {c[:2]: r.visits for (_, c), r in self.runs.items() if r.visits}
        found = {c for _, c in self.runs if set_name in (ALL, c[0])}
        return sorted(c for c in found if least < size.get(c[:2], 1) <= most)

    def row(self, solver: str, cases: Sequence[Case]) -> Row:
        own = self._by_instance(solver, cases)
        base = self._by_instance(self.baseline, cases)
        pairs = {
            name: [(gap, base[name][seed]) for seed, gap in seeds.items() if seed in base.get(name, {})]
            for name, seeds in own.items()
        }
        pairs = {name: both for name, both in pairs.items() if both}
        ratio, difference = None, None
        if pairs:
            ours = fmean(fmean(a for a, _ in both) for both in pairs.values())
            theirs = fmean(fmean(b for _, b in both) for both in pairs.values())
            ratio = ours / theirs if theirs > 0 else None
            if solver != self.baseline:
                difference = bootstrap_mean(
                    [[a - b for a, b in pairs[name]] for name in sorted(pairs)], self.level
                )
        records = [r for c in cases if (r := self.runs.get((solver, c))) is not None]
        return Row(
            solver=solver,
            instances=len(own),
            runs=len(records),
            mean_gap_pct=fmean(fmean(s.values()) for s in own.values()) if own else None,
            ratio_to_baseline=ratio,
            difference=difference,
            integral=self._integral(solver, cases),
            infeasible=sum(r.feasible is False for r in records),
            errors=sum(r.error is not None for r in records),
            extra_routes=sum(max(0, more) for more in extra)
            if (extra := [r.extra_routes for r in records if r.extra_routes is not None])
            else None,
        )

    def rows(self, cases: Sequence[Case]) -> list[Row]:
        """A row per solver that ran on any of the cases, the smallest gap first."""
        rows = [self.row(s, cases) for s in self.solvers]
        return sorted(
            (r for r in rows if r.runs),
            key=lambda r: (r.mean_gap_pct is None, r.mean_gap_pct or 0.0, r.solver),
        )

    def as_json(self) -> dict[str, Any]:
        """`{solver: {instances, mean_gap_pct, ratio_to_baseline, infeasible, sets: {set: the same}}}`."""

        def figures(row: Row) -> dict[str, Any]:
            return {
                "instances": row.instances,
                "mean_gap_pct": row.mean_gap_pct,
                "ratio_to_baseline": row.ratio_to_baseline,
                "infeasible": row.infeasible,
            }

        everything = self.cases()
        return {
            s: {
                **figures(self.row(s, everything)),
                "sets": {
                    name: figures(row) for name in self.sets() if (row := self.row(s, self.cases(name))).runs
                },
            }
            for s in self.solvers
        }

    def _by_instance(self, solver: str, cases: Iterable[Case]) -> dict[tuple[str, str], dict[int, float]]:
        found: dict[tuple[str, str], dict[int, float]] = defaultdict(dict)
        for case in cases:
            gap = self.gap(solver, case)
            if gap is not None:
                found[case[:2]][case[2]] = gap
        return found

    def _integral(self, solver: str, cases: Iterable[Case]) -> float | None:
        found: dict[tuple[str, str], list[float]] = defaultdict(list)
        for case in cases:
            record = self.runs.get((solver, case))
            limit = None if record is None else record.stop.get("time_limit_s")
            if record is None or not record.history_measured:
                continue
            if limit and record.error is None and case[:2] in self.reference:
                value = primal_integral(record.history, self.reference[case[:2]], limit)
                found[case[:2]].append(value)
        return fmean(fmean(values) for values in found.values()) if found else None


def compare(records: Iterable[Record], baseline: str | None = None, level: float = 0.95) -> Comparison:
    """The comparison of all records; without a baseline the first solver by name is it.

    Where an instance has no best-known cost, the best feasible solution among the records stands in. Solvers whose
    runs differ in their stop, cores or bound on the fleet are told apart by it. Raises `InvalidInputError` for an
    unknown baseline, for one label with different parameters and for one name of different instances.
    """
    kept = _with_fewest_routes(_told_apart(list(records)))
    solvers = tuple(sorted({r.label for r in kept}))
    if baseline is None:
        baseline = solvers[0] if solvers else ""
    if baseline not in solvers:
        what = "no runs of that solver"
        repair = f"there are: {', '.join(solvers) or 'none'}"
        raise InvalidInputError((Fault("--baseline", "", baseline, "unknown-solver", what, repair),))
    reference: dict[tuple[str, str], float] = {}
    best: dict[tuple[str, str], int] = {}
    for r in kept:
        name = r.set_name, r.instance
        if r.best_known:
            reference[name] = r.best_known
        if r.comparable and r.measure is not None:
            best[name] = min(r.measure, best.get(name, r.measure))
    guessed = frozenset(name for name in best if name not in reference)
    reference |= {name: float(max(best[name], 1)) for name in guessed}
    runs = {(r.label, (r.set_name, r.instance, r.seed)): r for r in kept}
    return Comparison(baseline, solvers, runs, reference, guessed, level)


def _with_fewest_routes(records: list[Record]) -> list[Record]:
    """The records with the fewest routes of any as best-known number, where routes come first and none is known."""
    fewest: dict[tuple[str, str], int] = {}
    for r in records:
        if r.vehicles_first and r.feasible and r.routes is not None and r.best_known_routes is None:
            name = r.set_name, r.instance
            fewest[name] = min(r.routes, fewest.get(name, r.routes))
    return [
        replace(r, best_known_routes=few)
        if r.best_known_routes is None and (few := fewest.get((r.set_name, r.instance))) is not None
        else r
        for r in records
    ]


def _told_apart(records: list[Record]) -> list[Record]:
    faults = _mixed_instances(records)
    meaning: dict[str, tuple[str, str]] = {}
    for r in records:
        what = r.solver, repr(sorted(r.parameters.items()))
        if meaning.setdefault(r.label, what) != what:
            text = "one label stands for different parameters"
            faults.append(Fault("--solver", r.label, what[1], "duplicate-label", text, _FEWER))
    if faults:
        raise InvalidInputError(tuple({f.place: f for f in faults}.values()))
    stops: dict[str, set[str]] = defaultdict(set)
    for r in records:
        stops[r.label].add(stop_text(r))
    several = len(set().union(*stops.values())) > 1 if stops else False
    if not several:
        return records
    return [replace(r, label=f"{r.label} @ {stop_text(r)}") for r in records]


def _mixed_instances(records: list[Record]) -> list[Fault]:
    """Faults for names under which runs of different files, or with different measures, were recorded."""
    digests: dict[tuple[str, str], str] = {}
    by_cost: dict[tuple[str, str], bool] = {}
    faults = []
    for r in records:
        if r.error is not None:
            continue
        name, own = (r.set_name, r.instance), r.longest is None
        other_file = r.digest is not None and digests.setdefault(name, r.digest) != r.digest
        if other_file or by_cost.setdefault(name, own) != own:
            text = "one name stands for different instances"
            faults.append(Fault("runs", "/".join(name), r.digest or "", "changed-instance", text, _FEWER))
    return faults


def stop_text(record: Record) -> str:
    """A run's stop in words, with its cores where it had several, and whether its fleet was bound."""
    stop = record.stop
    parts = []
    if stop.get("time_limit_s") is not None:
        of = " of processor time" if stop.get("clock") == Clock.PROCESSOR else ""
        parts.append(f"{stop['time_limit_s']:g} s{of}")
    if stop.get("iterations") is not None:
        parts.append(f"{stop['iterations']:,} iterations")
    if stop.get("no_improvement") is not None:
        parts.append(f"{stop['no_improvement']:,} iterations without improvement")
    if record.cores != 1:
        parts.append(f"{record.cores} cores")
    if record.vehicles is not None:
        parts.append("fleet bound")
    return ", ".join(parts)
