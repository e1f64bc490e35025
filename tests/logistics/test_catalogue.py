from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from logistics.catalogue import (
    catalogue_faults,
    described_items,
    joined,
    made_up_items,
    no_items,
    popularity,
    read_catalogue,
)
from logistics.scenario import CatalogueSection, ItemRule
from solvers.errors import InvalidInputError

TABLE = "code,category,weight_g,volume_ml,price_minor,handling\n"


def texts(*values: str) -> np.ndarray:
    return np.array(values, dtype=object)


def test_first_matching_rule_wins_by_code_or_description() -> None:
    rules = [
        ItemRule(match="^22", category="by-code", weight_g=10, volume_ml=20),
        ItemRule(match="lantern", category="light", weight_g=30, volume_ml=40, handling="fragile"),
        ItemRule(category="rest", weight_g=50, volume_ml=60),
    ]
    items = described_items(
        texts("22001", "85001", "85002"),
        texts("LANTERN", "RED LANTERN", "MUG"),
        np.array([100, 200, 300]),
        rules,
    )
    assert items.category.tolist() == ["by-code", "light", "rest"]
    assert items.weight_g.tolist() == [10, 30, 50]
    assert items.volume_ml.tolist() == [20, 40, 60]
    assert items.handling.tolist() == ["standard", "fragile", "standard"]


def test_per_price_scales_by_the_root_of_the_price_over_the_rules_median() -> None:
    rule = ItemRule(category="c", weight_g=100, volume_ml=1000, per_price=True)
    items = described_items(texts("a", "b", "c"), texts("", "", ""), np.array([25, 100, 400]), [rule])
    assert items.weight_g.tolist() == [50, 100, 200]
    assert items.volume_ml.tolist() == [500, 1000, 2000]


def test_weights_are_at_least_one() -> None:
    rule = ItemRule(category="c", weight_g=1, volume_ml=1, per_price=True)
    items = described_items(texts("a", "b"), texts("", ""), np.array([1, 10_000]), [rule])
    assert items.weight_g.min() >= 1
    assert items.volume_ml.min() >= 1


def test_table_goes_before_rules(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text(TABLE + "b,toys/wood,70,80,90,fragile\n")
    table = read_catalogue(path)
    items = described_items(
        texts("a", "b"),
        texts("", ""),
        np.array([5, 6]),
        [ItemRule(category="r", weight_g=1, volume_ml=2)],
        table,
    )
    assert items.weight_g.tolist() == [1, 70]
    assert items.category.tolist() == ["r", "toys/wood"]
    assert items.price_minor.tolist() == [5, 90]


def test_items_that_nothing_describes_are_named() -> None:
    with pytest.raises(InvalidInputError) as caught:
        described_items(
            texts("a", "x1", "x2"),
            texts("", "one", "two"),
            np.array([1, 1, 1]),
            [ItemRule(match="^a", category="r", weight_g=1, volume_ml=1)],
        )
    assert [fault.value for fault in caught.value.faults] == ["x1 one", "x2 two"]


def test_all_faults_of_a_table_in_one_pass(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text(TABLE + "a,c,0,10,5,standard\nb,c,1.5,x,-1,liquid\na,c,1,1,1,standard\n")
    found = {(fault.place, fault.value) for fault in catalogue_faults(path)}
    assert found == {
        ("row 2, column weight_g", "'0'"),
        ("row 3, column weight_g", "'1.5'"),
        ("row 3, column volume_ml", "'x'"),
        ("row 3, column price_minor", "'-1'"),
        ("row 3, column handling", "'liquid'"),
        ("row 4, column code", "'a'"),
    }
    with pytest.raises(InvalidInputError):
        read_catalogue(path)


def test_absent_columns_and_files(tmp_path: Path) -> None:
    path = tmp_path / "items.csv"
    path.write_text("code,category\na,b\n")
    assert [fault.code for fault in catalogue_faults(path)] == ["absent-column"] * 4
    assert [fault.code for fault in catalogue_faults(tmp_path / "none.csv")] == ["missing-file"]


def test_made_up_items_follow_the_rules_and_begin_alike() -> None:
    rules = [
        ItemRule(category="light", weight_g=100, volume_ml=500),
        ItemRule(category="heavy", weight_g=10_000, volume_ml=50_000, handling="bulky"),
    ]
    few = made_up_items(CatalogueSection(items=50, rules=rules), np.random.default_rng(3))
    many = made_up_items(CatalogueSection(items=4000, rules=rules), np.random.default_rng(3))
    assert (many.weight_g[:50] == few.weight_g).all()
    assert (many.category[:50] == few.category).all()
    light = many.category == "light"
    assert 0.45 < light.mean() < 0.55
    assert 90 < np.median(many.weight_g[light]) < 110
    assert 9_000 < np.median(many.weight_g[~light]) < 11_000
    assert len(set(many.code)) == 4000


def test_popularity_is_zipf() -> None:
    shares = popularity(1000, 0.8)
    assert shares.sum() == pytest.approx(1.0)
    assert shares[0] / shares[9] == pytest.approx(10**0.8)
    assert (popularity(4, 0.0) == 0.25).all()


def test_joined_keeps_rows_in_turn() -> None:
    made = made_up_items(CatalogueSection(items=3), np.random.default_rng(1))
    both = joined(no_items(), made)
    assert both.code.tolist() == made.code.tolist()
    assert len(joined(made, made)) == 6
