"""Commands that bring in orders or roads from other sources."""

from __future__ import annotations

from pathlib import Path

import click

from cli_shared import as_json, print_json


@click.group("import")
def import_() -> None:
    """Bring in orders or roads from other sources."""


@import_.command("orders")
@click.argument("source", type=click.Path(path_type=Path))
@click.option(
    "--map", "map_name", default="uci-online-retail", show_default=True, help="Built-in, or a TOML file."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Parquet file to write.")
@as_json
def import_orders(source: Path, map_name: str, out: Path, as_json: bool) -> None:
    """Clean an order file (CSV or Parquet) by a column map; report what was dropped and why."""
    from logistics.importing.files import import_orders as clean

    report = clean(source, map_name, out)
    if as_json:
        print_json(
            {"lines_read": report.lines_read, "lines_kept": report.lines_kept, "dropped": report.dropped}
        )
        return
    click.echo(f"read {report.lines_read:,} lines, kept {report.lines_kept:,}")
    for reason, lines in report.dropped.items():
        click.echo(f"  dropped {lines:,}: {reason}")


@import_.command("roads")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Road graph file to write.")
@as_json
def import_roads(source: Path, out: Path, as_json: bool) -> None:
    """Turn an .osm.pbf extract or a graph with hourly speeds into a road graph file."""
    from dataclasses import asdict

    from logistics.roads.importer import import_roads as bring

    report = asdict(bring(source, out))
    if as_json:
        print_json(report)
        return
    for key, value in report.items():
        click.echo(f"{key}: {value}")
