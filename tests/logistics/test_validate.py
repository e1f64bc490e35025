"""Broken scenarios: every fault of a file in one pass, each with place, value and repair; never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from logistics.templates import init, templates
from logistics.validate import load_scenario, validate
from solvers import registry
from solvers.errors import InvalidInputError

# name -> (text of the small template, what to put there, what the fault's place, value and code must say)
BROKEN: dict[str, tuple[str, str, tuple[str, str, str]]] = {
    "unknown key": ("horizon_days = 4", "horizon_dayz = 4", ("horizon_dayz", "4", "unknown-key")),
    "wrong type": ("horizon_days = 4", 'horizon_days = "four"', ("horizon_days", "four", "")),
    "horizon too long": ("horizon_days = 4", "horizon_days = 400", ("horizon_days", "400", "")),
    "unknown time zone": ('"Europe/Berlin"', '"Europe/Berlim"', ("timezone", "Berlim", "")),
    "start without offset": ("00:00:00+01:00", "00:00:00", ("start", "2026-03-02", "")),
    "wrong unit": ("slowdown_cv = 0.1", "slowdown_cv = 0.1\nspeeds_mph = [1]", ("speeds_mph", "", "")),
    "wrong unit in a stage": ("per_line_s = 12", "per_line_min = 12", ("per_line_min", "12", "wrong-unit")),
    "window reversed": ('["14:00", "18:00"]', '["18:00", "14:00"]', ("pickup_window", "18:00", "")),
    "not a clock time": ('["14:00", "18:00"]', '["14:99", "18:00"]', ("pickup_window", "14:99", "")),
    "missing file": ('kind = "great-circle"', 'kind = "osm"\npath = "none.pbf"', ("roads", "none.pbf", "")),
    "unset variable": ('kind = "great-circle"', 'kind = "osm"\npath = "$NO_SUCH_X/a"', ("roads", "$NO_SUCH_X", "")),
    "unknown kind of roads": ('kind = "great-circle"', 'kind = "bird"', ("roads.kind", "bird", "")),
    "latitude": ("lat = 52.31", "lat = 152.31", ("lat", "152.31", "")),
    "unknown station": ('station = "st-north"\nlon = 10.52\n', 'station = "st-nort"\nlon = 10.52\n', ("station", "st-nort", "")),
    "unknown vehicle": ('vehicle = "van"\ncount = 2', 'vehicle = "vam"\ncount = 2', ("vehicle", "vam", "")),
    "truck in the fleet": ('vehicle = "van"\ncount = 2', 'vehicle = "truck"\ncount = 2', ("fleet", "truck", "wrong-role")),
    "van on a lane": ('id = "wh-1:hub-1"\norigin = "wh-1"\ndestination = "hub-1"\nvehicle = "truck"', 'id = "wh-1:hub-1"\norigin = "wh-1"\ndestination = "hub-1"\nvehicle = "van"', ("lanes", "van", "wrong-role")),
    "lane from nowhere": ('origin = "wh-1"\ndestination', 'origin = "wh-9"\ndestination', ("origin", "wh-9", "")),
    "lane to itself": ('origin = "st-south"\ndestination = "hub-1"', 'origin = "hub-1"\ndestination = "hub-1"', ("lanes", "hub-1", "lane-to-itself")),
    "duplicate site": ('id = "st-south"\nkind', 'id = "st-north"\nkind', ("sites", "st-north", "duplicate-id")),
    "unreachable area": ('id = "hub-1:st-north"\norigin = "hub-1"\ndestination = "st-north"', 'id = "hub-1:st-north"\norigin = "hub-1"\ndestination = "st-south"', ("", "", "unreachable-area")),
    "warehouse that doesn't pack": ('name = "pack"', 'name = "pick"', ("sites", "", "")),
    "a digit too many": ("per_day = 420", "per_day = 42e6", ("demand.scale", "1.0", "too-large")),
    "a fleet without end": ('vehicle = "van"\ncount = 2', 'vehicle = "van"\ncount = 200000', ("fleet_scale", "1.0", "too-large")),
    "more than a number holds": ("capacity_g = 800000", "capacity_g = 800000000000000000000", ("capacity_g", "800000000000000000000", "out-of-range")),
    "a step longer than a week": ("service_s = 30", "service_s = 30e6", ("service_s", "30000000.0", "out-of-range")),
    "spread beyond sense": ("cv = 0.4", "cv = 40", ("cv", "40", "out-of-range")),
    "an army of pickers": ('["06:00", "22:00", 2]', '["06:00", "22:00", 1000000]', ("shifts", "1000000", "out-of-range")),
    "the end of the calendar": ("start = 2026-03-02T00:00:00+01:00", "start = 9999-12-31T00:00:00+01:00", ("scenario.start", "9999", "start-out-of-range")),
    "unknown column map": ("max_parcel_g = 15000", 'max_parcel_g = 15000\norder_file = {path = "broken.toml", warehouse = "wh-1", service = "next-day", map = "amazon"}', ("", "amazon", "missing-file")),
    "negative demand": ("per_day = ", "per_day = -", ("per_day", "-", "")),
    "unknown container": ('container = "cage"', 'container = "crate"', ("sort_plan", "crate", "")),
    "cyclic sort plan": ('container = "cage"  #', 'container = "cage"\nrows = [{ site = "hub-1", next = "st-south", area = "north", container = "cage" }, { site = "st-south", next = "hub-1", area = "north", container = "cage" }]  #', ("", "", "sort-plan-loop")),
    "two promises": ("promise_day = 0", "promise_day = 0\npromise_after_s = 60", ("services", "", "")),
    "unmarked input": ('delivery = "assumed', 'nonsense = "assumed', ("delivery", "", "unmarked-input")),
    "mark without a basis": ('roads = "assumed: round', 'roads = "guessed: round', ("basis", "guessed", "")),
    "speeds of a short day": ("speeds_kmh = [40, ", "speeds_kmh = [", ("speeds_kmh", "", "")),
    "no speed": ("speeds_kmh = [40, ", "speeds_kmh = [0, ", ("speeds_kmh", "0", "")),
    "a locker that closes": ("[delivery]", '[[disruptions]]\nkind = "site_closed"\ntarget = "locker-1"\nstarts = 2026-03-02T08:00:00+01:00\nends = 2026-03-02T18:00:00+01:00\n\n[delivery]', ("disruptions[0].target", "locker-1", "wrong-kind")),
    "a truck smaller than a parcel": ("capacity_ml = 30000000", "capacity_ml = 3000", ("max_parcel_ml", "120000", "parcel-too-large")),
    "a van smaller than a parcel": ("capacity_ml = 7000000", "capacity_ml = 7000", ("max_parcel_ml", "120000", "parcel-too-large")),
    "a cage smaller than a parcel": ("capacity_ml = 900000", "capacity_ml = 90", ("capacity_ml", "90", "container-too-small")),
    "doors that no van sees open": ('window = ["08:00", "21:00"]', 'window = ["01:00", "05:00"]', ("delivery.window", "01:00", "doors-closed")),
    "a start that is a number": ("start = 2026-03-02T00:00:00+01:00", "start = 0", ("scenario.start", "0", "bad-moment")),
    "a currency in small letters": ('"EUR"', '"eur"', ("currency", "eur", "bad-currency")),
    "an area as large as a planet": ("radius_m = 1800", "radius_m = 1e9", ("radius_m", "1000000000.0", "out-of-range")),
    "tables without end": ("schema = 1", "schema = 1\n" + "a" + ".a" * 3000 + " = 1", ("", "", "nested-too-deep")),
    "not TOML": ("schema = 1", "schema = = 1", ("line", "", "")),
}  # fmt: skip


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    return init("town", "small", tmp_path_factory.mktemp("small")).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_scenario_is_explained(name: str, small: str, tmp_path: Path) -> None:
    old, new, (place, value, code) = BROKEN[name]
    assert old in small
    path = tmp_path / "broken.toml"
    path.write_text(small.replace(old, new, 1), encoding="utf-8")
    faults = validate(path)
    assert faults
    assert any(place in f.place and value in f.value and code in f.code for f in faults), list(
        map(str, faults)
    )
    for fault in faults:
        assert fault.file
        assert fault.message
        assert fault.repair
        assert fault.code
    with pytest.raises(InvalidInputError) as caught:
        load_scenario(path)
    assert list(caught.value.faults) == faults


def test_all_faults_come_in_one_pass(small: str, tmp_path: Path) -> None:
    names = (
        "unknown key",
        "latitude",
        "unknown vehicle",
        "window reversed",
        "unmarked input",
        "unknown container",
    )
    text = small
    for name in names:
        text = text.replace(*BROKEN[name][:2], 1)
    path = tmp_path / "broken.toml"
    path.write_text(text, encoding="utf-8")
    faults = validate(path)
    for name in names:
        place, value, code = BROKEN[name][2]
        assert any(place in f.place and value in f.value and code in f.code for f in faults), name


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        (
            {"dispatch.solver": "ruin_recreate", "dispatch.parameters": '{foo = 1, split = "much"}'},
            {
                ("dispatch.parameters.foo", "unknown-parameter"),
                ("dispatch.parameters.split", "parameter-type"),
            },
        ),
        (
            {"dispatch.solver": "vroom"},
            {("dispatch.solver", "unsupported-feature")},
        ),
        ({"dispatch.solver": "no-such"}, {("dispatch.solver", "unknown-solver")}),
    ],
)
def test_what_is_wrong_with_the_solver_stands_beside_the_other_faults(
    changes: dict[str, str], wanted: set[tuple[str, str]], small: str, tmp_path: Path
) -> None:
    path = tmp_path / "town.toml"
    path.write_text(small.replace("horizon_days = 4", "horizon_dayz = 4"), encoding="utf-8")
    found = {(fault.place, fault.code) for fault in validate(path, changes)}
    assert wanted <= found
    assert ("scenario.horizon_dayz", "unknown-key") in found


def test_unknown_controllers_are_found_together(small: str, tmp_path: Path) -> None:
    path = tmp_path / "town.toml"
    path.write_text(small, encoding="utf-8")
    site = next(site for site in load_scenario(path).sites if site.kind == "warehouse")
    robots = '{kind = "goods_to_person", goods_to_person = {pod_selection = "nearset", task_allocation = "no-such"}}'
    faults = validate(path, {f"sites.{site.id}.storage": robots})
    found = {(fault.place.rpartition(".")[2], fault.value, fault.code) for fault in faults}
    assert found == {
        ("pod_selection", "nearset", "unknown-controller"),
        ("task_allocation", "no-such", "unknown-controller"),
    }
    assert any('"nearest"' in fault.repair for fault in faults)


def test_a_key_without_end(small: str, tmp_path: Path) -> None:
    path = tmp_path / "town.toml"
    path.write_text(small, encoding="utf-8")
    assert [f.code for f in validate(path, {".".join("x" * 3000): "1"})] == ["unknown-override"]


def test_a_solver_that_is_not_installed_is_found_before_the_run(small: str, tmp_path: Path) -> None:
    path = tmp_path / "town.toml"
    path.write_text(small, encoding="utf-8")
    codes = {fault.code for fault in validate(path, {"dispatch.solver": "hgs"})}
    assert codes in (
        {"missing-extra"},
        {"unsupported-feature"},
    )  # it lacks the features where it is installed


def test_a_solver_of_another_package_that_cannot_be_loaded_is_found_before_the_run(
    small: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = {
        **registry.registered(),
        "broken": registry.SolverInfo("broken", "not_there:Nope", "entry point"),
    }
    monkeypatch.setattr(registry, "registered", lambda: known)
    path = tmp_path / "town.toml"
    path.write_text(small, encoding="utf-8")
    (fault,) = validate(path, {"dispatch.solver": "broken"})
    assert (fault.place, fault.code) == ("dispatch.solver", "broken-solver")
    assert "ModuleNotFoundError" in fault.message


def test_volumes_of_a_service_without_a_wave_are_found(small: str, tmp_path: Path) -> None:
    path = tmp_path / "town.toml"
    path.write_text(small, encoding="utf-8")
    (tmp_path / "volumes.csv").write_text(
        "origin,area,service,hour,size_class,parcels\nshop-1,north,same-day,9,small,30\n", encoding="utf-8"
    )
    changes = {
        "demand.volumes": "volumes.csv",
        "dispatch.collection_waves": '[{at = ["14:00"], services = ["next-day"]}]',
    }
    assert [(f.place, f.value, f.code) for f in validate(path, changes)] == [
        ("dispatch.collection_waves", "same-day", "service-without-wave")
    ]


@pytest.mark.parametrize("template", templates())
def test_templates_have_no_faults(template: str, tmp_path: Path) -> None:
    assert validate(init("fresh", template, tmp_path)) == []


def test_an_order_file_without_its_columns_is_found_before_the_run(small: str, tmp_path: Path) -> None:
    path = tmp_path / "town.toml"
    path.write_text(small, encoding="utf-8")
    (tmp_path / "orders.csv").write_text("when,what\n2026-03-02,tea\n")
    faults = validate(
        path, {"demand.order_file": '{path = "orders.csv", warehouse = "wh-1", service = "next-day"}'}
    )
    assert {fault.code for fault in faults} == {"absent-column"}
    assert any("Quantity" in fault.message for fault in faults)


def test_files_as_windows_saves_them(small: str, tmp_path: Path) -> None:
    """A byte order mark and carriage returns change nothing, in the scenario and in its tables."""
    path = tmp_path / "town.toml"
    path.write_bytes(b"\xef\xbb\xbf" + small.replace("\n", "\r\n").encode())
    table = "\ufefforigin,area,service,hour,size_class,parcels\r\nshop-1,north,next-day,9,small,30\r\n"
    (tmp_path / "volumes.csv").write_bytes(table.encode())
    assert validate(path, {"demand.volumes": "volumes.csv"}) == []


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "unreadable-file"),
        ("origin,area\n".encode("utf-16"), "unreadable-file"),
        (b"origin;area;service;hour;size_class;parcels\nshop-1;north;next-day;9;small;30\n", "absent-column"),
        (b"origin,area,service,hour,size_class,parcels\nshop-1,north\n", "bad-number"),
    ],
)
def test_tables_that_are_none(small: str, tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "town.toml"
    path.write_text(small, encoding="utf-8")
    (tmp_path / "volumes.csv").write_bytes(content)
    assert code in {fault.code for fault in validate(path, {"demand.volumes": "volumes.csv"})}


@pytest.mark.parametrize(
    ("kind", "content"),
    [("osm", b"junk"), ("osm", b""), ("hourly-graph", b'{"edges": 3}'), ("graph", b"PK no archive")],
)
def test_roads_that_a_run_would_refuse(kind: str, content: bytes, small: str, tmp_path: Path) -> None:
    """All in one pass: the road file is read although something else is wrong as well."""
    path = tmp_path / "town.toml"
    path.write_text(small, encoding="utf-8")
    (tmp_path / "roads.pbf").write_bytes(content)
    changes = {"roads.kind": kind, "roads.path": "roads.pbf", "delivery.failure": "7"}
    found = {(Path(fault.file).name, fault.code) for fault in validate(path, changes)}
    assert ("town.toml", "out-of-range") in found
    assert {code for file, code in found if file == "roads.pbf"} & {"unreadable-file", "missing-key"}


def test_buildings_that_a_run_would_refuse(small: str, tmp_path: Path) -> None:
    path = tmp_path / "town.toml"
    path.write_text(small, encoding="utf-8")
    (tmp_path / "orders.csv").write_text(ORDERS)
    (tmp_path / "houses.pbf").write_bytes(b"junk")
    orders = (
        'path = "orders.csv", warehouse = "wh-1", service = "next-day", one_day = true, places = "buildings"'
    )
    cases = {
        "": ("town.toml", "missing-key"),
        ', buildings_path = "houses.pbf"': ("houses.pbf", "unreadable-file"),
    }
    for more, wanted in cases.items():
        faults = validate(path, {"demand.order_file": f"{{{orders}{more}}}"})
        assert [(Path(fault.file).name, fault.code) for fault in faults] == [wanted]


ORDERS = (
    "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    "1,1,TEA,6,2026-03-02 08:26:00,2.5,1,DE\n"
)


@pytest.mark.parametrize(
    ("key", "name", "text", "column"),
    [
        ("demand.order_file", "orders.csv", ORDERS.replace("Country", "Quantity"), "Quantity"),
        (
            "demand.volumes",
            "volumes.csv",
            "origin,area,service,hour,size_class,parcels,hour\nshop-1,north,next-day,9,small,30,10\n",
            "hour",
        ),
        (
            "catalogue.path",
            "items.csv",
            "code,category,weight_g,volume_ml,price_minor,handling,code\na,x,5,1,1,standard,b\n",
            "code",
        ),
        ("sort_plan.path", "plan.csv", "site,area,service,next,container,next\n", "next"),
    ],
)
def test_a_column_that_is_there_twice(
    key: str, name: str, text: str, column: str, small: str, tmp_path: Path
) -> None:
    path = tmp_path / "town.toml"
    path.write_text(small, encoding="utf-8")
    (tmp_path / name).write_text(text)
    value = '{path = "orders.csv", warehouse = "wh-1", service = "next-day", one_day = true}'
    faults = validate(path, {key: value if key == "demand.order_file" else name})
    found = [(Path(fault.file).name, fault.value) for fault in faults if fault.code == "duplicate-column"]
    assert found == [(name, column)]


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ("", [("", "no-items")]),
        ("a,x,1e30,1,1,standard\n", [("row 2, column weight_g", "bad-cell")]),
    ],
)
def test_a_catalogue_that_is_none(
    rows: str, wanted: list[tuple[str, str]], small: str, tmp_path: Path
) -> None:
    path = tmp_path / "town.toml"
    path.write_text(small, encoding="utf-8")
    (tmp_path / "items.csv").write_text("code,category,weight_g,volume_ml,price_minor,handling\n" + rows)
    faults = validate(path, {"catalogue.path": "items.csv"})
    assert [(fault.place, fault.code) for fault in faults] == wanted


def test_an_order_line_of_more_units_than_a_ship_carries(small: str, tmp_path: Path) -> None:
    path = tmp_path / "town.toml"
    path.write_text(small, encoding="utf-8")
    header = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
    rows = "".join(f"{k},1,TEA,{n},2026-03-02 08:26:00,2.5,1,DE\n" for k, n in enumerate((6, 10**9, 10**21)))
    (tmp_path / "orders.csv").write_text(header + rows)
    faults = validate(
        path, {"demand.order_file": '{path = "orders.csv", warehouse = "wh-1", service = "next-day"}'}
    )
    assert [(fault.place, fault.code) for fault in faults] == [
        (f"row {row}, column Quantity", "bad-number") for row in (3, 4)
    ]


@given(data=st.data())
def test_no_mutation_ends_in_a_traceback(
    data: st.DataObject, small: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    lines = small.splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        row = data.draw(st.integers(0, len(lines) - 1))
        kind = data.draw(st.sampled_from(("drop", "twice", "value")))
        if kind == "drop":
            del lines[row]
        elif kind == "twice":
            lines.insert(row, lines[row])
        else:
            value = data.draw(
                st.sampled_from(('""', "-1", "[]", "true", '"x"', "1e300", "{}", "nan", "[[1]]"))
            )
            lines[row] = lines[row].partition("=")[0] + f"= {value}"
    path = tmp_path_factory.mktemp("mutated") / "mutated.toml"
    path.write_text("\n".join(lines), encoding="utf-8")
    for fault in validate(path):
        assert fault.message
        assert fault.repair
