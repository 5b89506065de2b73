"""Test the command line with valid input."""

import json
import math
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import arviz
import numpy as np
import pytest
from helpers_samplers import first_fast

from zpfit.io.places import packaged_data
from zpfit.io.yaml import read_yaml
from zpfit.runs.samples import load

pytestmark = pytest.mark.usefixtures("quick_fits")

Command = Callable[..., str]

COMMANDS = [
    *("run", "compare", "campaign", "tension", "certify", "paper", "epochs", "vectors"),
    *("x17", "atlas", "exclusion"),
    *(
        "profile",
        "limit",
        "toys",
        "coverage",
        "evaluate",
        "validate",
        "list",
        "show",
        "cite",
        "data",
    ),
    *("plot", "report", "explore", "export", "schema", "completion"),
]
SAMPLED = ["m_Zp", "C_Ve", "C_Ae", "C_Vmu"]
TIED = "C_numu"
PLOTS = ["corner.png", "corner.pdf", "pulls.png", "trace.png"]


def packaged_names(folder: str) -> list[str]:
    return sorted(path.stem for path in (packaged_data() / folder).glob("*.yaml"))


# Help


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_of_a_command(accepted: Command, command: str, option: str):
    assert f" {command} " in accepted(command, option).splitlines()[0]


def test_help_names_every_command_in_order(accepted: Command):
    _, _, listed = accepted("--help").partition("Commands:\n")
    assert [line.split()[0] for line in listed.splitlines()] == COMMANDS


def test_version(accepted: Command):
    assert accepted("--version").strip().count(".") == 2


def test_help_imports_nothing_heavy():
    heavy = ["numpy", "numba", "scipy", "matplotlib", "arviz", "pydantic", "rich", "ruamel"]
    snippet = (
        "import sys\n"
        "from zpfit.cli import cli\n"
        f"for words in ([], *([c] for c in {COMMANDS!r})):\n"
        "    cli([*words, '--help'], standalone_mode=False)\n"
        f"print('LOADED', [name for name in {heavy!r} if name in sys.modules])\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", snippet], capture_output=True, text=True, check=True
    )
    assert process.stdout.splitlines()[-1] == "LOADED []"


# list and show


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("models", ["effective"]),
        ("likelihoods", packaged_names("likelihoods/sets") + packaged_names("likelihoods/entries")),
        ("priors", packaged_names("priors")),
        ("runs", packaged_names("runs")),
    ],
)
def test_list(accepted: Command, kind: str, names: list[str]):
    listed = [line.split()[0] for line in accepted("list", kind).splitlines() if line.strip()]
    assert names
    assert set(names) <= set(listed)


def test_list_gives_titles_and_own_files(accepted: Command, workspace: Path):
    (workspace / "runs").mkdir()
    (workspace / "runs" / "mine.yaml").write_text("title: My own fit\n", encoding="utf-8")
    printed = accepted("list", "runs")
    assert "My own fit" in printed
    assert read_yaml(packaged_data() / "runs" / "quickstart.yaml").data["title"] in printed


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("effective", ["m_Zp", "C_nutau", "2102.07781", "priors effective", "signed_log_uniform"]),
        ("paper_2021_cs_soft", ["likelihood set", "exclusions: soft", "na64_2020"]),
        ("a_mu_2021", ["entry", "2.51e-9", "2104.03281", "approximations"]),
        ("quickstart", ["run quickstart", "target_ess"]),
    ],
)
def test_show(accepted: Command, name: str, words: list[str]):
    printed = accepted("show", name)
    for word in words:
        assert word in printed


@pytest.mark.parametrize("name", packaged_names("runs"))
def test_packaged_runs_are_valid(accepted: Command, name: str):
    assert f"{name}: valid" in accepted("validate", name)


# evaluate


PREDICTIONS = {
    "delta_a_e",
    "delta_a_mu",
    "paper_texono",
    "paper_borexino",
    "paper_charm2_nu",
    "paper_charm2_nubar",
    "paper_ccfr",
    "nue_texono",
    "nue_borexino",
    "nue_charm2_nu",
    "nue_charm2_nubar",
    "nue_lsnd",
    "trident_ccfr",
    "trident_charm2",
    "trident_nutev",
    "e158_sin2_theta",
    "br_ee",
    "br_inv",
    "pi_enu_ee",
    "delta_w_width",
    "delta_q_w_cs",
    "delta_q_w_p",
    "coherent_csi",
    "coherent_lar",
    "conus_plus",
    "n_eff",
    "axial_over_mass",
}
OF_THE_MIXING = {"z_pole_s2_eff", "z_pole_m_W", "z_pole_width", "dark_z_delta"}
"""Predictions that need the mixing with the Z, which effective couplings do not tell."""
MEASUREMENTS = {
    "a_e_cs_2018",
    "a_mu_2021",
    "texono_2010",
    "borexino_2011",
    "charm2_nu_1993",
    "charm2_nubar_1993",
    "ccfr_1991",
}
EXCLUSIONS = {
    "bbn_2020",
    "white_dwarf_2013",
    "moller_e158_2005",
    "babar_2014_envelope",
    "kloe_2015",
    "na64_2020",
}
ALLOWED = "m_Zp=18.5 C_Ve=-3.2e-5 C_Ae=-2.5e-4 C_nue=-8e-7 C_Vmu=5e-4 C_numu=-2.5e-6"
EXCLUDED = "m_Zp=5 C_Ve=1e-3 C_Ae=1e-3"
HEADER = "m_Zp,C_Ve,C_Ae,C_nue,C_Vmu,C_numu"
ROWS = ["18.5,-3.2e-5,-2.5e-4,-8e-7,5e-4,-2.5e-6", "5,1e-3,1e-3,0,0,0"]


def strict_json(text: str) -> Any:
    def refuse(word: str) -> None:
        raise AssertionError(f"{word} is no JSON")

    return json.loads(text, parse_constant=refuse)


def evaluated(accepted: Command, likelihood: str, *options: str) -> list[dict[str, Any]]:
    return strict_json(accepted("evaluate", "--likelihood", likelihood, "--json", *options))


@pytest.mark.parametrize("point", [ALLOWED, EXCLUDED, "m_Zp=17", "m_Zp=1e-4 C_Ve=1 C_Vmu=-1"])
@pytest.mark.parametrize("soft", [False, True])
def test_json_of_a_point(accepted: Command, point: str, *, soft: bool):
    name = "paper_2021_cs_soft" if soft else "paper_2021_cs"
    (result,) = evaluated(accepted, name, "--at", point)
    keys = {"predictions", "chi2", "pulls", "ratios", "chi2_total", "excluded_by"}
    assert set(result) == keys | {"couplings", "derived", "impossible"}
    assert set(result["predictions"]) == PREDICTIONS
    assert set(result["chi2"]) == (MEASUREMENTS | EXCLUSIONS if soft else MEASUREMENTS)
    assert set(result["pulls"]) == MEASUREMENTS
    assert set(result["ratios"]) == EXCLUSIONS
    assert result["chi2_total"] == pytest.approx(math.fsum(result["chi2"].values()), rel=1e-12)
    for entry, pull in result["pulls"].items():
        assert result["chi2"][entry] == pytest.approx(pull**2, rel=1e-12)
    above = {entry for entry, ratio in result["ratios"].items() if ratio > 1}
    assert set(result["excluded_by"]) == (set() if soft else above)


def test_an_allowed_and_an_excluded_point(accepted: Command):
    (allowed,) = evaluated(accepted, "paper_2021_cs", "--at", ALLOWED)
    (excluded,) = evaluated(accepted, "paper_2021_cs", "--at", EXCLUDED)
    assert allowed["excluded_by"] == []
    assert "bbn_2020" in excluded["excluded_by"]
    assert excluded["ratios"]["bbn_2020"] > 1


def test_soft_exclusions_enter_the_total(accepted: Command):
    (hard,) = evaluated(accepted, "paper_2021_cs", "--at", EXCLUDED)
    (soft,) = evaluated(accepted, "paper_2021_cs_soft", "--at", EXCLUDED)
    penalty = sum(soft["chi2"][entry] for entry in EXCLUSIONS)
    assert penalty > 1
    assert soft["chi2_total"] == pytest.approx(hard["chi2_total"] + penalty, rel=1e-12)
    assert soft["ratios"] == hard["ratios"]


def test_points_give_what_at_gives(accepted: Command, workspace: Path):
    (workspace / "points.csv").write_text("\n".join([HEADER, *ROWS]) + "\n", encoding="utf-8")
    points = evaluated(accepted, "paper_2021_cs", "--points", "points.csv")
    together = [evaluated(accepted, "paper_2021_cs", "--at", p)[0] for p in (ALLOWED, EXCLUDED)]
    options = [word for part in ALLOWED.split() for word in ("--at", part)]
    assert points == together
    assert evaluated(accepted, "paper_2021_cs", *options) == points[:1]


def test_parameters_left_out_are_zero(accepted: Command):
    short = evaluated(accepted, "paper_2021_rb", "--at", "m_Zp=20 C_Vmu=5e-4")
    zeros = " ".join(f"{name}=0" for name in ("C_Ve", "C_Ae", "C_nue", "C_Amu", "C_numu", "C_Vtau"))
    assert evaluated(accepted, "paper_2021_rb", "--at", f"m_Zp=20 C_Vmu=5e-4 {zeros}") == short


def test_tables_for_people(accepted: Command, workspace: Path):
    (workspace / "points.csv").write_text("\n".join([HEADER, *ROWS]) + "\n", encoding="utf-8")
    printed = accepted("evaluate", "--likelihood", "paper_2021_cs", "--points", "points.csv")
    for entry in MEASUREMENTS | EXCLUSIONS:
        assert printed.count(entry) >= 2
    assert "m_Zp = 18.5" in printed
    assert "excluded by bbn_2020" in printed
    assert "allowed by every hard exclusion" in printed


def test_table_of_soft_exclusions(accepted: Command):
    printed = accepted("evaluate", "--likelihood", "paper_2021_cs_soft", "--at", EXCLUDED)
    (result,) = evaluated(accepted, "paper_2021_cs_soft", "--at", EXCLUDED)
    (row,) = [line for line in printed.splitlines() if "bbn_2020" in line]
    assert f"{result['chi2']['bbn_2020']:.3f}" in row
    assert f"{result['chi2_total']:.4f}" in printed


# run


def summary_of(folder: Path) -> dict[str, Any]:
    return strict_json((folder / "summary.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def summary(small_run: Path) -> dict[str, Any]:
    return summary_of(small_run)


def test_files_of_a_run(small_run: Path):
    files = {path.name for path in small_run.iterdir()}
    assert {"config.yaml", "summary.json", "samples.nc", "log.txt", *PLOTS} <= files
    assert not [name for name in files if name.startswith(".partial")]
    for name in PLOTS:
        magic = b"%PDF" if name.endswith("pdf") else b"\x89PNG"
        assert (small_run / name).read_bytes().startswith(magic)
    log = (small_run / "log.txt").read_text(encoding="utf-8")
    assert "Sampling the posterior" in log
    assert "Done" in log


def test_head_of_the_summary(summary: dict[str, Any]):
    assert summary["model"] == "effective"
    assert summary["likelihood"] == "paper_2021_cs"
    assert summary["seed"] == 2021
    assert summary["wall_time_s"] > 0
    assert len(bytes.fromhex(summary["data_hash"])) == 32
    assert {"zpfit", "numpy", "scipy", "emcee", "arviz", "python"} <= set(summary["versions"])
    # Forty steps of 64 walkers hold no 2,000 effective samples, and the summary must say so.
    assert summary["converged"] is False
    assert any("sampler.max_steps" in text for text in summary["shortcomings"])


def test_best_fit_in_the_summary(summary: dict[str, Any]):
    best = summary["best_fit"]
    assert set(SAMPLED) | {TIED, "C_nue", "C_Vtau"} <= set(best["parameters"])
    assert best["parameters"][TIED] == -0.5 * best["parameters"]["C_Vmu"]
    assert best["parameters"]["C_nue"] == 0
    assert set(best["terms"]) == MEASUREMENTS
    for term in best["terms"].values():
        pull = (term["measured"] - term["prediction"]) / term["error"]
        assert term["pull"] == pytest.approx(pull, rel=1e-9)
        assert term["chi2"] == pytest.approx(term["pull"] ** 2, rel=1e-12)
    total = math.fsum(term["chi2"] for term in best["terms"].values())
    assert best["chi2"] == pytest.approx(total, rel=1e-12)
    assert best["chi2"] < summary["no_zprime"]["chi2"]


def test_the_best_fit_evaluates_to_its_chi2(accepted: Command, summary: dict[str, Any]):
    best = summary["best_fit"]
    point = " ".join(f"{name}={value!r}" for name, value in best["parameters"].items())
    (result,) = evaluated(accepted, "paper_2021_cs", "--at", point)
    assert result["chi2_total"] == pytest.approx(best["chi2"], rel=1e-9)
    assert result["excluded_by"] == []


def test_posterior_in_the_summary(summary: dict[str, Any]):
    assert set(summary["posterior"]) == {*SAMPLED, TIED}
    for row in summary["posterior"].values():
        assert {"median", "mean", "sd", "q05", "q16", "q84", "q95", "ess", "rhat"} < set(row)
        assert row["q05"] <= row["q16"] <= row["median"] <= row["q84"] <= row["q95"]
        assert row["sd"] > 0
        assert row["ess"] > 1
        assert row["rhat"] > 0.9


def test_samples_open_in_arviz(small_run: Path, summary: dict[str, Any]):
    data = arviz.from_netcdf(str(small_run / "samples.nc"))
    try:
        posterior = data.posterior
        assert set(posterior.data_vars) == {*SAMPLED, TIED}
        assert posterior.sizes["chain"] == 2
        assert posterior.sizes["draw"] >= 32
        for name in posterior.data_vars:
            values = posterior[name].to_numpy()
            row = summary["posterior"][name]
            assert np.median(values) == row["median"]
            assert np.mean(values) == pytest.approx(row["mean"], rel=1e-12)
            assert np.std(values) == pytest.approx(row["sd"], rel=1e-12)
            for key in ("q05", "q16", "q84", "q95"):
                assert np.quantile(values, int(key[1:]) / 100) == pytest.approx(row[key], rel=1e-12)
        np.testing.assert_array_equal(posterior[TIED], -0.5 * posterior["C_Vmu"])
    finally:
        data.close()


def test_resolved_run_file_is_valid(accepted: Command, small_run: Path):
    assert "4 sampled" in accepted("validate", small_run / "config.yaml")


def same_results(first: Path, second: Path) -> bool:
    summaries = [summary_of(folder) for folder in (first, second)]
    for summary in summaries:
        assert summary.pop("wall_time_s") > 0
    return summaries[0] == summaries[1]


def test_resolved_run_file_gives_the_same_run(accepted: Command, small_run: Path):
    accepted("run", small_run / "config.yaml", "--output", "again")
    assert same_results(small_run, Path("again"))
    config = (small_run / "config.yaml").read_text(encoding="utf-8")
    assert Path("again/config.yaml").read_text(encoding="utf-8") == config


@pytest.mark.slow
def test_the_same_seed_gives_the_same_run(small_run: Path, replaced_run: Path):
    assert same_results(small_run, replaced_run)
    first, second = (load(folder / "samples.nc") for folder in (small_run, replaced_run))
    np.testing.assert_array_equal(first.log_likelihood, second.log_likelihood)
    for name, values in first.values.items():
        np.testing.assert_array_equal(values, second.values[name])


@pytest.mark.usefixtures("stopped_early")
def test_seed_and_changes_are_kept_in_the_resolved_run_file(rejected: Command):
    rejected("run", "quickstart", "--output", "out", "--seed", "11", "--set", "sampler.walkers=64")
    settings = read_yaml(Path("out/config.yaml")).data
    assert settings["seed"] == 11
    assert settings["sampler"]["walkers"] == 64


OWN_SET = "title: t\ndescription: d\nexclusions: hard\nentries: [a_mu_2021, mine]\n"


def own_likelihood(folder: Path, curve: str) -> None:
    """Write a user's own set, with an entry whose curve lies at ``curve``."""
    entries, packaged = folder / "likelihoods" / "entries", packaged_data() / "likelihoods/entries"
    (entries / curve).parent.mkdir(parents=True)
    text = (packaged / "kloe_2015.yaml").read_text(encoding="utf-8")
    (entries / "mine.yaml").write_text(text.replace("kloe_2015.csv", curve), encoding="utf-8")
    shutil.copyfile(packaged / "kloe_2015.csv", entries / curve)
    (folder / "likelihoods" / "sets").mkdir()
    (folder / "likelihoods" / "sets" / "own.yaml").write_text(OWN_SET, encoding="utf-8")


@pytest.mark.usefixtures("stopped_early")
@pytest.mark.parametrize("curve", first_fast("curves/mine.csv", "mine.csv"))
@pytest.mark.parametrize("likelihood", ["own", "{add: [mine]}"])
def test_resolved_run_file_stands_alone(
    accepted: Command, rejected: Command, workspace: Path, curve: str, likelihood: str
):
    own_likelihood(workspace / "mine", curve)
    run_file = workspace / "mine" / "fit.yaml"
    run_file.write_text(f"model: effective\nlikelihood: {likelihood}\n", encoding="utf-8")
    rejected("run", run_file, "--output", "out")
    shutil.rmtree(workspace / "mine")
    assert "1 exclusion" in accepted("validate", "out/config.yaml")


# plot


def test_plot_draws_again(accepted: Command, small_run: Path, workspace: Path):
    folder = workspace / "run"
    shutil.copytree(small_run, folder)
    for name in PLOTS:
        (folder / name).unlink()
    printed = accepted("plot", "run")
    for name in PLOTS:
        assert name in printed
        assert (folder / name).is_file()
    assert summary_of(folder) == summary_of(small_run)


def test_a_point_without_a_likelihood(accepted: Command):
    options = ("--model", "L_mu-L_tau", "--at", "m_Zp=12 g_prime=5e-4")
    (result,) = strict_json(accepted("evaluate", "--json", *options))
    assert result["couplings"]["C_Vmu"] == pytest.approx(5e-4)
    assert result["derived"]["zS_vS"] == pytest.approx(12 / 5e-4, rel=1e-9)
    assert set(result["predictions"]) == PREDICTIONS | OF_THE_MIXING
    assert result["chi2"] == {}
    printed = accepted("evaluate", *options)
    assert "delta_a_mu" in printed
    assert "chi2" not in printed


@pytest.mark.parametrize("command", ["run", "evaluate"])
def test_help_keeps_its_examples_apart(accepted: Command, command: str):
    lines = accepted(command, "--help").splitlines()
    assert sum(line.strip().startswith(f"zpfit {command} ") for line in lines) >= 3
    assert not any("\\b" in line or "\x08" in line for line in lines)


def test_options_of_a_model_in_a_file(accepted: Command):
    assert "option mass: m_Zp or zS_vS" in accepted("show", "B-L")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize(
    "arguments", [("--version",), pytest.param(("list", "models"), marks=pytest.mark.slow)]
)
def test_a_full_standard_output_is_named(arguments):
    with Path("/dev/full").open("w") as full:
        process = subprocess.run(
            [sys.executable, "-m", "zpfit", *arguments],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert process.returncode == 2
    assert process.stderr == "error: standard output: No space left on device\n"
