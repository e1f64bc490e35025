"""What importing costs, and that compiled kernels are kept, dropped when stale, and announced when missing."""

from __future__ import annotations

import ast
import logging
import pkgutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import solvers
from solvers.compiled import drop_stale_cache

ROOT = Path(__file__).parents[2]
HEAVY = (
    "numpy",
    "numba",
    "ortools",
    "scipy",
    "pandas",
    "pyvrp",
    "vroom",
    "pydantic",
    "matplotlib",
    "plotly",
    "click",
)


def loaded(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(*[m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_loads_no_heavy_package() -> None:
    assert loaded("import solvers") == set()
    assert loaded("import solvers; solvers.registered()") == {"numpy"}
    assert loaded("import solvers.check, solvers.bench, solvers.auto") <= {"numpy", "pydantic"}


def test_public_names_are_the_same_for_type_checkers_and_at_run_time() -> None:
    tree = ast.parse(Path(solvers.__file__).read_text())
    told = [node for branch in tree.body if isinstance(branch, ast.If) for node in branch.body]
    homes = {
        alias.name: node.module for node in told if isinstance(node, ast.ImportFrom) for alias in node.names
    }
    assert sorted(homes) == sorted(solvers.__all__)
    for name, home in homes.items():
        assert getattr(solvers, name) is getattr(import_module(str(home)), name)
        assert name in dir(solvers)
    with pytest.raises(AttributeError, match="no attribute 'Problems'"):
        solvers.Problems  # noqa: B018


@pytest.mark.parametrize(
    "module", sorted(m.name for m in pkgutil.walk_packages(solvers.__path__, "solvers."))
)
def test_every_module_can_be_the_first(module: str) -> None:
    """No import order is needed to avoid a circle."""
    subprocess.run([sys.executable, "-c", f"import {module}"], cwd=ROOT, check=True)


def test_making_a_solver_loads_what_it_needs_only() -> None:
    assert "ortools" not in loaded("import solvers; solvers.make('ruin_recreate')")
    assert "numba" not in loaded("import solvers; solvers.make('ortools')")


def kernels(root: Path) -> Path:
    (root / "deep").mkdir(parents=True)
    for place in (root, root / "deep"):
        (place / "a.py").write_text("x = 1\n")
        (place / "__pycache__").mkdir()
        (place / "__pycache__" / "a.f-1.py311.nbi").write_text("compiled")
    return root / "deep"


def test_a_changed_helper_drops_what_was_compiled_from_it(tmp_path: Path) -> None:
    deep = kernels(tmp_path / "kernels")
    root = deep.parent
    assert drop_stale_cache("deep", deep, root)  # of unknown age
    (deep / "__pycache__" / "a.f-1.py311.nbi").write_text("compiled")
    assert not drop_stale_cache("deep", deep, root)
    (root / "a.py").write_text("x = 2\n")
    assert drop_stale_cache("deep", deep, root)
    assert not list((deep / "__pycache__").glob("*.nbi"))
    (tmp_path / "constants.py").write_text("x = 1\n")
    (deep / "__pycache__" / "a.f-1.py311.nbi").write_text("compiled")
    assert drop_stale_cache("deep", deep, root, tmp_path / "constants.py")
    (deep / "__pycache__" / "a.f-1.py311.nbi").write_text("compiled")
    (tmp_path / "constants.py").write_text("x = 2\n")
    assert drop_stale_cache("deep", deep, root, tmp_path / "constants.py")


def test_type_checkers_know_a_wrong_name(tmp_path: Path) -> None:
    (tmp_path / "user.py").write_text("from solvers import Problem, Problmes\nprint(Problem, Problmes)\n")
    command = [sys.executable, "-m", "mypy", "--config-file=", "--follow-imports=silent", "--cache-dir"]
    command += [str(tmp_path / "cache"), str(tmp_path / "user.py")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.count("error:") == 1
    assert 'Module "solvers" has no attribute "Problmes"' in done.stdout


def test_compiling_cold_is_announced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    deep = kernels(tmp_path / "kernels")
    with caplog.at_level(logging.WARNING, "solvers"):
        drop_stale_cache("deep", deep, deep.parent)
    assert "compiling deep" in caplog.text
    caplog.clear()
    drop_stale_cache("deep", deep, deep.parent, announced=False)
    assert caplog.text == ""
    (deep / "__pycache__" / "a.f-1.py311.nbi").write_text("compiled")
    drop_stale_cache("deep", deep, deep.parent)
    assert caplog.text == ""


def test_the_announcement_reaches_stderr(tmp_path: Path) -> None:
    deep = kernels(tmp_path / "kernels")
    code = (
        "import sys; from pathlib import Path; from solvers.compiled import drop_stale_cache\n"
        "deep = Path(sys.argv[1]); drop_stale_cache('deep', deep, deep.parent)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, deep], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == ""
    assert "compiling deep" in done.stderr


def test_ortools_uses_nothing_of_the_other_solvers() -> None:
    code = (
        "import sys\n"
        "from solvers import MaxIterations, make\n"
        "from tests.solvers.test_portfolio import scattered\n"
        "before = set(sys.modules)\n"
        "make('ortools', {'group_solutions': 10}).solve(scattered(30), MaxIterations(4), seed=1)\n"
        "print(*sorted(m for m in set(sys.modules) - before if m.startswith('solvers.')))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    used = set(done.stdout.split())
    assert "solvers.ortools_routing" in used
    others = ("kernels", "ruin_recreate", "genetic", "ant_colony", "alns", "savings", "decompose", "peers")
    assert not [m for m in used if m.split(".")[1] in others]
