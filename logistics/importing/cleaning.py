"""Cleaning of order lines: what is dropped and why, and which purchase a cancellation takes back."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from logistics.importing.column_map import ColumnMap
from logistics.importing.reading import starts_with
from logistics.kernels.matching import match_latest
from logistics.tables import BoolArray, CleaningReport

INCOMPLETE = "no order number, item or time"
OUTSIDE = "outside the period"
COPY = "exact copy of an earlier line"
NOT_MERCHANDISE = "not merchandise"
NO_PRICE = "price absent or not above zero"
NO_QUANTITY = "quantity absent or not above zero"
NO_CUSTOMER = "no customer"
UNMATCHED = "cancellation without an earlier purchase"


@dataclass(frozen=True, slots=True)
class CleanOrders:
    """Order lines fit for delivery. Rows keep the index of their line in the source.

    `purchases`: order, item, description, customer, quantity, price, at_s, wall_s, lon, lat. `cancellations`:
    the same, once per purchase that it takes units from, with `purchase`, that purchase's index, and
    `quantity` the units it takes from it.
    """

    purchases: pd.DataFrame
    cancellations: pd.DataFrame
    report: CleaningReport
    units_unmatched: int  # of kept cancellations that take back more than was bought


def cleaned(
    lines: pd.DataFrame,
    column_map: ColumnMap,
    from_time: datetime | None = None,
    to_time: datetime | None = None,
) -> CleanOrders:
    """Clean the lines that `read_lines` gives; `from_time` ≤ time < `to_time` on the file's own clock.

    A line is dropped for the first reason that holds, in the order of the report. A cancellation is matched to
    the latest earlier purchase of its customer and item with units left; what exceeds that purchase goes on
    to the one before.
    """
    dropped: dict[str, int] = {}
    left = lines
    for reason, holds in _reasons(column_map, from_time, to_time):
        gone = holds(left)
        if gone.any():
            dropped[reason] = int(gone.sum())
            left = left[~gone]
    cancels = left["cancels"].to_numpy(dtype=bool)
    purchases, cancellations = left[~cancels], left[cancels]
    whole = {"quantity": np.int64}
    purchases = purchases.astype(whole)
    matched = _matched(
        purchases, cancellations.assign(quantity=cancellations["quantity"].abs()).astype(whole)
    )
    kept = matched.index.nunique()
    if kept < len(cancellations):
        dropped[UNMATCHED] = len(cancellations) - kept
    wanted = cancellations.loc[matched.index.unique(), "quantity"].abs().sum()
    keep = [name for name in lines.columns if name not in ("cancels", "copy", "has_time")]
    report = CleaningReport(len(lines), len(purchases) + kept, dropped)
    return CleanOrders(
        purchases=purchases[keep],
        cancellations=matched[[*keep, "purchase"]],
        report=report,
        units_unmatched=int(wanted - matched["quantity"].sum()),
    )


_Test = Callable[[pd.DataFrame], BoolArray]


def _reasons(
    column_map: ColumnMap, from_time: datetime | None, to_time: datetime | None
) -> list[tuple[str, _Test]]:
    """Reasons to drop a line and their tests, in the order in which they count."""

    def incomplete(lines: pd.DataFrame) -> BoolArray:
        empty = (lines["order"] == "") | (lines["item"] == "") | ~lines["has_time"]
        return np.asarray(empty, dtype=bool)

    def outside(lines: pd.DataFrame) -> BoolArray:
        wall = lines["wall_s"].to_numpy()
        early = wall < _wall_s(from_time) if from_time is not None else np.zeros(len(wall), dtype=bool)
        return early | (wall >= _wall_s(to_time)) if to_time is not None else early

    def copies(lines: pd.DataFrame) -> BoolArray:
        return lines["copy"].to_numpy(dtype=bool)

    def no_merchandise(lines: pd.DataFrame) -> BoolArray:
        return _not_merchandise(lines, column_map)

    def no_price(lines: pd.DataFrame) -> BoolArray:
        return ~np.asarray(lines["price"] > 0, dtype=bool)

    def no_quantity(lines: pd.DataFrame) -> BoolArray:
        units = lines["quantity"].where(~lines["cancels"], lines["quantity"].abs())
        return ~np.asarray(units > 0, dtype=bool)

    def no_customer(lines: pd.DataFrame) -> BoolArray:
        return np.asarray(lines["customer"] == "", dtype=bool)

    reasons: list[tuple[str, _Test]] = [
        (INCOMPLETE, incomplete),
        (OUTSIDE, outside),
        (COPY, copies),
        (NOT_MERCHANDISE, no_merchandise),
        (NO_QUANTITY, no_quantity),
    ]
    if column_map.columns.price:
        reasons.append((NO_PRICE, no_price))
    if column_map.customers.required:
        reasons.append((NO_CUSTOMER, no_customer))
    return reasons


def _not_merchandise(lines: pd.DataFrame, column_map: ColumnMap) -> BoolArray:
    rule = column_map.not_merchandise
    listed = {code.lower() for code in rule.codes}
    patterns = [re.compile(pattern, re.IGNORECASE) for pattern in rule.patterns]
    row, codes = pd.factorize(lines["item"])
    dirty = [code.lower() in listed or any(each.fullmatch(code) for each in patterns) for code in codes]
    return np.array([*dirty, False])[row] | starts_with(lines["order"], rule.order_prefixes)


def _matched(purchases: pd.DataFrame, cancellations: pd.DataFrame) -> pd.DataFrame:
    """One row per cancellation and purchase it takes units from, indexed by the cancellation's line."""
    buyers = purchases[purchases["customer"] != ""]
    asked = cancellations[cancellations["customer"] != ""].sort_values("at_s", kind="stable")
    names = ["customer", "item"]
    pairs = pd.concat([buyers[names], asked[names]])
    group = pairs.groupby(names, sort=False).ngroup().to_numpy(dtype=np.int64)
    buyer_group, asked_group = group[: len(buyers)], group[len(buyers) :]
    bought_at = buyers["at_s"].to_numpy(dtype=np.int64)
    turn = np.lexsort((np.arange(len(buyers)), bought_at, buyer_group))
    groups = int(group.max()) + 1 if len(group) else 0
    by, of, units = match_latest(
        np.searchsorted(buyer_group[turn], np.arange(groups + 1)).astype(np.int64),
        bought_at[turn],
        buyers["quantity"].to_numpy(dtype=np.int64)[turn],
        asked_group.astype(np.int64),
        asked["at_s"].to_numpy(dtype=np.int64),
        asked["quantity"].to_numpy(dtype=np.int64),
    )
    matched = asked.iloc[by].assign(quantity=units, purchase=buyers.index.to_numpy()[turn][of])
    return matched.astype({"quantity": np.int64, "purchase": np.int64})


def _wall_s(moment: datetime) -> int:
    return round((moment.replace(tzinfo=None) - datetime(1970, 1, 1)).total_seconds())
