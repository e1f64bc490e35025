"""How a warehouse stores and picks: the `[sites.storage]` part of a scenario.

`kind` chooses the system; a table of the same name holds its parameters, all of which have defaults. Defaults
come from the literature where there is one: robots after Merschformann et al., Decision rules for robotic
mobile fulfillment systems, Operations Research Perspectives 6 (2019).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from logistics.sections import Count, Few, NonNegative, Positive, Seconds, Section, Share, Shift, Spread

_DAY = ["06:00", "22:00"]


def _shift(workers: int) -> list[Shift]:
    return [Shift.model_validate([*_DAY, workers])]


class SlottingSection(Section):
    """Which item lies where."""

    policy: Literal["random", "turnover", "affinity"] = "turnover"  # affinity: what is bought together
    learn_days: Annotated[int, Field(ge=0, le=400)] = 7  # days before the run whose orders it learns from


class PackingSection(Section):
    """Packing stations: one order at a time."""

    order_s: Seconds = 30.0  # for each order
    unit_s: Seconds = 1.0  # for each unit
    cv: Spread = 0.3  # coefficient of variation of the times (lognormal)
    shifts: Annotated[list[Shift], Field(min_length=1)] = _shift(8)  # packers


class ReplenishmentSection(Section):
    """Refill from suppliers, reviewed every so often, and the way of the goods from the truck to the shelf.

    By (s, S): an item at or below s = `reorder_days` of mean demand is ordered up to S = `order_up_to_days`.
    By forecast: up to the exponentially smoothed demand over lead time and review plus `safety` of its
    deviations.
    """

    policy: Literal["s_S", "forecast"] = "s_S"  # what decides how much to order
    review_s: Annotated[float, Field(ge=60, le=10**6)] = 86_400.0  # between two reviews
    reorder_days: NonNegative = 2.0  # s
    order_up_to_days: NonNegative = 5.0  # S
    smoothing: Annotated[float, Field(gt=0, le=1)] = 0.2  # weight of the latest period
    safety: NonNegative = 2.0  # standard deviations of demand kept in hand
    lead_s: Seconds = 43_200.0  # from the order to the truck at the gate
    lead_cv: Spread = 0.2  # coefficient of variation of it (lognormal)
    carton_units: Few = 24  # units of one item in a carton
    truck_cartons: Few = 600  # cartons of a truck
    docks: Few = 2  # trucks unloaded at once
    unload_s: Seconds = 6.0  # per carton
    receive_s: Seconds = 12.0  # per carton: count and label
    receivers: Few = 4  # people who count
    put_away_s: Seconds = 45.0  # per carton: way and handling
    put_away_workers: Few = 6  # people who put away


class GoodsToPersonSection(Section):
    """Robots carry pods of shelves to stations, where people pick into open orders."""

    pods: Few = 400  # movable shelves
    bins_per_pod: Few = 24  # each holds one item
    robots: Few = 40  # that carry pods
    stations: Few = 5  # pick stations; as many are staffed as the shift has workers
    order_slots: Few = 12  # orders open at a station
    station_queue: Few = 6  # pods on their way to or at a station
    replenishment_stations: Few = 2  # where bins are filled
    chargers: Few = 8  # robots charged at once
    speed_mps: Positive = 1.5  # at most
    acceleration_mps2: Positive = 1.0  # and the same to brake
    turn_s: Seconds = 2.5  # of a quarter
    lift_s: Seconds = 2.2  # or set down
    pitch_m: Positive = 1.1  # between pods
    slowdown: Annotated[float, Field(ge=1, le=100)] = 1.1  # of travel by other robots
    line_s: Seconds = 10.0  # item transfer
    unit_s: Seconds = 3.0  # every unit after the first
    refill_s: Seconds = 20.0  # per bin at a replenishment station
    cv: Spread = 0.3  # coefficient of variation of the times (lognormal)
    drive_s: Positive = 14_400.0  # driving on a full battery
    charge_s: Positive = 3_600.0  # from empty to full
    charge_below: Share = 0.25  # share of the battery at which a robot goes to charge
    bin_units: Few = 60  # units of a full bin
    reorder_share: Share = 0.3  # bins at or below it are refilled
    order_assignment: str = "pile_on"  # a controller by name
    pod_selection: str = "pile_on"  # a controller by name
    pod_storage: str = "nearest"  # a controller by name
    task_allocation: str = "nearest"  # a controller by name
    shifts: Annotated[list[Shift], Field(min_length=1)] = _shift(5)  # people at the stations


class PickerToPartsSection(Section):
    """People walk through aisles with carts."""

    aisles: Few = 20  # side by side
    bays: Few = 30  # per side of an aisle
    levels: Few = 4  # shelves above each other in reach
    aisle_pitch_m: Positive = 4.0  # from aisle to aisle
    bay_m: Positive = 1.2  # width of a bay
    cross_aisle_m: NonNegative = 3.0  # width at both ends
    zones: Few = 1  # pickers stay in theirs
    wave_s: Annotated[float, Field(ge=60, le=86_400)] = 1_800.0  # between two waves
    batching: Literal["fcfs", "seed", "savings"] = "seed"  # which orders share a cart
    routing: Literal["s_shape", "largest_gap", "exact"] = "exact"  # the way through the aisles
    cart_orders: Few = 8  # orders on a cart at most
    cart_lines: Few = 60  # lines on a cart at most
    walk_mps: Positive = 1.2  # with a cart
    setup_s: Seconds = 120.0  # per tour
    line_s: Seconds = 12.0  # search and take
    unit_s: Seconds = 3.0  # every unit after the first
    cv: Spread = 0.3  # coefficient of variation of the times (lognormal)
    face_units: Few = 120  # at an item's location, at least; the rest lies in reserve
    refill_s: Seconds = 90.0  # of one location from reserve
    refillers: Few = 4  # people who refill
    cubbies: Count = 0  # of the put wall; 0: carts sort while picking
    put_s: Seconds = 5.0  # per line
    pickers: Annotated[list[Shift], Field(min_length=1)] = _shift(20)  # who works when
    putters: Annotated[list[Shift], Field(min_length=1)] = _shift(4)  # at the put wall


class AutomatedSection(Section):
    """Storage and retrieval machines, one per aisle, bring totes to pick stations and take them back.

    `crane`: one machine moves along and up at once. `shuttle`: a shuttle on each level and a lift per aisle.
    """

    machine: Literal["crane", "shuttle"] = "crane"  # what moves totes
    aisles: Few = 8  # one crane or lift each
    length_m: Positive = 60.0  # of an aisle
    height_m: Positive = 10.0  # of a rack
    columns: Few = 100  # places along an aisle
    levels: Few = 20  # places above each other
    speed_mps: Positive = 3.0  # along
    lift_mps: Positive = 0.75  # up and down
    acceleration_mps2: Positive | None = None  # none: at full speed at once
    handover_s: Annotated[float, Field(ge=0.5, le=600)] = 4.0  # taking or giving a tote
    dual_command: bool = True  # store and retrieve in one cycle
    conveyor_s: Annotated[float, Field(ge=1, le=3600)] = 30.0  # between aisle and pick station, each way
    line_s: Seconds = 8.0  # to pick a line
    unit_s: Seconds = 2.0  # every unit after the first
    cv: Spread = 0.3  # coefficient of variation of the times (lognormal)
    shifts: Annotated[list[Shift], Field(min_length=1)] = _shift(8)  # people at the pick stations


STORAGE_KINDS = ("goods_to_person", "picker_to_parts", "automated")


class StorageSection(Section):
    """The kind of storage and its parameters; tables of other kinds are faults."""

    kind: Literal["goods_to_person", "picker_to_parts", "automated"]  # the system
    goods_to_person: GoodsToPersonSection = GoodsToPersonSection()  # its parameters
    picker_to_parts: PickerToPartsSection = PickerToPartsSection()  # its parameters
    automated: AutomatedSection = AutomatedSection()  # its parameters
    slotting: SlottingSection = SlottingSection()  # which item lies where
