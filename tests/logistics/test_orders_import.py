from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from logistics.importing import ColumnMap, cleaned, import_orders, load_map, read_lines
from logistics.importing import cleaning as reasons
from solvers.errors import InvalidInputError

UCI = load_map("uci-online-retail")
HEADER = "Invoice,StockCode,Description,Quantity,InvoiceDate,Price,Customer ID,Country"


def lines_of(folder: Path, *rows: str, name: str = "orders.csv", header: str = HEADER) -> Path:
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return path


def faults_of(source: Path, column_map: ColumnMap = UCI) -> list[tuple[str, str, str]]:
    with pytest.raises(InvalidInputError) as caught:
        read_lines(source, column_map)
    return [(fault.place, fault.value, fault.code) for fault in caught.value.faults]


def test_every_reason_counts_once(tmp_path: Path) -> None:
    source = lines_of(
        tmp_path,
        "1,22001,MUG,5,2010-11-01 10:00:00,2.5,7,UK",
        "1,22001,MUG,5,2010-11-01 10:00:00,2.5,7,UK",  # exact copy
        "1,22002,CUP,-5,2010-11-01 10:00:00,2.5,7,UK",  # negative
        "1,22002,CUP,,2010-11-01 10:00:00,2.5,7,UK",  # absent quantity
        "1,22003,JAR,1,2010-11-01 10:00:00,0,7,UK",  # no price
        "1,22003,JAR,1,2010-11-01 10:00:00,,7,UK",
        "1,post,POSTAGE,1,2010-11-01 10:00:00,9,7,UK",  # codes, case ignored
        "1,TEST001,TEST,1,2010-11-01 10:00:00,9,7,UK",
        "A1,B,Adjust bad debt,1,2010-11-01 10:00:00,9,7,UK",
        ",22004,POT,1,2010-11-01 10:00:00,9,7,UK",  # no order
        "1,,POT,1,2010-11-01 10:00:00,9,7,UK",  # no item
        "1,22004,POT,1,,9,7,UK",  # no time
        "1,22004,POT,1,2010-10-31 23:59:59,9,7,UK",  # too early
        "1,22004,POT,1,2010-12-01 00:00:00,9,7,UK",  # too late
        "2,22005,PAN,3,2010-11-02 10:00:00,4,,UK",  # without a customer, kept
        "C3,22001,MUG,-2,2010-11-03 10:00:00,2.5,7,UK",  # matched
        "C4,22001,MUG,-2,2010-11-01 10:00:00,2.5,7,UK",  # not earlier
        "C5,22005,PAN,-1,2010-11-05 10:00:00,4,,UK",  # nobody to match
        "C6,22009,BOX,-1,2010-11-05 10:00:00,4,7,UK",  # never bought
    )
    orders = cleaned(read_lines(source, UCI), UCI, datetime(2010, 11, 1), datetime(2010, 12, 1))
    assert orders.report.dropped == {
        reasons.INCOMPLETE: 3,
        reasons.OUTSIDE: 2,
        reasons.COPY: 1,
        reasons.NOT_MERCHANDISE: 3,
        reasons.NO_QUANTITY: 2,
        reasons.NO_PRICE: 2,
        reasons.UNMATCHED: 3,
    }
    assert orders.report.lines_read == 19
    assert orders.report.lines_kept == 3
    assert orders.report.adds_up
    assert orders.purchases.index.tolist() == [0, 14]
    assert orders.purchases["customer"].tolist() == ["7", ""]
    assert orders.cancellations["purchase"].tolist() == [0]
    assert orders.cancellations["quantity"].tolist() == [2]


def test_customers_can_be_required(tmp_path: Path) -> None:
    source = lines_of(
        tmp_path, "2,22005,PAN,3,2010-11-02 10:00:00,4,,UK", "3,22005,PAN,3,2010-11-02 10:00:00,4,8,UK"
    )
    strict = UCI.model_copy(update={"customers": UCI.customers.model_copy(update={"required": True})})
    report = cleaned(read_lines(source, strict), strict).report
    assert (report.lines_kept, report.dropped) == (1, {reasons.NO_CUSTOMER: 1})


def test_cancellations_take_the_latest_purchase_with_units_left(tmp_path: Path) -> None:
    source = lines_of(
        tmp_path,
        "1,22001,MUG,10,2010-11-01 10:00:00,2,7,UK",
        "2,22001,MUG,4,2010-11-02 10:00:00,2,7,UK",
        "3,22001,MUG,9,2010-11-04 10:00:00,2,7,UK",  # after both cancellations
        "4,22001,MUG,9,2010-11-02 10:00:00,2,8,UK",  # another customer
        "C9,22001,MUG,-3,2010-11-03 10:00:00,2,7,UK",
        "C8,22001,MUG,-5,2010-11-03 09:00:00,2,7,UK",  # earlier in time, later in the file
        "C7,22001,MUG,-20,2010-11-03 11:00:00,2,7,UK",
    )
    orders = cleaned(read_lines(source, UCI), UCI)
    taken = orders.cancellations
    assert list(zip(taken["order"], taken["purchase"], taken["quantity"], strict=True)) == [
        ("C8", 1, 4),
        ("C8", 0, 1),
        ("C9", 0, 3),
        ("C7", 0, 6),
    ]
    assert orders.units_unmatched == 14
    assert orders.report.lines_kept == 7


# dirty files made by hypothesis, against plain Python

cell = st.fixed_dictionaries(
    {
        "Invoice": st.sampled_from(["1", "2", "3", "C1", "C2", "c3", "A1", ""]),
        "StockCode": st.sampled_from(["22001", "22002", "POST", "m", "test99", "gift_0001_20", ""]),
        "Description": st.sampled_from(["MUG", ""]),
        "Quantity": st.sampled_from(["-7", "-1", "0", "1", "2", "12", ""]),
        "InvoiceDate": st.sampled_from(
            ["2010-11-01 08:00:00", "2010-11-02 08:00:00", "2010-11-02 08:01:00", "2010-12-24 09:00:00", ""]
        ),
        "Price": st.sampled_from(["-1", "0", "2.5", ""]),
        "Customer ID": st.sampled_from(["7", "8.0", ""]),
        "Country": st.sampled_from(["UK", "FR"]),
    }
)


def clean_in_python(
    rows: list[dict[str, str]],
) -> tuple[list[int], list[tuple[int, int, int]], dict[str, int]]:
    """Kept purchases, (cancellation, purchase, units), dropped by reason."""
    dropped: dict[str, int] = {}
    purchases, cancellations = [], []
    for number, row in enumerate(rows):
        cancels = row["Invoice"].upper().startswith("C")
        quantity = int(row["Quantity"] or 0)
        units = abs(quantity) if cancels else quantity
        if not (row["Invoice"] and row["StockCode"] and row["InvoiceDate"]):
            reason = reasons.INCOMPLETE
        elif row["InvoiceDate"] >= "2010-12":
            reason = reasons.OUTSIDE
        elif row in rows[:number]:
            reason = reasons.COPY
        elif row["StockCode"] in ("POST", "m", "test99", "gift_0001_20") or row["Invoice"] == "A1":
            reason = reasons.NOT_MERCHANDISE
        elif units <= 0:
            reason = reasons.NO_QUANTITY
        elif float(row["Price"] or 0) <= 0:
            reason = reasons.NO_PRICE
        else:
            (cancellations if cancels else purchases).append(number)
            continue
        dropped[reason] = dropped.get(reason, 0) + 1
    left = {number: int(rows[number]["Quantity"]) for number in purchases}
    matches = []
    for number in sorted(cancellations, key=lambda each: rows[each]["InvoiceDate"]):
        row = rows[number]
        wanted = abs(int(row["Quantity"]))
        candidates = [
            each
            for each in purchases
            if row["Customer ID"]
            and rows[each]["Customer ID"] == row["Customer ID"]
            and rows[each]["StockCode"] == row["StockCode"]
            and rows[each]["InvoiceDate"] < row["InvoiceDate"]
        ]
        found = False
        for each in sorted(candidates, key=lambda each: (rows[each]["InvoiceDate"], each), reverse=True):
            units = min(wanted, left[each])
            if units:
                matches.append((number, each, units))
                left[each] -= units
                wanted -= units
                found = True
        if not found:
            dropped[reasons.UNMATCHED] = dropped.get(reasons.UNMATCHED, 0) + 1
    return purchases, matches, dropped


@given(st.lists(cell, max_size=25))
def test_cleaning_equals_plain_python_and_adds_up(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, str]]
) -> None:
    source = tmp_path_factory.mktemp("dirty") / "dirty.csv"
    pd.DataFrame(rows, columns=HEADER.split(",")).to_csv(source, index=False)
    orders = cleaned(read_lines(source, UCI), UCI, to_time=datetime(2010, 12, 1))
    purchases, matches, dropped = clean_in_python(rows)
    taken = orders.cancellations
    assert orders.report.adds_up
    assert orders.report.lines_read == len(rows)
    assert orders.report.dropped == dropped
    assert orders.purchases.index.tolist() == purchases
    assert list(zip(taken.index, taken["purchase"], taken["quantity"], strict=True)) == matches
    assert orders.report.lines_kept == len(purchases) + len({number for number, *_ in matches})


def test_real_file_adds_up(data_dir: Callable[[str], Path], tmp_path: Path) -> None:
    source = data_dir("orders/uci-online-retail-2010.parquet")
    out = tmp_path / "clean.parquet"
    report = import_orders(source, "uci-online-retail", out)
    assert report.lines_read == 525_461
    assert report.adds_up
    assert report.dropped[reasons.COPY] == 6_865  # as pandas counts them in the raw file
    raw = pd.read_parquet(source).drop_duplicates()
    goods = raw[raw["StockCode"].str.match(r"\d{5}|DCGS|SP|PADS")]
    bought = goods[~goods["Invoice"].str.startswith("C") & (goods["Quantity"] > 0) & (goods["Price"] > 0)]
    table = pq.read_table(out).to_pandas()
    purchases = table[table["cancels"].isna()]
    assert len(purchases) == len(bought)
    assert purchases["quantity"].sum() == bought["Quantity"].sum()
    written = json.loads((tmp_path / "clean.report.json").read_text())
    assert written["lines_read"] == written["lines_kept"] + sum(written["dropped"].values())
    assert written["lines_kept"] == written["purchases"] + written["cancellations"]
    again = cleaned(read_lines(out, load_map("cleaned")), load_map("cleaned"))
    assert again.report.dropped == {}
    assert again.purchases["quantity"].sum() == purchases["quantity"].sum()
    assert again.cancellations["quantity"].sum() == -table["quantity"][table["quantity"] < 0].sum()


# reading


def test_times_of_every_kind(tmp_path: Path) -> None:
    columns = {"order": "o", "item": "i", "quantity": "q", "time": "t"}
    local = ColumnMap.model_validate({"columns": columns, "time": {"zone": "Europe/London"}})
    source = lines_of(
        tmp_path,
        "1,a,1,2010-07-01T10:00:00",
        "1,a,1,2010-07-01 09:00:00Z",
        "1,a,1,2010-07-01T17:00:00+08:00",
        "1,a,1,2010-12-01",
        header="o,i,q,t",
    )
    lines = read_lines(source, local)
    noon = datetime(2010, 7, 1, 10, tzinfo=ZoneInfo("Europe/London"))
    winter = datetime(2010, 12, 1, tzinfo=ZoneInfo("Europe/London"))
    assert lines["at_s"].tolist() == [round(noon.timestamp())] * 3 + [round(winter.timestamp())]
    assert (lines["wall_s"] % 86_400).tolist() == [36_000] * 3 + [0]
    american = ColumnMap.model_validate({"columns": columns, "time": {"format": "%m/%d/%Y %H:%M"}})
    source = lines_of(tmp_path, "1,a,1,12/1/2010 8:26", header="o,i,q,t")
    assert read_lines(source, american)["at_s"].tolist() == [1_291_191_960]


@pytest.mark.parametrize("zone", [None, "Asia/Shanghai"])
def test_parquet_timestamps(tmp_path: Path, zone: str | None) -> None:
    stamps = pd.Series(pd.to_datetime(["2010-07-01 10:00:00", None])).dt.tz_localize(zone)
    pd.DataFrame({"o": ["1", "1"], "i": [22, 23], "q": [1, 2], "t": stamps}).to_parquet(
        tmp_path / "o.parquet"
    )
    column_map = ColumnMap.model_validate(
        {
            "columns": {"order": "o", "item": "i", "quantity": "q", "time": "t"},
            "time": {"zone": "Europe/London"},
        }
    )
    lines = read_lines(tmp_path / "o.parquet", column_map)
    expected = datetime(2010, 7, 1, 10, tzinfo=ZoneInfo(zone or "Europe/London"))
    assert lines["at_s"][0] == round(expected.timestamp())
    assert lines["wall_s"][0] % 86_400 == (10 if zone is None else 3) * 3600
    assert lines["has_time"].tolist() == [True, False]
    assert lines["item"].tolist() == ["22", "23"]


def test_all_unreadable_cells_in_one_pass(tmp_path: Path) -> None:
    source = lines_of(
        tmp_path,
        "1,22001,MUG,five,2010-11-01 10:00:00,2.5,7,UK",
        "1,22001,MUG,1.5,yesterday,2.5,7,UK",
        "1,22001,MUG,1,2010-11-31 10:00:00,cheap,7,UK",
        "1,22001,MUG,inf,2010-11-30 10:00:00,1,7,UK",
    )
    assert faults_of(source) == [
        ("row 2, column Quantity", "'five'", "bad-number"),
        ("row 5, column Quantity", "'inf'", "bad-number"),
        ("row 3, column Quantity", "'1.5'", "bad-number"),
        ("row 4, column Price", "'cheap'", "bad-number"),
        ("row 3, column InvoiceDate", "'yesterday'", "bad-time"),
        ("row 4, column InvoiceDate", "'2010-11-31 10:00:00'", "bad-time"),
    ]


def test_a_long_list_of_faults_is_summed_up(tmp_path: Path) -> None:
    source = lines_of(tmp_path, *["1,22001,MUG,five,2010-11-01 10:00:00,2.5,7,UK"] * 300)
    found = faults_of(source)
    assert len(found) == 51
    assert found[-1] == ("column Quantity", "250 more cells, the last in row 301", "bad-number")


def test_absent_columns_are_all_named(tmp_path: Path) -> None:
    source = lines_of(tmp_path, "1,2", header="Invoice,When")
    codes = faults_of(source)
    assert {code for *_, code in codes} == {"absent-column"}
    assert len(codes) == 6


@pytest.mark.parametrize("name", ["none.csv", "broken.parquet", "latin.csv", "empty.csv"])
def test_unreadable_files(tmp_path: Path, name: str) -> None:
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 no")
    (tmp_path / "latin.csv").write_bytes(HEADER.encode() + b"\n1,2,caf\xe9,1,2010-11-01,1,1,UK\n")
    (tmp_path / "empty.csv").write_bytes(b"")
    code = "missing-file" if name == "none.csv" else "unreadable-file"
    assert [found[2] for found in faults_of(tmp_path / name)] == [code]


def test_alternative_names_and_coordinates(tmp_path: Path) -> None:
    column_map = ColumnMap.model_validate(
        {
            "columns": {
                "order": ["Invoice", "InvoiceNo"],
                "item": "StockCode",
                "quantity": "Quantity",
                "time": "InvoiceDate",
                "lon": "x",
                "lat": "y",
            },
            "cancellations": {"negative_quantity": True},
        }
    )
    header = "InvoiceNo,StockCode,Quantity,InvoiceDate,x,y"
    source = lines_of(tmp_path, "1,a,2,2010-11-01,9.5,47.1", "1,b,2,2010-11-01,,", header=header)
    lines = read_lines(source, column_map)
    assert lines["lon"].tolist()[0] == 9.5
    assert np.isnan(lines["lat"][1])
    assert cleaned(lines, column_map).report.lines_kept == 2  # no price column: none is missing
    source = lines_of(tmp_path, "1,a,2,2010-11-01,190,91", header=header)
    assert len(faults_of(source, column_map)) == 2


# maps


def test_faults_of_a_map(tmp_path: Path) -> None:
    path = tmp_path / "map.toml"
    path.write_text(
        '[columns]\norder = "o"\nitem = "i"\nquantity = "q"\n[time]\nzone = "Mars"\n[text]\nx = 1\n'
    )
    with pytest.raises(InvalidInputError) as caught:
        load_map("map.toml", tmp_path)
    assert sorted(fault.place for fault in caught.value.faults) == ["columns.time", "text.x", "time.zone"]
    path.write_text("[columns\n")
    with pytest.raises(InvalidInputError, match="toml-syntax"):
        load_map("map.toml", tmp_path)
    with pytest.raises(InvalidInputError, match="missing-file"):
        load_map("no-such-map", tmp_path)


@pytest.mark.parametrize("wrong", [{"lon": "x"}, {"lat": "y"}])
def test_half_coordinates_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="both lon and lat"):
        ColumnMap.model_validate(
            {"columns": {"order": "o", "item": "i", "quantity": "q", "time": "t", **wrong}}
        )


# the command's function


def test_import_writes_all_or_nothing(tmp_path: Path) -> None:
    bad = lines_of(tmp_path, "1,22001,MUG,five,2010-11-01 10:00:00,2.5,7,UK", name="bad.csv")
    out = tmp_path / "out" / "clean.parquet"
    with pytest.raises(InvalidInputError):
        import_orders(bad, "uci-online-retail", out)
    assert not out.parent.exists()
    good = lines_of(
        tmp_path,
        "1,22001,MUG,5,2010-07-01 10:00:00,2.5,7.0,UK",
        "C2,22001,MUG,-1,2010-07-02 10:00:00,2.5,7,UK",
    )
    import_orders(good, "uci-online-retail", out)
    assert sorted(path.name for path in out.parent.iterdir()) == ["clean.parquet", "clean.report.json"]
    again = cleaned(read_lines(out, load_map("cleaned")), load_map("cleaned"))
    assert again.purchases["order"].tolist() == ["1"]
    assert again.cancellations["order"].tolist() == ["C2"]
    assert (again.purchases["wall_s"] % 86_400).tolist() == [36_000]  # still London's clock
    assert again.report.dropped == {}


def test_a_failed_write_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = lines_of(tmp_path, "1,22001,MUG,5,2010-07-01 10:00:00,2.5,7,UK")
    out = tmp_path / "out" / "clean.parquet"

    def full(*_: object, **__: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="disk full"):
        import_orders(good, "uci-online-retail", out)
    assert list(out.parent.iterdir()) == []
