"""Check the layout: imports run downwards, physics reads no files, the top level stays small."""

import ast
from functools import cache
from pathlib import Path

import pytest

import zpfit

PACKAGE = Path(zpfit.__file__).parent
FLOORS = {
    "errors": 0,
    "io": 1,
    "physics": 2,
    "models": 3,
    "likelihood": 4,
    "inference": 5,
    "analysis": 6,
    "plots": 7,
    "runs": 8,
    "interfaces": 9,
    "pages": 10,
    "api": 11,
    "studies": 12,
    "cli": 13,
}
"""Levels: a module may import from its own package and from lower levels."""
LONGEST_TEST_FILE = 600
"""Lines from which a file of tests holds more than one subject."""


def modules() -> list[Path]:
    return sorted(
        path for path in PACKAGE.rglob("*.py") if path.parent != PACKAGE or path.stem in FLOORS
    )


def name_of(path: Path) -> tuple[str, ...]:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


NAMES = {name_of(path) for path in modules()}


API = ("api",)
"""Whatever ``import zpfit`` offers comes from here."""


@cache
def imported(path: Path) -> set[tuple[str, ...]]:
    return imports_of(path.read_text(encoding="utf-8"))


def imports_of(code: str) -> set[tuple[str, ...]]:
    """Return the modules of zpfit that a module imports, also inside functions, as parts of
    names."""
    found = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "zpfit":
            base = tuple((node.module or "").split(".")[1:])
            for alias in node.names:
                inner = (*base, alias.name)
                is_module = inner in NAMES or (not base and alias.name in FLOORS)
                found.add(inner if is_module else base or API)
        elif isinstance(node, ast.Import):
            names = [a.name.split(".") for a in node.names]
            found |= {tuple(parts[1:]) or API for parts in names if parts[0] == "zpfit"}
    return found


@pytest.mark.parametrize(
    ("code", "modules"),
    [
        ("from zpfit import fit", {API}),
        ("import zpfit", {API}),
        ("def f():\n    from zpfit import Model as M", {API}),
        ("from zpfit import errors", {("errors",)}),
        ("import zpfit.io.yaml", {("io", "yaml")}),
        ("from zpfit.io import yaml", {("io", "yaml")}),
        ("from zpfit.io.yaml import parse_yaml", {("io", "yaml")}),
        ("import numpy\nfrom numpy import array", set()),
    ],
)
def test_every_way_to_import_is_seen(code: str, modules: set[tuple[str, ...]]) -> None:
    assert imports_of(code) == modules


def test_the_top_level_holds_packages_and_one_module() -> None:
    inside = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__", "__main__"}
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert inside == {"errors"}
    assert inside | packages == set(FLOORS)


def test_imports_run_downwards() -> None:
    upwards = {
        f"{'.'.join(own)} imports {'.'.join(name)}"
        for own, path in {name_of(path): path for path in modules()}.items()
        for name in imported(path)
        if name[0] != own[0] and FLOORS[name[0]] >= FLOORS[own[0]]
    }
    assert not upwards


def test_no_circles() -> None:
    graph = {name_of(path): imported(path) & NAMES for path in modules()}
    while leaves := {name for name, targets in graph.items() if not targets}:
        graph = {n: t - leaves for n, t in graph.items() if n not in leaves}
    assert not graph, f"circle among {sorted(graph)}"


def test_commands_call_the_public_functions_alone() -> None:
    # The studies stand above the API: they are analyses made with it, each with a page of its own.
    # Numbers, letters and logging of io serve every package and compute nothing.
    allowed = {"api", "errors", "io", "studies", "cli"}
    below = {
        f"{path.name}: {'.'.join(name)}"
        for path in (PACKAGE / "cli").glob("*.py")
        for name in imported(path)
        if name[0] not in allowed
    }
    assert not below


@pytest.mark.parametrize("package", ["physics", "inference/samplers"])
def test_physics_and_samplers_touch_no_files(package: str) -> None:
    # Compiled formulas are kept in files by one module only.
    for path in set((PACKAGE / package).glob("*.py")) - {PACKAGE / "physics" / "kernel_cache.py"}:
        names = {
            node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)
        }
        assert not names & {"open", "Path", "print"}


def test_samplers_know_no_physics() -> None:
    for path in (PACKAGE / "inference" / "samplers").glob("*.py"):
        assert not {name for name in imported(path) if name[0] == "physics"}


def test_files_of_tests_stay_short() -> None:
    lengths = {
        path.name: len(path.read_text(encoding="utf-8").splitlines())
        for path in Path(__file__).parent.rglob("*.py")
    }
    assert not {name: lines for name, lines in lengths.items() if lines > LONGEST_TEST_FILE}
