"""A floor of sorting robots: nothing is lost, nobody collides, one robot's cycle by hand, Little's law, faults."""

from __future__ import annotations

from collections import deque

import numpy as np
import pytest

from sim.robots.guidance import Guidance
from sim.sorting.disruptions import Disruption
from sim.sorting.layout import floor_layout
from sim.sorting.parcels import allot_chutes
from sim.sorting.robot_floor import RobotSorter
from tests.sim.sorting import support

TROUBLE = (
    Disruption("chute_blocked", 4, 50.0, 300.0),
    Disruption("induction_closed", 1, 100.0, 400.0),
    Disruption("robot_stopped", 2, 60.0, 350.0),
    Disruption("robot_stopped", 7, 130.0, 200.0),
)


@pytest.mark.parametrize("blocked", ["wait", "recirculate"])
def test_units_are_conserved_at_every_step_and_nobody_collides(blocked: str) -> None:
    made = support.floor(
        support.section(
            {"capacity_parcels": 8, "exchange_s": 40.0, "blocked": blocked},
            {"missort": 0.1, "missort_found_s": 60.0, "damage": 0.05},
            drive_s=600.0,
            charge_s=120.0,
            stop_after_h=0.5,
            repair_s=45.0,
        ),
        disruptions=TROUBLE,
    )
    while made.open_parcels and made.steps < 10_000:
        made.advance(made.now_s + made.dt)
        made.audit()
    assert made.open_parcels == 0
    result = made.result()
    figures = result.kpis()
    assert figures["sorted"] == 200
    assert figures["missorts"] > 5
    assert figures["missorts"] == made.times.returned
    assert made.chutes.taken.sum() == 200 + figures["missorts"]
    assert figures["missort_cost_minor"] == 50.0 * figures["missorts"]
    assert figures["damage_cost_minor"] == 2000.0 * figures["damaged"] > 0
    assert figures["exchanges"] > 10
    assert figures["recirculations"] > 0
    assert figures["robot_stops"] > 2
    assert len(made.charging.visits) > 0
    check = support.checked(made)
    assert check.conflicts == 0, check.listed[0].message
    assert np.array_equal(check.final, made.planner.locations)


def _headings(made: RobotSorter) -> tuple[list[int], list[int]]:
    """Location and heading of robot 0 before each step and after the last, replayed from its actions."""
    width = made.layout.grid.width
    at, heading = int(made.starts[0]), 0
    locations, headings = [at], [heading]
    assert made.actions is not None
    for done in made.actions:
        if done[0] == 0:
            at += (1, width, -1, -width)[heading]
        elif done[0] in (1, 2):
            heading = (heading + (1 if done[0] == 1 else 3)) % 4
        locations.append(at)
        headings.append(heading)
    return locations, headings


def _steps(made: RobotSorter, start: tuple[int, int], goal: int) -> int:
    """Fewest steps with turns, no bay driven the wrong way: breadth first."""
    free, width = made.layout.grid.free, made.layout.grid.width
    against = {(int(c), (h + 2) % 4) for cells, h in made.layout.ways for c in cells}
    entries = {int(c) for cells, _ in made.layout.ways[::2] for c in cells[1:]}
    exits = {int(c) for cells, _ in made.layout.ways[1::2] for c in cells}
    seen, queue = {start}, deque([(start, 0)])
    while queue:
        (at, heading), steps = queue.popleft()
        if at == goal:
            return steps
        following = [(at, (heading + 1) % 4), (at, (heading + 3) % 4)]
        ahead = at + (1, width, -1, -width)[heading]
        wraps = heading in (0, 2) and ahead // width != at // width
        between = (at in entries and ahead in exits) or (at in exits and ahead in entries)
        if (
            0 <= ahead < len(free)
            and free[ahead]
            and not wraps
            and (at, heading) not in against
            and not between
        ):
            following.append((ahead, heading))
        for state in following:
            if state not in seen:
                seen.add(state)
                queue.append((state, steps + 1))
    raise AssertionError("no way")


def test_one_robot_alone_works_one_over_its_mean_cycle() -> None:
    sorting = support.section(robots=1, inductions=1, load_s=3.0, load_cv=0.0, tip_s=1.5, drive_s=1e9)
    made = support.floor(sorting, 30, 0.0, guidance=Guidance(along=1, against=1, turn=1, wait=1))
    made.run()
    locations, headings = _headings(made)
    sorted_s, load_s = np.sort(made.times.sorted_s), np.sort(made.times.load_s)
    assert not np.isnan(sorted_s).any()
    cycles = []
    for number in range(1, 30):
        loaded = round((load_s[number] + 3.0) / made.dt)
        tipped = round(sorted_s[number - 1] / made.dt)
        to_drop = round((sorted_s[number] - 1.5) / made.dt)
        there = _steps(made, (locations[loaded], headings[loaded]), locations[to_drop])
        back = _steps(made, (locations[tipped], headings[tipped]), int(made.layout.loads[0]))
        cycles.append(3.0 + 1.5 + made.dt * (there + back))
    assert np.allclose(np.diff(sorted_s), cycles, atol=1e-9)
    assert 29 / (sorted_s[-1] - sorted_s[0]) == pytest.approx(1 / np.mean(cycles))


def test_littles_law_holds_at_every_station() -> None:
    made = support.floor(support.section(drive_s=600.0, charge_s=200.0), 400, 1.0)
    result = made.run()
    assert result.littles_law_error() < 1e-9
    for k in range(3):
        came, start, _ = made.inductions.stays_of(k)
        waited = np.where(np.isnan(start), 0.0, start - came).sum()
        # L·T counted by the clock, and the sum of the waits that the parcels tell
        assert made.inductions.level_s[k] == pytest.approx(waited, rel=1e-9)
        assert waited > 1000


def test_steps_of_time_change_nothing() -> None:
    sorting = support.section({"capacity_parcels": 20}, {"missort": 0.05}, stop_after_h=1.0)
    whole, cut = (support.floor(sorting, disruptions=TROUBLE) for _ in range(2))
    whole.advance(1500.0)
    for until_s in np.arange(0.0, 1500.1, 7.3):
        cut.advance(float(until_s))
    cut.advance(1500.0)
    assert np.array_equal(whole.times.sorted_s, cut.times.sorted_s, equal_nan=True)
    assert np.array_equal(np.array(whole.actions), np.array(cut.actions))
    assert whole.trace == cut.trace
    other = support.floor(sorting, disruptions=TROUBLE, seed=2)
    other.advance(1500.0)
    assert not np.array_equal(whole.times.sorted_s, other.times.sorted_s, equal_nan=True)


def test_others_go_round_a_robot_that_stops_in_a_lane() -> None:
    sorting = support.section(drive_s=1e9)
    calm = support.floor(sorting, 300, 2.0)
    calm.run()
    # while it carries a parcel to a chute, in the field
    width = calm.layout.grid.width
    stop = Disruption("robot_stopped", 5, 100.0, 500.0)
    made = support.floor(sorting, 300, 2.0, disruptions=[stop])
    made.advance(101.0)
    at = int(made.planner.locations[5])
    made.advance(499.0)
    assert int(made.planner.locations[5]) == at
    assert made.state_steps[-1] == round(399 / made.dt)
    assert np.nansum(made.times.sorted_s < 499.0) > 0.75 * np.nansum(calm.times.sorted_s < 499.0)
    made.run()
    assert made.open_parcels == 0
    notes = [(note.what, note.who) for note in made.trace]
    assert notes.index(("robot stopped", 5)) < notes.index(("robot goes on", 5))
    assert f"row {at // width}, column {at % width}" in [note.detail for note in made.trace]
    assert support.checked(made).conflicts == 0


def test_a_robot_that_stops_in_a_one_way_bay_closes_that_induction_alone() -> None:
    """There is no way round it: its induction waits for the repair, the others go on, nothing is lost."""
    sorting = support.section(drive_s=1e9)
    calm = support.floor(sorting, 300, 2.0)
    calm.advance(100.0)
    bay = calm.inductions.places[0]
    standing = [r for r in range(12) if int(calm.planner.locations[r]) in bay]
    assert standing
    made = support.floor(
        sorting, 300, 2.0, disruptions=[Disruption("robot_stopped", standing[0], 100.0, 400.0)]
    )
    made.advance(101.0)
    at = int(made.planner.locations[standing[0]])
    assert at in bay
    while made.now_s < 395.0:
        made.advance(made.now_s + 5.0)
        made.audit()
    assert int(made.planner.locations[standing[0]]) == at
    during = (made.times.sorted_s > 150.0) & (made.times.sorted_s < 400.0)
    assert during.sum() > 50  # of the other inductions
    made.run()
    assert made.open_parcels == 0
    assert [n.what for n in made.trace if n.who == standing[0]] == ["robot stopped", "robot goes on"]
    _, start, _ = made.inductions.stays_of(0)
    assert (start > 400.0).any()
    assert support.checked(made).conflicts == 0


def test_a_blocked_chute_takes_nothing_and_its_parcels_wait() -> None:
    chutes_of = allot_chutes(np.full(9, 120), 12)
    destination = next(d for d, chutes in enumerate(chutes_of) if len(chutes) == 1)
    chute = int(chutes_of[destination][0])
    made = support.floor(
        support.section(), 120, 3.0, disruptions=[Disruption("chute_blocked", chute, 20.0, 300.0)]
    )
    made.run()
    fell, done = made.times.chute == chute, made.times.sorted_s
    assert not (fell & (done > 21.0) & (done < 300.0)).any()  # 1 s: what had begun to tip
    assert (fell & (done >= 300.0)).sum() > 5
    assert made.open_parcels == 0
    notes = [n.what for n in made.trace if n.who == chute and "block" in n.what]
    assert notes == ["chute blocked", "chute unblocked"]
    own = made.parcels.destination == destination
    assert made.times.refusals[own].sum() == (made.times.refusals > 0).sum() > 0
    assert (made.times.blocked_s[made.times.refusals > 0] > 0).all()


def test_a_closed_induction_gives_its_parcels_away() -> None:
    closing = Disruption("induction_closed", 0, 30.0, 120.0)
    made = support.floor(support.section(), 200, 1.0, disruptions=[closing])
    made.advance(30.0 + 10.0)
    assert not made.inductions.queues[0]
    made.run()
    _, start, _ = made.inductions.stays_of(0)
    assert not ((start > 30.0) & (start < 120.0)).any()
    assert (start > 120.0).any()
    assert made.open_parcels == 0
    assert ("induction closed", 0) in [(n.what, n.who) for n in made.trace]


def test_all_inductions_closed_stops_loading_and_loses_nothing() -> None:
    made = support.floor(
        support.section(),
        60,
        2.0,
        disruptions=[Disruption("induction_closed", k, 20.0, 200.0) for k in range(3)],
    )
    made.run()
    assert made.open_parcels == 0
    load_s = made.times.load_s
    assert not ((load_s > 20.0) & (load_s < 200.0)).any()


def test_what_has_no_room_is_refused() -> None:
    small = support.section().robots
    with pytest.raises(ValueError, match="inductions"):
        floor_layout(small.model_copy(update={"inductions": 9}))
    with pytest.raises(ValueError, match="robots"):
        floor_layout(small.model_copy(update={"robots": 500}))
    with pytest.raises(ValueError, match="must end after"):
        Disruption("robot_stopped", 1, 5.0, 5.0)
    with pytest.raises(ValueError, match="there are 3"):
        support.floor(support.section(), 5, 1.0, disruptions=[Disruption("induction_closed", 3, 1.0, 2.0)])


def test_every_bay_drop_and_charger_can_be_reached() -> None:
    layout = floor_layout(support.section(inductions=8, chargers=5).robots)
    free = layout.grid.free
    assert free[layout.drops].all()
    assert not free[layout.chutes].any()
    assert free[layout.loads].all()
    assert free[layout.lines].all()
    assert free[layout.chargers].all()
    reached, queue = (
        {int(layout.grid.index[layout.parking[0]])},
        deque([int(layout.grid.index[layout.parking[0]])]),
    )
    while queue:
        for cell in layout.grid.neighbours[queue.popleft()].tolist():
            if cell >= 0 and cell not in reached:
                reached.add(cell)
                queue.append(cell)
    assert len(reached) == layout.grid.n_free


def test_chutes_go_to_destinations_by_volume() -> None:
    assert [len(c) for c in allot_chutes(np.array([100, 10, 50]), 8)] == [5, 1, 2]
    shared = allot_chutes(np.array([5, 4, 3, 2, 1]), 2)
    assert [c.tolist() for c in shared] == [[0], [1], [0], [1], [0]]
    every = np.concatenate(allot_chutes(np.array([100, 10, 50]), 8))
    assert np.array_equal(np.sort(every), np.arange(8))
