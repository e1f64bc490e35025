"""The tables that answer whether vehicles and workers are enough, against plain loops over the sample run."""

from __future__ import annotations

import re

import pytest

from sim.late_orders import latest_orders
from sim.report import capacity
from sim.report.source import Source
from sim.run_folder import write_run
from tests.sim.sample_run import finished


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    folder = tmp_path_factory.mktemp("capacity") / "run"
    scenario, tables, figures = finished()
    write_run(folder, scenario, tables, {"kpis": figures})
    return Source(folder)


def cells(html: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", html.partition("<tbody>")[2])
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]


def test_vehicles_out_at_once(source: Source) -> None:
    rows = cells(capacity.vehicles(source))
    assert [(row[0], row[1], row[3], row[4]) for row in rows] == [
        ("A", "van", "1", "1"),
        ("B", "van", "1", "1"),
    ]
    parcels = finished()[1]["parcels"].to_pylist()
    for row in rows:
        own = [p for p in parcels if p["measured"] and p["station"] == row[0]]
        late = sum(p["late_stage"] in ("dispatch", "collection") for p in own)
        assert row[7] == f"{100 * late / len(own):.1f}%"
        assert row[2] == ("short" if 100 * late / len(own) > capacity.SHORT_PCT else "fits")


def test_workers_for_no_queue(source: Source) -> None:
    tables = finished()[1]
    for site, stage, there, most, *_ in cells(capacity.workers(source)):
        work = [
            (row["arrive_s"], row["finish_s"] - row["start_s"])
            for row in tables["stages"].to_pylist()
            if (row["site"], row["stage"]) == (site, stage)
        ]
        assert there == "1"
        mean = sum(seconds for _, seconds in work) / len(work)
        counts: dict[int, int] = {}
        for arrive_s, _ in work:
            counts[int(arrive_s // 1800)] = counts.get(int(arrive_s // 1800), 0) + 1
        assert float(most) == pytest.approx(max(counts.values()) * mean / 1800, abs=0.051)


def test_no_lockers_no_table(source: Source) -> None:
    assert capacity.lockers(source) == ""


def test_the_latest_orders_come_first(source: Source) -> None:
    late = latest_orders(source, 5)
    assert len(late) == 5
    assert [each.late_h for each in late] == sorted((each.late_h for each in late), reverse=True)
