"""The report, opened in a real Chromium without a network: it draws, it asks for nothing, it reports no error."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from sim.report import render_report
from sim.run_folder import write_run
from solvers.errors import InvalidInputError
from tests.conftest import unavailable
from tests.sim.sample_run import finished

FIGURES = ("flow", "open", "door", "late", "cost", "queues", "utilisation", "headroom", "map")
FLAGS = (
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
LIMIT_BYTES = 12_000_000

# marks drawn inside a figure that have some size on the page
DRAWN = """
name => [...document.querySelectorAll(
    `#figure-${name} .scatterlayer .js-line, #figure-${name} .scatterlayer .point, `
    + `#figure-${name} .barlayer .point path, #figure-${name} .heatmaplayer image`
)].filter(mark => {
    const box = mark.getBoundingClientRect();
    return box.width + box.height > 1;
}).length
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "run"
    scenario, tables, figures = finished()
    write_run(folder, scenario, tables, {"seed": 7, "versions": {"numpy": "<2>"}, "kpis": figures})
    return render_report(folder)


# traces of the map that are lines; one with gaps is several paths
LINES = (
    "[...document.querySelectorAll('#figure-map .scatterlayer .trace')]"
    ".filter(trace => trace.querySelector('.js-line')).length"
)


class Opened:
    """A page and what it said and asked for while it was loaded."""

    def __init__(self, page: Any, path: Path) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.goto(path.as_uri())
        page.wait_for_selector("html[data-drawn=yes]", timeout=60_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    sync_api = pytest.importorskip("playwright.sync_api")
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        unavailable("no Chromium on this machine", "LOGISTICS_REQUIRE_BROWSER")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture(scope="module", params=["light", "dark"])
def opened(request: pytest.FixtureRequest, browser: Any, report: Path) -> Iterator[Opened]:
    context = browser.new_context(offline=True, color_scheme=request.param)
    yield Opened(context.new_page(), report)
    context.close()


def test_it_says_nothing_and_asks_for_nothing(opened: Opened, report: Path) -> None:
    assert opened.complaints == []
    assert opened.requests == [report.as_uri()]


@pytest.mark.parametrize("name", FIGURES)
def test_every_chart_is_drawn(opened: Opened, name: str) -> None:
    assert opened.page.evaluate(DRAWN, name) > 0
    assert opened.page.evaluate("document.querySelectorAll('[data-figure]').length") == len(FIGURES)


def test_the_map_shows_sites_lanes_and_routes(opened: Opened) -> None:
    page = opened.page
    frame = page.locator("#figure-map").bounding_box()
    points = page.locator("#figure-map .scatterlayer path.point")
    assert points.count() == 5 + 2  # sites and areas
    for row in range(points.count()):
        box = points.nth(row).bounding_box()
        assert box["width"] > 1
        assert frame["x"] <= box["x"] <= frame["x"] + frame["width"]
        assert frame["y"] <= box["y"] <= frame["y"] + frame["height"]
    labels = page.locator("#figure-map .textpoint").all_text_contents()
    assert sorted(labels) == ["A", "B", "H", "M", "W"]
    assert page.evaluate(LINES) == 3 + 1  # two stations deliver, one collects; the lanes


def test_choosing_a_station_hides_the_others(opened: Opened) -> None:
    page = opened.page
    page.select_option("#station", "B")
    page.wait_for_function(f"{LINES} === 2")
    page.select_option("#station", "")
    page.wait_for_function(f"{LINES} === 4")


def test_the_theme_can_be_switched(opened: Opened) -> None:
    page = opened.page
    before = page.evaluate("document.documentElement.dataset.theme")
    colour = "getComputedStyle(document.querySelector('#figure-flow .js-line')).stroke"
    stroke = page.evaluate(colour)
    page.click("#theme")
    page.wait_for_function(f"{colour} !== '{stroke}'")
    assert page.evaluate("document.documentElement.dataset.theme") != before
    page.click("#theme")
    page.wait_for_function(f"{colour} === '{stroke}'")


class _Tables(HTMLParser):
    """Counts what a screen reader needs of tables, and all ids."""

    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[str, int] = {}
        self.ids: list[str] = []
        self.unscoped = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.counts[tag] = self.counts.get(tag, 0) + 1
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "th" and given.get("scope") not in ("row", "col"):
            self.unscoped += 1


def test_tables_are_marked_up(report: Path) -> None:
    parsed = _Tables()
    parsed.feed(report.read_text(encoding="utf-8").partition('<script type="application/json"')[0])
    assert parsed.counts["table"] >= 7
    assert parsed.counts["caption"] == parsed.counts["thead"] == parsed.counts["table"]
    assert parsed.unscoped == 0
    assert len(parsed.ids) == len(set(parsed.ids))


def test_text_of_the_run_is_escaped(report: Path) -> None:
    text = report.read_text(encoding="utf-8")
    assert "item &lt;7&gt; &amp; more" in text
    assert "made up &lt;for tests&gt;" in text
    assert "item <7>" not in text


def test_it_is_small_enough(report: Path) -> None:
    assert report.stat().st_size <= LIMIT_BYTES


def test_damage_is_named(report: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(report.parent, folder)
    (folder / "network.geojson").unlink()  # the map is drawn from the scenario
    assert render_report(folder).is_file()
    (folder / "report.html").unlink()
    (folder / "report.html").mkdir()
    with pytest.raises(InvalidInputError) as caught:
        render_report(folder)
    assert [fault.code for fault in caught.value.faults] == ["unwritable-file"]
    routes = (folder / "routes.geojson").read_text(encoding="utf-8")
    for text in ("", routes.replace("coordinates", "coordinate")):
        (folder / "routes.geojson").write_text(text, encoding="utf-8")
        if not text:
            (folder / "routes.geojson").unlink()
        with pytest.raises(InvalidInputError) as caught:
            render_report(folder)
        assert [fault.code for fault in caught.value.faults] == ["unreadable-file"]


def test_it_needs_a_run_folder(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        render_report(tmp_path)
    assert {fault.code for fault in caught.value.faults} == {"missing-file"}
