"""Puts the report together: template, cards, tables, figures and Plotly's own script, in one file."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from plotly.offline import get_plotlyjs

from sim.kpis import minor_per_major
from sim.report import capacity, charts, sections
from sim.report.markup import figure, section
from sim.report.network_map import network_map
from sim.report.source import Source
from solvers.errors import Fault, InvalidInputError

REPORT = "report.html"
ADVICE = (
    "One run shows what this plan met. To choose, run several sizes on the same random numbers: "
    "<code>logistics sweep SCENARIO --grid fleet_scale=0.8,1,1.2 --require 'on_time_pct&gt;=98'</code> names the "
    "cheapest that is punctual enough."
)


def render_report(folder: Path) -> Path:
    """Write `report.html` into a run folder, from what is in the folder alone, and return its path.

    Raises `InvalidInputError` where a file of the run is absent or damaged, or the report can't be written.
    """
    source = Source(folder)
    drawn, stations, note = network_map(source)
    figures = {
        "flow": charts.flow(source),
        "open": charts.in_network(source),
        "door": charts.door_times(source),
        "late": charts.lateness(source),
        "cost": charts.cost(source, minor_per_major(source.currency)),
        "queues": charts.queues(source),
        "utilisation": charts.utilisation(source),
        "headroom": charts.headroom(source),
        "map": drawn,
        **charts.storage_floors(source),
        **charts.sorting_floors(source),
    }
    general = source.general
    template = Template(Path(__file__).with_name("page.html").read_text(encoding="utf-8"))
    page = template.substitute(
        title=escape(general["name"]),
        description=escape(general["description"]),
        facts=escape(_facts(source)),
        sections=_sections(source, stations, note),
        figures=_embedded(figures),
        plotly=get_plotlyjs().replace("</script", "<\\/script"),
    )
    path = folder / REPORT
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        message, repair = (
            f"cannot write there: {error.strerror}",
            "make room or copy the run folder elsewhere",
        )
        raise InvalidInputError([Fault(str(path), "", "", "unwritable-file", message, repair)]) from None
    return path


def _sections(source: Source, stations: list[str], note: str) -> str:
    options = "".join(f"<option>{escape(station)}</option>" for station in stations)
    chooser = (
        '<p class="chooser"><label for="station">Routes of </label><select id="station">'
        f'<option value="">all stations</option>{options}</select> <span>{escape(note)}</span></p>'
    )
    return "".join(
        (
            section("Key figures", sections.cards(source), sections.services(source)),
            section(
                "Network and routes",
                chooser,
                figure("map", "Sites, lanes and routes", "Drag to move, scroll to zoom.", tall=True),
            ),
            section(
                "Parcels over time",
                '<div class="pair">',
                figure("flow", "Ordered and delivered", "Parcels per half hour, local time."),
                figure("open", "Parcels in the network", "Ordered and not yet final."),
                figure("door", "Click to door", "Hours from order to delivery, measured parcels."),
                figure(
                    "late",
                    "What made late parcels late",
                    "The stage that took longest beyond what it takes for on-time parcels of the same way.",
                ),
                "</div>",
                sections.latest(source),
            ),
            section(
                "Is it enough?",
                capacity.vehicles(source),
                capacity.workers(source),
                capacity.lockers(source),
                f"<p>{ADVICE}</p>",
            ),
            section(
                "Sites by half hour",
                figure("queues", "Queues", "The stages with the longest queues."),
                figure("headroom", "Headroom", "Idle share of the servers on shift; blank where nobody is."),
                sections.sites(source),
            ),
            _storages(source),
            _sorters(source),
            _incidents(source),
            section(
                "Resources",
                figure("utilisation", "Utilisation", "Worked share of paid time, over all days on duty."),
                sections.vehicles(source),
                sections.lanes(source),
            ),
            section(
                "Cost",
                figure(
                    "cost",
                    "Cost by kind and service",
                    "Declared rates times quantities. Services bear what their parcels used; paid time, vehicles "
                    "and trips that no parcel used are unused capacity, part of the cost per parcel of all.",
                ),
            ),
            section("Left out and waiting", sections.unassigned(source)),
            section("Assumptions and inputs", sections.assumptions(source), sections.cleaning(source)),
            section("This run", sections.manifest(source)),
        )
    )


def _storages(source: Source) -> str:
    """Nothing where no warehouse has storage."""
    found = source.run.manifest.get("storage", {})
    if not found:
        return ""
    drawn = []
    for site, entry in sorted(found.items()):
        drawn.append(figure(f"handled-{site}", f"{site}: {entry['handled_what']}", "Over the whole run."))
        drawn.append(
            figure(
                f"busy-{site}", f"{site}: utilisation", "Worked share of the time in which it was staffed."
            )
        )
    hourly = figure("picked", "Picked over time", "Parcels per half hour, warehouses with storage.")
    return section(
        "Warehouse floors", sections.storages(source), hourly, '<div class="pair">', *drawn, "</div>"
    )


def _incidents(source: Source) -> str:
    found = sections.incidents(source)
    return section("Incidents inside buildings", found) if found else ""


def _sorters(source: Source) -> str:
    """Nothing where no site has a sorter."""
    found = source.run.manifest.get("sorting", {})
    if not found:
        return ""
    maps = [
        figure(
            f"{name}-{site}", f"{site}: {title}", "By cell, over the whole run; blank where nothing drives."
        )
        for site, entry in sorted(found.items())
        for name, title in charts.FLOOR_MAPS.items()
        if name in entry
    ]
    hourly = figure("sorted", "Sorted over time", "Parcels per half hour, sites with a sorter.")
    return section("Sorting floors", sections.sorters(source), hourly, '<div class="pair">', *maps, "</div>")


def _facts(source: Source) -> str:
    seed = source.run.manifest.get("seed")
    parts = [f"starts {source.clock(0)} ({source.general['timezone']})"]
    parts += [] if seed is None else [f"seed {seed}"]
    return " · ".join(parts)


def _embedded(value: Any) -> str:
    """JSON that may stand inside a script element."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
