"""Test limit files in DarkCast's format: reading, use in runs and slices, copies in run folders."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from zpfit.cli.options import parse_limits
from zpfit.errors import InvalidCurve
from zpfit.io.library import Library
from zpfit.io.yaml import parse_yaml
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.likelihood.darkcast import read_darkcast
from zpfit.likelihood.exclusions import Exclusion
from zpfit.likelihood.mass_coverage import mass_coverage
from zpfit.physics.constants import ELECTRIC_CHARGE
from zpfit.physics.couplings import COUPLING_NAMES, Couplings
from zpfit.runs.run_file import load_run

Command = Callable[..., str]

PROMPT = "#  mass  lower\n 1.0e-02 1.0e+05\n 2.0e-02 1.0e-03\n 4.0e-02 4.0e-03\n 5.0e-02 1.0e+05\n"
DUMP = "# mass lower upper\n1e-2 1e-5 1e-3\n2e-2 2e-5 4e-4\n"
RUN = "model: effective\nlikelihood: {set: paper_2021_cs}\n"


def write(path: str, text: str) -> None:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")


def assert_mentions(message: str, *words: str) -> None:
    for word in words:
        assert word in message, message


@pytest.fixture(autouse=True)
def files(workspace: Path) -> None:
    write("prompt.lmt", PROMPT)
    write("dump.lmt", DUMP)


def table(text: str) -> list[list[float]]:
    write("file.lmt", text)
    return read_darkcast(Path("file.lmt")).tolist()


def coupled(masses: list[float], **columns: list[float]) -> Couplings:
    n = len(masses)
    given = {name: np.array(values) for name, values in columns.items()}
    zero = dict.fromkeys(COUPLING_NAMES, np.zeros(n))
    return Couplings(**(zero | given | {"m_Zp": np.array(masses)}))


def run_with(additions: str) -> None:
    write("fit.yaml", f"model: effective\nlikelihood:\n  add: [{additions}]\n")


def exclusion(name: str) -> Exclusion:
    [found] = load_run(Path("fit.yaml")).posterior.likelihood.exclusions[-1:]
    assert found.name == name
    return found


# Reading


def test_masses_become_mev_and_ends_without_a_limit_go():
    assert table(PROMPT) == [[20, 1e-3], [40, 4e-3]]


def test_a_gap_between_limits_stays_a_gap():
    rows = "1e-2 1e-3\n2e-2 1e-3\n3e-2 1e5\n4e-2 1e-3\n"
    assert table(rows) == [[10, 1e-3], [20, 1e-3], [30, 1e5], [40, 1e-3]]


def test_of_rows_with_the_same_mass_the_weakest_limit_stays():
    assert table("1e-2 1e-3\n1e-2 2e-3\n2e-2 3e-3\n2e-2 3e-3\n") == [[10, 2e-3], [20, 3e-3]]
    rows = "1e-2 1e-5 1e-3\n1e-2 2e-5 2e-3\n2e-2 1e-5 1e-4\n"
    assert table(rows) == [[10, 2e-5, 1e-3], [20, 1e-5, 1e-4]]


def test_rows_at_mass_zero_go():
    assert table("0 1e-3\n2e-3 1e-3\n1e-2 1e-3\n") == [[2, 1e-3], [10, 1e-3]]


def test_comments_and_blank_lines_are_skipped():
    assert table("# a\n\n1e-2 1e-3 # b\n  # c\n2e-2 1e-3\n") == [[10, 1e-3], [20, 1e-3]]


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("", 1, ["no rows"]),
        ("# mass lower\n", 1, ["no rows"]),
        ("1e-2\n2e-2\n", 1, ["mass, lower", "'1e-2'"]),
        ("1e-2 1 2 3\n", 1, ["mass, lower, upper", "'1e-2 1 2 3'"]),
        ("1e-2 1e-3\n2e-2 1e-3 1e-2\n", 2, ["mass, lower are needed", "'2e-2 1e-3 1e-2'"]),
        ("1e-2 1e-3\n2e-2 small\n", 2, ["'2e-2 small'", "no number"]),
        ("1e-2 1e-3\n2e-2 -1e-3\n", 2, ["'0.02 -0.001'", "positive"]),
        ("1e-2 1e-3\n2e-2 nan\n3e-2 1e-3\n", 2, ["nan", "positive and finite"]),
        ("-1e-2 1e-3\n1e-2 1e-3\n2e-2 1e-3\n", 1, ["-0.01 0.001", "positive"]),
        ("1e-2 nan\n2e-2 1e-3\n3e-2 1e-3\n", 1, ["nan", "positive and finite"]),
        ("2e-2 1e-3\n1e-2 1e-3\n", 2, ["mass 0.01 follows 0.02", "sort"]),
        ("1e-2 1e5\n2e-2 1e-3\n", 1, ["at least 2 rows with a limit"]),
        ("1e-2 1e-3\n1e-2 1e-3\n", 2, ["at least 2 different masses"]),
        ("1e-2 1e-3 1e-5\n2e-2 1e-5 1e-3\n", 1, ["lower edge 0.001", "upper one 1e-05"]),
        ("1e-2 1e5 1e5\n2e-2 1e-5 1e-3\n3e-2 1e5 1e5\n", 1, ["at least 2 rows with a limit"]),
        ("1e-2 1e-3 1e-3\n2e-2 1e-4 1e-4\n", 1, ["edges are equal at every mass"]),
    ],
)
def test_mistake_in_a_limit_file(text: str, line: int, words: list[str]):
    with pytest.raises(InvalidCurve) as error:
        table(text)
    assert_mentions(str(error.value), f"file.lmt:{line}: ", *words)


# Recovery of the limit

QUARKS = {"C_Vu": 2 / 3, "C_Vd": -1 / 3}
PRODUCTIONS = {
    "{curve: prompt.lmt, production: pi0_gamma}": {"C_Ve": -1.0, **QUARKS},
    "{curve: prompt.lmt, search: invisible, production: pi0_gamma}": {"C_nue": 1e6, **QUARKS},
    "{curve: dump.lmt, length_ratio: 2, production: proton_bremsstrahlung}": {
        "C_Ve": -1.0,
        **QUARKS,
    },
}


@pytest.mark.parametrize("addition", PRODUCTIONS)
def test_recasting_with_another_production(addition: str):
    run_with(addition)
    name, mixing = ("dump", 2e-5) if "dump" in addition else ("prompt", 1e-3)
    size = ELECTRIC_CHARGE * mixing
    c = coupled([20.0], **{key: [f * size] for key, f in PRODUCTIONS[addition].items()})
    np.testing.assert_allclose(exclusion(name).ratio(c), 1, rtol=1e-6)


SEARCHES = {
    "visible": {"C_Ve": 1.0},
    "invisible": {"C_Ve": 1.0, "C_nue": 1e6},
    "muon_invisible": {"C_Vmu": 1.0, "C_numu": 1e6},
}


@pytest.mark.parametrize("search", SEARCHES)
def test_recasting_returns_the_prompt_limit(search: str):
    run_with(f"{{curve: prompt.lmt, search: {search}}}")
    masses = [20.0, np.sqrt(800), 40.0]
    size = ELECTRIC_CHARGE * np.array([1e-3, 2e-3, 4e-3])
    c = coupled(masses, **{name: list(f * size) for name, f in SEARCHES[search].items()})
    np.testing.assert_allclose(exclusion("prompt").ratio(c), 1, rtol=1e-6)
    assert not exclusion("prompt").ratio(coupled([19.9, 40.1], C_Ve=[1.0, 1.0])).any()


def test_recasting_returns_the_edges_of_a_dump():
    run_with("{curve: dump.lmt, length_ratio: 2}")
    edges = ELECTRIC_CHARGE * np.array([1e-5, 1e-3, 2e-5, 4e-4])
    ratio = exclusion("dump").ratio(coupled([10, 10, 20, 20], C_Ve=list(edges)))
    np.testing.assert_allclose(ratio, 1, rtol=1e-3)
    inside = exclusion("dump").ratio(coupled([10], C_Ve=[ELECTRIC_CHARGE * 1e-4]))
    assert inside[0] > 1


PARTS = ("1e-2 1e-5 1e-3\n2e-2 2e-5 4e-4\n", "4e-2 1e-4 1e-4\n5e-2 1e-4 3e-4\n6e-2 1e-4 2e-4\n")
"""Parts of a region with a gap at 30 MeV; the second one begins at its tip."""


def test_a_region_with_a_gap_is_the_region_of_its_parts():
    write("both.lmt", PARTS[0] + "3e-2 1e4 1e4\n" + PARTS[1])
    coupling = ELECTRIC_CHARGE * np.geomspace(1e-6, 1e-2, 41)
    masses = np.array([9.0, 10, 15, 20, 20.1, 25, 30, 35, 39.9, 40, 40.5, 50, 55, 60, 61])
    points = coupled(list(np.repeat(masses, 41)), C_Ve=list(np.tile(coupling, len(masses))))
    ratios = []
    for name, text in (("one", PARTS[0]), ("two", PARTS[1]), ("both", None)):
        if text:
            write(f"{name}.lmt", text)
        run_with(f"{{curve: {name}.lmt, length_ratio: 2}}")
        ratios.append(exclusion(name).ratio(points))
    np.testing.assert_array_equal(ratios[2], np.maximum(ratios[0], ratios[1]))
    covered = np.any(ratios[2].reshape(len(masses), 41) > 1, axis=1)
    assert masses[covered].tolist() == [10, 15, 20, 40.5, 50, 55, 60]


def test_at_a_tip_the_edges_meet():
    write("tip.lmt", "1e-2 1e-3 1e-3\n2e-2 5e-4 3e-3\n3e-2 1e-3 1e-3\n")
    run_with("{curve: tip.lmt, length_ratio: 2}")
    # Half of the way to the tip, in ln(mass), the edges are at their geometric means.
    edges = [1e-3, (1e-3 * 5e-4) ** 0.5, (1e-3 * 3e-3) ** 0.5]
    at = coupled([10, 200**0.5, 200**0.5], C_Ve=list(ELECTRIC_CHARGE * np.array(edges)))
    np.testing.assert_allclose(exclusion("tip").ratio(at), 1, rtol=1e-3)
    beside = coupled([10, 10], C_Ve=list(ELECTRIC_CHARGE * np.array([0.9e-3, 1.1e-3])))
    assert (exclusion("tip").ratio(beside) < 1).all()


ENTRY = """\
title: mine
measurement: mine
confidence_level: 0.9
citations: [{key: mine, arxiv: "1801.04847"}]
approximations: none
"""


@pytest.mark.parametrize(
    ("name", "kind", "ok"),
    [
        ("prompt", "prompt_limit", True),
        ("dump", "beam_dump", True),
        ("dump", "prompt_limit", False),
    ],
)
def test_an_entry_may_name_a_limit_file(accepted: Command, rejected: Command, name, kind, ok):
    text = ENTRY + f"curve: {name}.lmt\ntype: {kind}\n"
    text += "soft: {form: half_gaussian, power: 2, confidence_level: 0.9}\n"
    write("likelihoods/entries/mine.yaml", text + ("length_ratio: 2\n" if "dump" in kind else ""))
    write(f"likelihoods/entries/{name}.lmt", PROMPT if name == "prompt" else DUMP)
    write("fit.yaml", "model: effective\nlikelihood: {add: [mine]}\n")
    if ok:
        assert "valid" in accepted("validate", "fit.yaml")
    else:
        assert_mentions(rejected("validate", "fit.yaml"), "dump.lmt", "2 columns", "not 3")


# In run files


def test_a_bare_path_is_short_for_a_prompt_limit(accepted: Command):
    write("fit.yaml", "model: effective\nlikelihood:\n  add: [kloe_2015, prompt.lmt]\n")
    write("long.yaml", "model: effective\nlikelihood:\n  add: [kloe_2015, {curve: prompt.lmt}]\n")
    short, long = load_run(Path("fit.yaml")), load_run(Path("long.yaml"))
    assert short.data_hash() == long.data_hash()
    assert short.posterior.likelihood.name == "entries +kloe_2015 +prompt"
    assert "2 exclusions" in accepted("validate", "fit.yaml")


def test_a_limit_without_citations_is_told():
    source = "citations: [{key: A, journal: B 1}]"
    for limit, told in (("prompt.lmt", True), (f"{{curve: prompt.lmt, {source}}}", False)):
        write("fit.yaml", f"model: effective\nlikelihood: {{add: [kloe_2015, {limit}]}}\n")
        notes = " ".join(load_run(Path("fit.yaml")).notes)
        assert ("limit files without citations: prompt;" in notes) is told


def test_paths_are_relative_to_the_run_file(workspace: Path):
    write("deep/limits/own.lmt", PROMPT)
    write("deep/fit.yaml", "model: effective\nlikelihood: {add: [limits/own.lmt]}\n")
    [exclusion] = load_run(Path("deep/fit.yaml")).posterior.likelihood.exclusions
    assert exclusion.mass_range == pytest.approx((20, 40))


def test_added_limits_take_part_in_switches(workspace: Path):
    write("fit.yaml", "model: effective\nlikelihood: {add: [prompt.lmt], soft: [prompt]}\n")
    [exclusion] = load_run(Path("fit.yaml")).posterior.likelihood.exclusions
    assert exclusion.soft


@pytest.mark.parametrize(
    ("addition", "words"),
    [
        ("dump.lmt", ["fit.yaml:3: likelihood.add.0", "three columns", "needs length_ratio"]),
        ("{curve: none.lmt}", ["likelihood.add.0.curve", "no file 'none.lmt'", "relative"]),
        ("{curve: prompt.csv}", ["likelihood.add.0.curve", "'prompt.csv'", ".lmt"]),
        ("{curve: prompt.lmt, length_ratio: 2}", ["add.0.length_ratio", "two columns", "drop"]),
        ("{curve: dump.lmt, search: visible}", ["add.0.search", "three columns"]),
        ("{curve: prompt.lmt, final_state: muons}", ["add.0.final_state", "two columns", "search"]),
        (
            "{curve: prompt.lmt, search: muon_pair, production: pi0_gamma}",
            ["add.0.production", "muons radiate", "drop production"],
        ),
        ("{curve: prompt.lmt, production: pi0}", ["add.0.production", "'pi0_gamma'", "'pi0'"]),
        ("{curve: dump.lmt, length_ratio: -2}", ["add.0.length_ratio", "greater than 0"]),
        ("{curve: prompt.lmt, serch: visible}", ["add.0.serch", "did you mean 'search'"]),
        ("{curve: prompt.lmt, search: seen}", ["add.0.search", "'visible'", "'seen'"]),
        ("{search: visible}", ["likelihood.add.0.curve", "is missing"]),
        ("3", ["likelihood.add.0", "must be text", "3"]),
        ("prompt.lmt, prompt.lmt", ["add.1", "'prompt' is already there", "another name"]),
        ("kloe_2015, {curve: prompt.lmt, name: kloe_2015}", ["add.1", "another name"]),
        (
            "{curve: prompt.lmt, name: ../../mine}",
            ["add.0.name", "'../../mine'", "contain a folder"],
        ),
        ("{curve: prompt.lmt, name: ''}", ["add.0.name", "must not be empty"]),
    ],
)
def test_mistake_in_an_added_limit(rejected: Command, addition: str, words: list[str]):
    run_with(addition)
    assert_mentions(rejected("validate", "fit.yaml"), *words)


def test_a_broken_limit_file_names_its_line(rejected: Command):
    write("prompt.lmt", "1e-2 1e-3\n2e-2 x\n")
    write("fit.yaml", "model: effective\nlikelihood: {add: [prompt.lmt]}\n")
    assert_mentions(rejected("validate", "fit.yaml"), "prompt.lmt:2: ", "no number")


# Options

SMALL_RUN = """\
model: effective
likelihood: {add: [a_mu_2021]}
priors:
  parameters:
    {m_Zp: 17, C_Ve: 0, C_Ae: 0, C_nue: 0, C_Amu: 0, C_numu: 0,
     C_Vmu: {type: uniform, lower: 0, upper: 1e-3}}
sampler: {walkers: 32, max_steps: 40, target_ess: 50}
vegas: {max_evaluations: 300000, error: 0.1}
"""
OPTIONS = ("--limit", "prompt.lmt", "--limit", "dump.lmt:length_ratio=2:name=behind")


@pytest.mark.usefixtures("stopped_early")
def test_a_run_keeps_its_limit_files(rejected: Command, workspace: Path):
    write("deep/fit.yaml", SMALL_RUN)
    rejected("run", "deep/fit.yaml", "--output", "out", *OPTIONS)
    first = load_run(Path("out/config.yaml"))
    assert Path("out/data/limits/prompt.lmt").read_text(encoding="utf-8") == PROMPT
    kept = parse_yaml(Path("out/config.yaml").read_text(encoding="utf-8"), Path("c")).data
    assert [item["curve"] for item in kept["likelihood"]["add"][1:]] == [
        "limits/prompt.lmt",
        "limits/behind.lmt",
    ]
    for name in ("prompt.lmt", "dump.lmt"):
        Path(name).unlink()
    again = load_run(Path("out/config.yaml"))
    assert again.data_hash() == first.data_hash()
    names = [e.name for e in again.posterior.likelihood.exclusions]
    assert names[-2:] == ["prompt", "behind"]
    # Repeat the run into the same folder and into another one.
    rejected("run", "out", "--output", "out", "--force")
    rejected("run", "out", "--output", "second")
    assert load_run(Path("second/config.yaml")).data_hash() == first.data_hash()


def test_a_copy_of_the_limits_is_the_same_data(workspace: Path):
    write("fit.yaml", RUN)
    one = load_run(Path("fit.yaml"), limits=parse_limits(["prompt.lmt"]))
    write("elsewhere/prompt.lmt", PROMPT)
    two = load_run(Path("fit.yaml"), limits=parse_limits(["elsewhere/prompt.lmt"]))
    assert one.data_hash() == two.data_hash()
    assert one.data_hash() != load_run(Path("fit.yaml")).data_hash()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("prompt.csv", ["--limit prompt.csv", "write FILE.lmt", ":length_ratio=4"]),
        ("prompt.lmt:search", ["--limit prompt.lmt:search", "write FILE.lmt"]),
        ("prompt.lmt:search=", ["--limit prompt.lmt:search=", "write FILE.lmt"]),
        ("prompt.lmt:serch=visible", ["--limit prompt.lmt:serch=visible", "did you mean 'search'"]),
        ("dump.lmt", ["--limit dump.lmt: ", "needs length_ratio"]),
        ("dump.lmt:length_ratio=long", ["--limit dump.lmt:length_ratio=long", "a number"]),
        ("none.lmt", ["--limit none.lmt", "no file"]),
    ],
)
def test_mistake_in_an_option(rejected: Command, text: str, words: list[str]):
    write("fit.yaml", RUN)
    assert_mentions(rejected("run", "fit.yaml", "--limit", text), *words)
    plane = ("--x", "m_Zp=5:50", "--y", "C_Ae=5e-5:1e-3:log", "--likelihood", "paper_2021_cs")
    assert_mentions(rejected("exclusion", *plane, "--limit", text), *words)


def test_an_option_keeps_the_lines_of_the_file(rejected: Command):
    write("fit.yaml", "model: effective\nlikelihood: paper_2021_c\n")
    message = rejected("run", "fit.yaml", "--limit", "prompt.lmt")
    assert_mentions(message, "fit.yaml:2: likelihood.set", "did you mean 'paper_2021_cs'")


def test_an_exclusion_plot_with_a_limit_file(accepted: Command):
    plane = ("--x", "m_Zp=10:50", "--y", "C_Ve=1e-4:1e-2:log")
    entries = ("--set", "likelihood.add=[kloe_2015]")
    record = json.loads(accepted("exclusion", *plane, *entries, *OPTIONS, "--json"))
    regions = {r["name"]: r for r in record["regions"]}
    assert set(regions) == {"kloe_2015", "prompt", "behind", "allowed"}
    polygons = regions["prompt"]["polygons"]
    corners = np.array([corner for rings in polygons for ring in rings for corner in ring])
    assert corners[:, 0].min() == pytest.approx(20, rel=1e-3)
    assert corners[:, 1].min() == pytest.approx(1e-3 * ELECTRIC_CHARGE, rel=1e-3)


def test_a_slice_file_with_a_limit_file(accepted: Command):
    write(
        "maps/map.yaml",
        "likelihood:\n  add: [{curve: own.lmt, search: muon_invisible}]\n"
        "x: {parameter: m_Zp, lower: 10, upper: 50}\n"
        "y: {parameter: C_Vmu, lower: 1e-5, upper: 1e-2, scale: log}\nfix: {C_numu: 1}\n",
    )
    write("maps/own.lmt", PROMPT)
    record = json.loads(accepted("exclusion", "maps/map.yaml", "--json"))
    assert {r["name"] for r in record["regions"]} == {"own", "allowed"}


# Coverage of the curves


def test_reach_of_curves():
    spec = LikelihoodSpec(add=("kloe_2015", "bbn_2020"))
    likelihood = assemble(spec, Library.beside()).likelihood
    reach = mass_coverage(likelihood, np.array([1.0, 6.0, 100.0, 900.0]), 4.9)
    assert list(reach) == ["kloe_2015"]
    assert reach["kloe_2015"].mass_range == pytest.approx((5, 499), rel=1e-3)
    assert reach["kloe_2015"].posterior_outside == 0.5
    assert reach["kloe_2015"].best_fit_outside


def test_a_summary_says_how_far_curves_reach(small_run: Path):
    summary = json.loads((small_run / "summary.json").read_text(encoding="utf-8"))
    reach = summary["curve_reach"]
    assert set(reach) == {"babar_2014_envelope", "kloe_2015", "na64_2020"}
    mass = summary["best_fit"]["parameters"]["m_Zp"]
    for row in reach.values():
        low, high = row["mass_range_MeV"]
        assert row["best_fit_outside"] == (not low <= mass <= high)
        assert 0 <= row["posterior_outside"] <= 1
    assert summary["unverified"] == {}
