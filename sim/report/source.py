"""What the report shows, queried from the Parquet files of a run folder."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb

from sim.run_folder import AGAIN, Run, check_run, read_run
from sim.tables import SCHEMAS
from solvers.errors import Fault, InvalidInputError

Rows = list[tuple[Any, ...]]


class Source:
    """A run folder and questions to it. Names in queries: every table of the run.

    Raises `InvalidInputError` where a file of the run is absent or damaged.
    """

    def __init__(self, folder: Path) -> None:
        check_run(folder)
        self.run: Run = read_run(folder, names=("kpis",))
        self.folder = folder
        general = self.run.scenario["scenario"]
        self.general: dict[str, Any] = general
        self.currency: str = general["currency"]
        self._zone = ZoneInfo(general["timezone"])
        self._start = datetime.fromisoformat(general["start"])
        self._connection = duckdb.connect()
        for name in SCHEMAS:
            self._connection.read_parquet(str(folder / f"{name}.parquet")).create_view(name)
        kpis = self.run.tables["kpis"]
        columns = (kpis["kpi"].to_pylist(), kpis["scope"].to_pylist(), kpis["value"].to_pylist())
        self._kpis: dict[tuple[str, str], float] = {
            (name, scope): value for name, scope, value in zip(*columns, strict=True)
        }

    def rows(self, query: str, *values: Any) -> Rows:
        """All rows of a query, with `values` in the places of its question marks; it must say its own order."""
        return [tuple(row) for row in self._asked(query, values)[1]]

    def records(self, query: str, *values: Any) -> list[dict[str, Any]]:
        """As `rows`, each a dictionary by column."""
        columns, rows = self._asked(query, values)
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def _asked(self, query: str, values: tuple[Any, ...]) -> tuple[list[str], Rows]:
        """Names of the columns, and the rows."""
        try:
            found = self._connection.execute(query, list(values))
            return [column[0] for column in found.description], found.fetchall()
        except (duckdb.IOException, duckdb.InvalidInputException) as error:  # pages that cannot be unpacked
            message = f"a table is damaged: {error}"
            raise InvalidInputError(
                [Fault(str(self.folder), "", "", "unreadable-file", message, AGAIN)]
            ) from None

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
