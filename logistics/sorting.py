"""How a hub or station sorts: the `[sites.sorting]` part of a scenario.

`kind` chooses the system; a table of the same name holds its parameters, all of which have defaults: robots about
as fast and chutes about as large as makers of sorting robots give for parcels up to 5 kg.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from logistics.sections import Few, NonNegative, Positive, Seconds, Section, Share, Spread

ShortWhile = Annotated[float, Field(gt=0, le=86_400)]


class ChutesSection(Section):
    """Chutes, each above a container that is exchanged when it is full.

    A parcel whose chute does not take it waits beside it until it opens (`wait`), or goes round and tries again
    (`recirculate`). On a cross-belt it always goes round.
    """

    capacity_parcels: Few = 60  # of a container; then the chute is closed
    exchange_s: Seconds = 60.0  # the chute is closed so long
    blocked: Literal["wait", "recirculate"] = "wait"  # what a robot does whose chute is closed


class ErrorsSection(Section):
    """What goes wrong with parcels. A missort is found so long after its drop and comes to the inductions anew."""

    missort: Share = 0.001  # of parcels that fall into a wrong chute
    missort_found_s: Seconds = 900.0  # after the drop
    missort_minor: NonNegative = 50.0  # cost of each
    damage: Share = 0.0001  # of drops
    damage_minor: NonNegative = 2_000.0  # cost of each


class SortRobotsSection(Section):
    """Robots on a grid of cells: in a step each drives to the next cell, turns a quarter, or waits.

    Chutes lie in `chute_rows` times `chute_columns`, two one-way lanes between any two; inductions at both ends
    of the lanes, chargers along the last.
    """

    robots: Few = 200  # that carry one parcel each
    chute_rows: Annotated[int, Field(ge=1, le=200)] = 10  # chutes in a column
    chute_columns: Annotated[int, Field(ge=1, le=200)] = 12  # chutes in a row
    inductions: Few = 16  # at most two for each lane pair, of which there is one more than rows of chutes
    queue_cells: Annotated[int, Field(ge=1, le=50)] = 5  # robots that wait in line before an induction
    chargers: Few = 16  # robots charged at once
    step_s: Annotated[float, Field(ge=0.1, le=10)] = 0.5  # from cell to cell, or to turn a quarter
    load_s: ShortWhile = 2.0  # to put a parcel on a robot
    load_cv: Spread = 0.2  # coefficient of variation of it (lognormal)
    tip_s: ShortWhile = 1.0  # into the chute
    drive_s: Positive = 14_400.0  # driving on a full battery
    charge_s: Positive = 1_200.0  # from empty to full
    charge_below: Share = 0.25  # share of the battery at which a robot goes to charge
    stop_after_h: NonNegative = 0.0  # mean time between two stops of a robot; 0: none by chance
    repair_s: ShortWhile = 300.0  # until a stopped robot goes on


class CrossBeltSection(Section):
    """A loop of cells, each with a belt of its own across, that carries one parcel."""

    length_m: Positive = 240.0  # of the loop
    pitch_m: Annotated[float, Field(ge=0.1, le=10)] = 0.6  # from cell to cell
    speed_mps: Annotated[float, Field(gt=0, le=5)] = 2.5  # of the loop
    inductions: Few = 10  # evenly along the loop
    induct_s: ShortWhile = 2.0  # between two parcels of one induction
    induct_cv: Spread = 0.2  # coefficient of variation of it (lognormal)
    chutes: Few = 120  # along the loop


SORTING_KINDS = ("robots", "cross_belt")


class SortingSection(Section):
    """The kind of sorter and its parameters; the table of the other kind is a fault."""

    kind: Literal["robots", "cross_belt"]  # the system
    full: bool = False  # simulate every robot's every step; else a curve fitted to samples of that
    robots: SortRobotsSection = SortRobotsSection()  # its parameters
    cross_belt: CrossBeltSection = CrossBeltSection()  # its parameters
    chutes: ChutesSection = ChutesSection()  # where parcels fall
    errors: ErrorsSection = ErrorsSection()  # missorts and damage


PERIOD = 3  # rows or columns of cells for each of chutes: it and two lanes


def floor_limits(section: SortRobotsSection) -> dict[str, int]:
    """Most inductions, chargers and robots that a floor has room for.

    Inductions: bays at both ends of all lane pairs; chargers: every other cell along the last lane; robots: a third
    of the field's cells, beyond which they mostly wait for each other.
    """
    rows, columns = PERIOD * section.chute_rows + 2, PERIOD * section.chute_columns + 2
    return {
        "inductions": 2 * (section.chute_rows + 1),
        "chargers": (columns + 1) // 2,
        "robots": max(1, (rows * columns - section.chute_rows * section.chute_columns) // 3),
    }


def belt_cells(section: CrossBeltSection) -> int:
    """Cells of the loop."""
    return max(1, round(section.length_m / section.pitch_m))
