"""What the report shows, queried from the Parquet files of a run folder."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from sim.run_folder import Run, read_run

Rows = list[tuple[Any, ...]]


class Source:
    """A run folder and questions to it. Names in queries: every table of the run, and `kpis`."""

    def __init__(self, folder: Path) -> None:
        self.run: Run = read_run(folder, names=("kpis",))
        self.folder = folder
        general = self.run.scenario["scenario"]
        self.general: dict[str, Any] = general
        self.currency: str = general["currency"]
        self._zone = ZoneInfo(general["timezone"])
        self._start = datetime.fromisoformat(general["start"])
        self._connection = duckdb.connect()
        for path in sorted(folder.glob("*.parquet")):
            self._connection.read_parquet(str(path)).create_view(path.stem)
        kpis = self.run.tables["kpis"]
        columns = (kpis["kpi"].to_pylist(), kpis["scope"].to_pylist(), kpis["value"].to_pylist())
        self._kpis: dict[tuple[str, str], float] = {
            (name, scope): value for name, scope, value in zip(*columns, strict=True)
        }

    def rows(self, query: str, *values: Any) -> Rows:
        """All rows of a query, with `values` in the places of its question marks; it must say its own order."""
        return [tuple(row) for row in self._connection.execute(query, list(values)).fetchall()]

    def records(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """As `rows`, each a dictionary by column."""
        found = self._connection.execute(query, list(values))
        columns = [column[0] for column in found.description]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]

    def kpi(self, name: str, scope: str = "") -> float | None:
        return self._kpis.get((name, scope))

    def scopes(self, name: str, prefix: str) -> list[str]:
        """Scopes with a prefix that have a figure, without the prefix."""
        return sorted(
            scope.removeprefix(prefix)
            for figure, scope in self._kpis
            if figure == name and scope.startswith(prefix)
        )

    @property
    def services(self) -> list[str]:
        return [service["id"] for service in self.run.scenario["services"]]

    def clock(self, seconds: float) -> str:
        """A moment as local wall-clock time, the way Plotly reads dates."""
        moment = (self._start.astimezone(ZoneInfo("UTC")) + timedelta(seconds=seconds)).astimezone(self._zone)
        return moment.replace(tzinfo=None).isoformat(sep=" ", timespec="minutes")
