"""What the dispatcher hears (events) and says (commands). Immutable; rows are parcel numbers of the book."""

from __future__ import annotations

from dataclasses import dataclass

from logistics.tables import FloatArray, IntArray, RowArray
from solvers import Problem, Result, Solution

DELIVERY, COLLECTION = "delivery", "collection"


# --- events -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Started:
    """The clock starts; the dispatcher sets its first timers."""


@dataclass(frozen=True, slots=True, eq=False)
class OrdersPlaced:
    """New parcels, numbered on from the last; one entry per parcel in every array.

    `place` numbers the address: parcels for one place form one stop. `origin` is a row of sites; stock is
    taken there if `needs_stock`, else the parcel is collected there by the vans of `origin_station`.
    """

    service: RowArray
    place: RowArray
    lon: FloatArray
    lat: FloatArray
    station: RowArray  # row of the site that delivers
    origin: RowArray
    needs_stock: IntArray
    weight_g: IntArray
    volume_ml: IntArray
    promise_s: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class StockAnswered:
    """Answer to `Reserve`: which parcels have their stock, and which will never have it."""

    reserved: RowArray
    refused: RowArray


@dataclass(frozen=True, slots=True, eq=False)
class CancellationsAsked:
    """Customers withdraw `units` of a parcel; `remaining` units would stay in it."""

    parcels: RowArray
    units: IntArray
    remaining: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class ParcelsReady:
    """Parcels sorted at their delivering station and open for delivery."""

    site: int
    parcels: RowArray


@dataclass(frozen=True, slots=True, eq=False)
class VehicleReturned:
    """A vehicle is back at its station; `failed` parcels came back with it after a fruitless attempt."""

    vehicle: int
    failed: RowArray
    delivered: RowArray


@dataclass(frozen=True, slots=True, eq=False)
class TimerFired:
    """A timer set earlier."""

    timer: str


@dataclass(frozen=True, slots=True, eq=False)
class SolveFinished:
    """Answer to `Solve`."""

    solve: int
    result: Result[Solution]


Event = (
    Started
    | OrdersPlaced
    | StockAnswered
    | CancellationsAsked
    | ParcelsReady
    | VehicleReturned
    | TimerFired
    | SolveFinished
)


# --- commands ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Reserve:
    """Reserve the stock of these parcels."""

    parcels: RowArray


@dataclass(frozen=True, slots=True, eq=False)
class SetTimer:
    """Wake the dispatcher at a moment."""

    at_s: int
    timer: str


@dataclass(frozen=True, slots=True, eq=False)
class Solve:
    """Solve a routing problem; the answer counts `charge_s` later by the solve-time model.

    Without `iterations`, as many as the solver finds enough.
    """

    solve: int
    site: int
    role: str
    problem: Problem
    parcels: int
    solver: str
    iterations: int | None
    parameters: dict[str, object]
    seed: int
    charge_s: float


@dataclass(frozen=True, slots=True, eq=False)
class WavePlan:
    """Release reserved parcels to a warehouse floor."""

    site: int
    parcels: RowArray


@dataclass(frozen=True, slots=True, eq=False)
class Stop:
    """Parcels handed over, or collected, at one place (an address number; a site row for collections)."""

    place: int
    road_place: int
    parcels: RowArray
    earliest_s: int  # don't begin service before
    service_s: float  # expected


@dataclass(frozen=True, slots=True, eq=False)
class Trip:
    """One vehicle's way through its stops and back."""

    vehicle: int
    stops: tuple[Stop, ...]
    depart_s: int  # planned


@dataclass(frozen=True, slots=True, eq=False)
class RoutePlan:
    """The trips of one solve, and what it left out: parallel arrays of parcels, reason codes and details."""

    solve: int
    site: int
    role: str
    trips: tuple[Trip, ...]
    unassigned: RowArray
    reasons: tuple[str, ...]
    details: tuple[str, ...]


# Why a wave leaves parcels out before any routing problem is made of them.
NO_VAN_IDLE = "no-van-idle"
WAVE_FULL = "wave-full"
WINDOW_CLOSED = "window-closed"


@dataclass(frozen=True, slots=True, eq=False)
class LeftOut:
    """Parcels that a wave left out, all for one reason; they stay where they are."""

    site: int
    role: str
    parcels: RowArray
    reason: str
    detail: str


@dataclass(frozen=True, slots=True, eq=False)
class SortiePlan:
    """Drone flights: each drone carries its parcels out one after the other."""

    site: int
    drone: int
    parcels: RowArray


@dataclass(frozen=True, slots=True, eq=False)
class Withdrawal:
    """Units that customers withdrew in time."""

    parcels: RowArray
    units: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class ReturnPlan:
    """Parcels given up after too many attempts; they go back to the sender."""

    parcels: RowArray


Plan = WavePlan | RoutePlan | LeftOut | SortiePlan | Withdrawal | ReturnPlan


@dataclass(frozen=True, slots=True, eq=False)
class PublishPlan:
    """A plan for the world to carry out."""

    plan: Plan


Command = Reserve | SetTimer | Solve | PublishPlan
