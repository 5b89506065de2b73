"""The house: imports run downwards only, physics knows no files, the command line starts lean."""

import ast
from pathlib import Path

import pytest

import zpfit

PACKAGE = Path(zpfit.__file__).parent
FLOORS = [
    {"cli", "__main__"},
    {"cli_report"},
    {"cli_interfaces", "cli_data"},
    {"cli_output"},
    {"completion"},
    {
        "terminal",
        "terminal_tension",
        "terminal_campaign",
        "terminal_compare",
        "terminal_exclusion",
        "terminal_profile",
        "terminal_paper",
        "terminal_data",
        "terminal_toys",
        "cli_explore",
    },
    {"export", "interfaces", "listing", "json_schema"},
    {"epochs"},
    {"comparison", "paper", "data_page", "citation_text", "explore", "report"},
    {"campaigning"},
    {"campaign_record"},
    {"campaign"},
    {"execution", "campaign_file"},
    {"fit", "tension", "compare", "profile", "toys", "exclusion_record", "bibliography"},
    {
        "summary",
        "checkpoint_files",
        "nested_export",
        "suspiciousness",
        "prior_sensitivity",
        "exclusion",
        "toy_block",
        "toy_folder",
    },
    {"slice_options", "fingerprint", "executors", "run_log"},
    {
        "sampling",
        "best_fit",
        "predictive",
        "parameter_goodness",
        "joint_sigma",
        "extremes",
        "slice_file",
        "profile_likelihood",
        "profiled_demands",
        "fast_joint_sigma",
        "fast_refit",
    },
    {"config", "plots", "data_check"},
    {
        "minmax",
        "posterior",
        "entry_text",
        "assembly",
        "added_limit",
        "evaluate",
        "model_library",
        "plane",
        "pseudo_data",
    },
    {"likelihood", "library", "run_folder", "curve_reach", "axis", "measurement_assembly"},
    {
        "darkcast_file",
        "entries",
        "inference_data",
        "limit_curve",
        "measurement_terms",
        "observables",
        "models",
        "points_file",
        "samplers",
    },
    {"priors", "diagnostics", "optimize", "significance", "empirical_p", "tracing", "regions"},
    {"schema", "progress", "checkpoint", "stopping", "physics", "limit_option", "pools"},
    {"yaml_file"},
    {"errors", "executor_choice", "messages", "live_view", "places", "model_names"},
]
"""From the top to the ground; a module may import from its own floor and below."""


def modules():
    return sorted(path for path in PACKAGE.rglob("*.py") if "data" not in path.parts)


def name_of(path):
    return path.relative_to(PACKAGE).with_suffix("").parts


def room(parts):
    """The module or subpackage directly below zpfit."""
    return parts[0] if parts else "__init__"


def imported(path):
    """Names below zpfit that a module imports, as parts."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "zpfit":
            yield tuple(node.module.split(".")[1:])
        elif isinstance(node, ast.Import):
            yield from (
                tuple(a.name.split(".")[1:]) for a in node.names if a.name.startswith("zpfit.")
            )


def floor(name):
    [found] = [index for index, rooms in enumerate(FLOORS) if name in rooms]
    return found


def test_every_module_has_a_floor():
    rooms = {room(name_of(path)) for path in modules()} - {"__init__"}
    assert rooms == set().union(*FLOORS)


@pytest.mark.parametrize("path", modules(), ids=lambda path: "/".join(name_of(path)))
def test_imports_run_downwards(path):
    own = room(name_of(path))
    if own == "__init__":
        return
    upwards = [name for name in imported(path) if name and floor(room(name)) < floor(own)]
    assert not upwards


def test_no_circles():
    graph = {name_of(path): {name for name in imported(path) if name} for path in modules()}
    graph = {name: {n for n in targets if n in graph} for name, targets in graph.items()}
    while leaves := {name for name, targets in graph.items() if not targets}:
        graph = {n: t - leaves for n, t in graph.items() if n not in leaves}
    assert not graph, f"circle among {sorted(graph)}"


@pytest.mark.parametrize("room_name", ["physics", "samplers"])
def test_physics_and_samplers_touch_no_files(room_name):
    # Except where compiled formulas are kept.
    for path in set((PACKAGE / room_name).glob("*.py")) - {PACKAGE / "physics" / "kernel_cache.py"}:
        names = {
            node.id for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Name)
        }
        assert not names & {"open", "Path", "print"}


def test_samplers_know_no_physics_beyond_array_types():
    for path in (PACKAGE / "samplers").glob("*.py"):
        assert {n for n in imported(path) if n[0] == "physics"} <= {("physics", "compiled")}
