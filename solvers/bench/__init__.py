"""The benchmark harness: solvers on folders of instances, one core each, and what the runs say.

`choose` picks instances, `Campaign` runs what is not recorded yet, `compare` turns records into tables and
charts, `ablate` measures what a solver's parts are worth.
"""

from solvers.bench.campaign import Campaign, Outcome
from solvers.bench.instances import Instance, choose
from solvers.bench.record import Record, load_records
from solvers.bench.specs import SolverSpec, parse_spec

__all__ = ["Campaign", "Instance", "Outcome", "Record", "SolverSpec", "choose", "load_records", "parse_spec"]
