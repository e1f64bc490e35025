"""The item catalogue: weight, volume, category and handling of items, by table, by rule, or made up."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from logistics.csv_header import doubled_columns
from logistics.scenario import LARGEST, CatalogueSection, ItemRule
from logistics.tables import FloatArray, IntArray, Items
from solvers.errors import Fault, InvalidInputError

COLUMNS = ("code", "category", "weight_g", "volume_ml", "price_minor", "handling")
HANDLING: tuple[str, ...] = get_args(ItemRule.model_fields["handling"].annotation)

# Made-up items: assumptions that only shape the spread around what the scenario's rules declare.
MADE_UP_PRICE_MINOR = 2_000.0  # median
MADE_UP_PRICE_SIGMA = 0.7  # of the logarithm
MADE_UP_SIZE_SIGMA = 0.3  # of the logarithm of weight and volume around the rule's
GENERAL = ItemRule(category="general", weight_g=500.0, volume_ml=2_000.0)  # where no rule is declared


def read_catalogue(path: Path) -> Items:
    """The items of a CSV table with the columns `COLUMNS`. Raises `InvalidInputError` with every fault."""
    items, faults = _read(path)
    if items is None or faults:
        raise InvalidInputError(faults)
    return items


def catalogue_faults(path: Path) -> list[Fault]:
    """What is wrong with a catalogue table."""
    return _read(path)[1]


def described_items(
    code: NDArray[np.object_],
    description: NDArray[np.object_],
    price_minor: IntArray,
    rules: Iterable[ItemRule],
    table: Items | None = None,
) -> Items:
    """Properties of items known by code, description and price.

    An item of `table` takes everything from there; others take the first rule whose regular expression is
    found in the code or the description (case ignored). `per_price` rules scale weight and volume with
    sqrt(price / median price of the rule's items). Raises `InvalidInputError` naming items that nothing
    describes.
    """
    rules = list(rules)
    count = len(code)
    patterns = [re.compile(rule.match, re.IGNORECASE) for rule in rules]
    known = {} if table is None else {str(key): row for row, key in enumerate(table.code)}
    from_table = np.array([known.get(str(key), -1) for key in code], dtype=np.int64).reshape(count)
    rule_of = np.full(count, -1, dtype=np.int64)
    for item in np.flatnonzero(from_table < 0).tolist():
        texts = (str(code[item]), str(description[item]))
        for number, pattern in enumerate(patterns):
            if any(pattern.search(text) for text in texts):
                rule_of[item] = number
                break
    lost = np.flatnonzero((from_table < 0) & (rule_of < 0))
    if len(lost):
        raise InvalidInputError([_undescribed(str(code[item]), str(description[item])) for item in lost])
    items = _by_rule(code, price_minor.astype(np.float64), rule_of, rules, np.ones(count))
    if table is None:
        return items
    declared = np.flatnonzero(from_table >= 0)
    rows = from_table[declared]
    for mine, theirs in (
        (items.category, table.category),
        (items.weight_g, table.weight_g),
        (items.volume_ml, table.volume_ml),
        (items.price_minor, table.price_minor),
        (items.handling, table.handling),
    ):
        mine[declared] = theirs[rows]
    return items


def made_up_items(section: CatalogueSection, random: np.random.Generator) -> Items:
    """`section.items` items, the most popular first, spread evenly at random over the rules' categories.

    Prices are lognormal; weights and volumes are lognormal around the rule's, so that items differ.
    Draws go item by item: a longer catalogue begins like a shorter one.
    """
    rules = list(section.rules) or [GENERAL]
    draws = random.random((section.items, 3))
    normal = ndtri(np.maximum(draws[:, 1:], 2.0**-54))
    code = np.array([f"item-{number + 1:05d}" for number in range(section.items)], dtype=object)
    price = MADE_UP_PRICE_MINOR * np.exp(MADE_UP_PRICE_SIGMA * normal[:, 0])
    rule_of = (draws[:, 0] * len(rules)).astype(np.int64)
    return _by_rule(code, price, rule_of, rules, np.exp(MADE_UP_SIZE_SIGMA * normal[:, 1]))


def popularity(items: int, zipf: float) -> FloatArray:
    """Shares of demand by rank, proportional to rank ** -zipf; they sum to 1."""
    weights = np.arange(1, items + 1, dtype=np.float64) ** -zipf
    shares: FloatArray = weights / weights.sum()
    return shares


def joined(first: Items, second: Items) -> Items:
    """The items of both, `second`'s rows after `first`'s."""
    return Items(
        *(
            np.concatenate([getattr(first, name), getattr(second, name)])
            for name in Items.__dataclass_fields__
        )
    )


def no_items() -> Items:
    """A catalogue without items."""
    texts, numbers = np.zeros(0, dtype=object), np.zeros(0, dtype=np.int64)
    return Items(texts, texts, numbers, numbers, numbers, texts)


def _by_rule(
    code: NDArray[np.object_],
    price_minor: FloatArray,
    rule_of: IntArray,
    rules: list[ItemRule],
    spread: FloatArray,
) -> Items:
    weight, volume = np.ones(len(code)), np.ones(len(code))
    category = np.full(len(code), "", dtype=object)
    handling = np.full(len(code), "standard", dtype=object)
    for number, rule in enumerate(rules):
        rows = np.flatnonzero(rule_of == number)
        if not len(rows):
            continue
        factor = spread[rows]
        if rule.per_price:
            factor = factor * np.sqrt(price_minor[rows] / max(float(np.median(price_minor[rows])), 1.0))
        weight[rows] = rule.weight_g * factor
        volume[rows] = rule.volume_ml * factor
        category[rows] = rule.category
        handling[rows] = rule.handling
    return Items(
        code=code,
        category=category,
        weight_g=_at_least_one(weight),
        volume_ml=_at_least_one(volume),
        price_minor=np.rint(price_minor).astype(np.int64),
        handling=handling,
    )


def _at_least_one(values: FloatArray) -> IntArray:
    return np.maximum(np.rint(values), 1.0).astype(np.int64)


def _undescribed(code: str, description: str) -> Fault:
    return Fault(
        "",
        "catalogue.rules",
        f"{code} {description}".strip(),
        "undescribed-item",
        "no row of the catalogue and no rule describes this item",
        'add a row, or end the rules with one that matches all (match = ".*")',
    )


def _read(path: Path) -> tuple[Items | None, list[Fault]]:
    file = str(path)
    try:
        table = pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except FileNotFoundError:
        fault = Fault(file, "", "", "missing-file", "there is no such file", "check catalogue.path")
        return None, [fault]
    except (OSError, ValueError) as error:
        fault = Fault(file, "", "", "unreadable-file", f"not a CSV table: {error}", "save it as UTF-8 CSV")
        return None, [fault]
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        return None, [
            Fault(file, "header", "", "absent-column", f"the column {name} is absent", f"add a column {name}")
            for name in missing
        ]
    faults = doubled_columns(path, COLUMNS)
    if not len(table):
        faults.append(
            Fault(file, "", "", "no-items", "the table has no row", "add an item, or remove the path")
        )
    numbers: dict[str, IntArray] = {}
    for name, least in (("weight_g", 1), ("volume_ml", 1), ("price_minor", 0)):
        values = pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=np.float64)
        whole = np.isfinite(values) & (values == np.rint(values)) & (values >= least) & (values <= LARGEST)
        faults += [
            _cell(file, row, name, table[name].iloc[row], f"a whole number from {least} to {LARGEST:,}")
            for row in np.flatnonzero(~whole).tolist()
        ]
        numbers[name] = np.where(whole, values, least).astype(np.int64)
    kinds = ", ".join(HANDLING)
    for row in np.flatnonzero(~table["handling"].isin(HANDLING)).tolist():
        faults.append(_cell(file, row, "handling", table["handling"].iloc[row], f"one of {kinds}"))
    for row in np.flatnonzero(table["code"].duplicated()).tolist():
        faults.append(_cell(file, row, "code", table["code"].iloc[row], "a code that no earlier row has"))
    items = Items(
        code=table["code"].to_numpy(dtype=object),
        category=table["category"].to_numpy(dtype=object),
        weight_g=numbers["weight_g"],
        volume_ml=numbers["volume_ml"],
        price_minor=numbers["price_minor"],
        handling=table["handling"].to_numpy(dtype=object),
    )
    return items, faults


def _cell(file: str, row: int, column: str, value: str, wanted: str) -> Fault:
    return Fault(
        file, f"row {row + 2}, column {column}", repr(value), "bad-cell", f"needs {wanted}", f"give {wanted}"
    )
