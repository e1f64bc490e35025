"""Runs instances × seeds × solvers in processes of their own, resumes what was cut off, appends to records."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from solvers.bench.instances import Instance
from solvers.bench.machine import available_cpus, describe
from solvers.bench.record import (
    RUNS,
    SESSIONS,
    Record,
    StopSpec,
    append_line,
    load_records,
    read_lines,
    run_key,
)
from solvers.bench.specs import SolverSpec
from solvers.errors import Fault, InvalidInputError

_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")


@dataclass(frozen=True)
class Outcome:
    """What a campaign did: runs done now, runs found done, and whether Ctrl-C ended it early."""

    done: int
    skipped: int
    failed: int
    interrupted: bool


@dataclass(frozen=True)
class _Job:
    key: str
    instance: Instance
    spec: SolverSpec
    seed: int
    vehicles: int | None


def fleets_of(records: Sequence[Record], label: str) -> dict[tuple[str, str], int]:
    """Routes that the solver `label` needed on each (set, instance), the fewest of its seeds."""
    fleets: dict[tuple[str, str], int] = {}
    for record in records:
        if record.label == label and record.feasible and record.routes is not None:
            case = record.set_name, record.instance
            fleets[case] = min(record.routes, fleets.get(case, record.routes))
    return fleets


def _case(instance: Instance) -> tuple[str, str]:
    return instance.set_name, instance.name


@dataclass
class Campaign:
    """A benchmark in a folder. Runs that the folder has a solution of are not repeated.

    instances, solvers, seeds    their product is run; the solvers of one instance and seed follow each other
    cores                        of one run; runs are pinned to cores where the system allows
    jobs                         runs at a time; None takes all that the cores allow
    command                      that makes this campaign, for the records
    fleets                       (set, instance) to the vehicles that there are, then at least cost
    """

    out: Path
    instances: Sequence[Instance]
    solvers: Sequence[SolverSpec]
    seeds: Sequence[int]
    stop: StopSpec
    jobs: int | None = None
    cores: int = 1
    command: str = ""
    fleets: Mapping[tuple[str, str], int] | None = None

    def __post_init__(self) -> None:
        cpus = available_cpus()
        most = len(cpus) // self.cores
        wanted = most if self.jobs is None else self.jobs
        if most < 1 or wanted > most:
            what = f"{wanted or 1} runs of {self.cores} cores at a time, {len(cpus)} cores are available"
            raise InvalidInputError((Fault("--jobs", "", str(wanted), "too-many-jobs", what, "use fewer"),))
        if not self.stop.bounded:
            what = "a run needs a stop"
            repair = "set a time limit, iterations or both"
            raise InvalidInputError((Fault("--time-limit", "", "", "no-stop", what, repair),))
        fleets = self.fleets or {}
        lost = [i.name for i in self.instances if self.fleets is not None and _case(i) not in fleets]
        if lost:
            what = "no run there that serves all"
            repair = "choose other instances, or run that solver on these"
            raise InvalidInputError(
                tuple(Fault("--fleet-of", name, "", "no-fleet", what, repair) for name in lost)
            )
        twice = {s.label for s in self.solvers if sum(s.label == o.label for o in self.solvers) > 1}
        if twice:
            what = "two solvers of one label"
            repair = "label them: LABEL=NAME:…"
            raise InvalidInputError(
                (Fault("--solver", "", ", ".join(twice), "duplicate-label", what, repair),)
            )
        self._digests = self._digested()
        self._groups = [cpus[i * self.cores : (i + 1) * self.cores] for i in range(wanted)]

    def _digested(self) -> dict[tuple[str, str], str]:
        """Of each instance file; raises `InvalidInputError` for two files that records could not tell apart."""
        found: dict[tuple[str, str], str] = {}
        faults = []
        for instance in self.instances:
            file = str(instance.path)
            try:
                digest = hashlib.sha256(instance.path.read_bytes()).hexdigest()[:16]
            except OSError as error:
                what = f"the file cannot be read: {error.strerror}"
                faults.append(Fault(file, "", "", "unreadable", what, "leave it out, or mend it"))
                continue
            if found.setdefault(_case(instance), digest) != digest:
                what = f"another instance is called {instance.name} of {instance.set_name}, too"
                repair = "rename one, or its folder, or choose one by --match"
                faults.append(Fault(file, "", "", "duplicate-instance", what, repair))
        if faults:
            raise InvalidInputError(tuple(faults))
        return found

    def _recorded(self) -> list[Record]:
        """Records of the folder; raises `InvalidInputError` where they are of other instances or parameters."""
        if not (self.out / RUNS).exists():
            return []
        records = load_records([self.out])
        file, repair = str(self.out / RUNS), "record into another folder"
        faults = []
        digests = {(r.set_name, r.instance): r.digest for r in records if r.digest and r.error is None}
        for case, digest in self._digests.items():
            if digests.get(case, digest) != digest:
                what = "the instance is another than in the records"
                faults.append(Fault(file, "/".join(case), "", "changed-instance", what, repair))
        labels = {r.label: (r.solver, r.parameters) for r in records}
        for spec in self.solvers:
            if labels.get(spec.label, (spec.name, spec.parameters)) != (spec.name, spec.parameters):
                what = "the label stands for other parameters in the records"
                mend = f"label it: LABEL={spec.name}:…"
                faults.append(Fault(file, spec.label, str(spec.parameters), "changed-label", what, mend))
        if faults:
            raise InvalidInputError(tuple(faults))
        return records

    def jobs_of(self) -> list[_Job]:
        """All runs, in the order in which they start."""
        made = []
        for instance in self.instances:
            fleet = None if self.fleets is None else self.fleets[_case(instance)]
            for seed in self.seeds:
                for s in self.solvers:
                    where = instance.set_name, instance.name
                    key = run_key(*where, s.name, s.parameters, seed, self.stop, self.cores, fleet)
                    made.append(_Job(key, instance, s, seed, fleet))
        return made

    @property
    def size(self) -> int:
        """Number of runs."""
        return len(self.instances) * len(self.seeds) * len(self.solvers)

    def run(self, progress: Callable[[Record, int, int], None] = lambda *_: None) -> Outcome:
        """Run what is missing; `progress` hears of each record with the numbers of runs done and wanted.

        Ctrl-C ends the runs under way, which leave no record, and returns.
        """
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            what = f"it cannot be made: {error.strerror}"
            fault = Fault("--out", "", str(self.out), "not-writable", what, "name a folder")
            raise InvalidInputError((fault,)) from None
        jobs = self.jobs_of()
        had = {f"{r.label} {r.key}" for r in self._recorded() if r.error is None}
        missing = [j for j in jobs if f"{j.spec.label} {j.key}" not in had]
        outcome = {"done": 0, "failed": 0}
        if missing:
            self._session = len(read_lines(self.out / SESSIONS))
            append_line(
                self.out / SESSIONS, {"session": self._session, "command": self.command, **describe()}
            )
        waiting: queue.SimpleQueue[_Job] = queue.SimpleQueue()
        for job in missing:
            waiting.put(job)
        finished: queue.Queue[Record | Exception | None] = queue.Queue()
        workers: set[subprocess.Popen[str]] = set()
        ended = threading.Event()

        def serve(cpus: Sequence[int]) -> None:
            try:
                while not ended.is_set():
                    try:
                        job = waiting.get_nowait()
                    except queue.Empty:
                        break
                    record = self._one(job, cpus, workers)
                    if not ended.is_set():
                        finished.put(record)
            except Exception as error:
                finished.put(error)
            finished.put(None)

        threads = [threading.Thread(target=serve, args=(cpus,)) for cpus in self._groups]
        interrupted = False
        for thread in threads:
            thread.start()
        try:
            for record in self._until_all_end(finished, len(threads)):
                append_line(self.out / RUNS, asdict(record))
                outcome["done"] += 1
                outcome["failed"] += record.error is not None
                progress(record, len(jobs) - len(missing) + outcome["done"], len(jobs))
        except KeyboardInterrupt:
            interrupted = True
        finally:
            ended.set()
            for worker in list(workers):
                worker.kill()
            for thread in threads:
                thread.join()
        return Outcome(outcome["done"], len(jobs) - len(missing), outcome["failed"], interrupted)

    @staticmethod
    def _until_all_end(finished: queue.Queue[Record | Exception | None], threads: int) -> Iterator[Record]:
        while threads:
            record = finished.get()
            if isinstance(record, Exception):
                raise record
            if record is None:
                threads -= 1
            else:
                yield record

    def _one(self, job: _Job, cpus: Sequence[int], workers: set[subprocess.Popen[str]]) -> Record:
        name = job.instance.name.replace("/", "_")
        label = "".join(c if c.isalnum() or c in "._-" else "_" for c in job.spec.label)
        solution = (
            self.out / "solutions" / job.instance.set_name / f"{name}.{label}.{job.seed}.{job.key}.json"
        )
        base: dict[str, Any] = {
            "key": job.key,
            "set_name": job.instance.set_name,
            "instance": job.instance.name,
            "visits": 0,
            "label": job.spec.label,
            "solver": job.spec.name,
            "parameters": job.spec.parameters,
            "seed": job.seed,
            "stop": asdict(self.stop),
            "cores": self.cores,
            "vehicles": job.vehicles,
            "digest": self._digests[_case(job.instance)],
            "session": self._session,
        }
        message = {
            **base,
            "path": str(job.instance.path.resolve()),
            "cpus": list(cpus),
            "solution": str(solution.resolve()),
        }
        environment = {**os.environ, **dict.fromkeys(_THREADS, str(self.cores))}
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as complaints:
            worker = subprocess.Popen(
                [sys.executable, "-m", "solvers.bench.worker"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
                env=environment,
                start_new_session=True,  # Ctrl-C is for the harness, which then ends the worker
            )
            workers.add(worker)
            assert worker.stdin is not None
            assert worker.stdout is not None
            with contextlib.suppress(BrokenPipeError):
                worker.stdin.write(json.dumps(message) + "\n")
                worker.stdin.flush()
            watchdog = threading.Timer(self._patience_s(), worker.kill)
            watchdog.start()
            answer = worker.stdout.read()
            code = worker.wait()
            watchdog.cancel()
            with contextlib.suppress(BrokenPipeError):
                worker.stdin.close()
            worker.stdout.close()
            workers.discard(worker)
            if answer.endswith("\n"):
                return Record(**{**base, **json.loads(answer)})
            complaints.seek(0)
            last = complaints.read().strip().splitlines()[-1:] or ["nothing on stderr"]
        return Record(**base, error=f"the run's process ended with {code}: {last[0]}", error_code="crash")

    def _patience_s(self) -> float:
        """After this a run is killed as hung; without a time limit only after two days."""
        limit = self.stop.time_limit_s
        return 172_800.0 if limit is None else 3.0 * limit + 900.0
