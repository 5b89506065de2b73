"""Test run files and their posteriors: priors, tied parameters, likelihoods, changes, places."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from zpfit.errors import OutsidePrior
from zpfit.inference.priors import (
    Fixed,
    LogUniform,
    Normal,
    Priors,
    SignedLogUniform,
    Tied,
    Uniform,
)
from zpfit.inference.problem import Problem
from zpfit.io.places import packaged_data
from zpfit.io.yaml import parse_yaml
from zpfit.runs.run_file import load_run

ONE_SIGMA = 0.841344746068543
"""Probability below one standard deviation."""

RUN = "model: effective\nlikelihood: paper_2021_cs\n"
PRIORS = """\
title: mine
model: effective
description: mine
parameters:
  m_Zp: {type: uniform, lower: 10, upper: 20}
  C_Ve: 0
  C_Ae: {type: uniform, lower: -1e-3, upper: 1e-3}
  C_nue: 0
  C_Vmu: {type: uniform, lower: -1e-2, upper: 1e-2}
  C_Amu: 0
  C_numu: 0
"""

Load = Callable[..., Problem]


@pytest.fixture
def load(workspace: Path) -> Load:
    """Write a run file and load it, with changes to it."""

    def write_and_load(text: str, changes: dict[str, str] | None = None) -> Problem:
        path = workspace / "fit.yaml"
        path.write_text(text, encoding="utf-8")
        return load_run(path, changes)

    return write_and_load


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def soft_exclusions(run: Problem) -> set[str]:
    return {e.name for e in run.posterior.likelihood.exclusions if e.soft}


def entry_names(run: Problem) -> list[str]:
    return [entry.name for entry in run.assembled.entries]


def packaged_entry(name: str) -> str:
    path = packaged_data() / "likelihoods" / "entries" / f"{name}.yaml"
    return path.read_text(encoding="utf-8")


def packaged_set(name: str) -> list[str]:
    path = packaged_data() / "likelihoods" / "sets" / f"{name}.yaml"
    return parse_yaml(path.read_text(encoding="utf-8"), path).data["entries"]


# Priors


@pytest.mark.parametrize(
    ("prior", "u", "expected"),
    [
        (Uniform(lower=-2, upper=4), [0, 0.25, 0.5, 1], [-2, -0.5, 1, 4]),
        (LogUniform(lower=1, upper=100), [0, 0.25, 0.5, 1], [1, np.sqrt(10), 10, 100]),
        (
            SignedLogUniform(lower=1e-8, upper=1e-2),
            [0, 0.25, 0.5, 0.75, 1],
            [-1e-2, -1e-5, 1e-8, 1e-5, 1e-2],
        ),
        (Normal(mean=3, sd=2), [1 - ONE_SIGMA, 0.5, ONE_SIGMA], [1, 3, 5]),
    ],
    ids=lambda value: getattr(value, "type", None),
)
def test_ppf_has_the_closed_form(prior, u, expected):
    np.testing.assert_allclose(prior.ppf(np.array(u, dtype=float)), expected, rtol=1e-12)


def test_parameters_with_one_kind_of_prior_have_their_own_bounds():
    """They are transformed together. No value leaves its bounds by rounding."""
    bounds = {"a": (1e-8, 1e-2), "b": (0.3, 7.0)}
    u = np.append(np.random.default_rng(1).random((500, 6)), [[0.0] * 6, [1.0] * 6], axis=0)
    kinds = (Uniform, LogUniform, SignedLogUniform)
    some = {f"{kind.__name__} {n}": kind(lower=x, upper=y)
            for kind in kinds for n, (x, y) in bounds.items()}  # fmt: skip
    found = Priors(some).transform(u)
    for index, (name, prior) in enumerate(some.items()):
        own, low, high = u[:, index], prior.lower, prior.upper
        power = np.abs(2 * own - 1) if isinstance(prior, SignedLogUniform) else own
        size = (
            low + own * (high - low) if isinstance(prior, Uniform) else low * (high / low) ** power
        )
        sign = np.where(own < 0.5, -1, 1) if isinstance(prior, SignedLogUniform) else 1
        np.testing.assert_allclose(found[name], sign * size, rtol=1e-14)
        assert np.all((np.abs(found[name]) >= low) & (np.abs(found[name]) <= high))


def test_the_signs_of_signed_log_uniform_meet_in_the_middle():
    below, above = SignedLogUniform(lower=1e-8, upper=1.0).ppf(np.array([0.5 - 1e-12, 0.5 + 1e-12]))
    assert below == pytest.approx(-1e-8, rel=1e-9)
    assert above == pytest.approx(1e-8, rel=1e-9)


PRIOR_KINDS = [
    Uniform(lower=-2, upper=4),
    LogUniform(lower=1e-3, upper=1e3),
    SignedLogUniform(lower=1e-8, upper=1e-1),
    Normal(mean=17, sd=0.5),
]


@pytest.mark.parametrize("prior", PRIOR_KINDS, ids=lambda prior: prior.type)
def test_cdf_inverts_ppf(prior):
    u = np.array([0.01, 0.2, 0.4999, 0.5001, 0.8, 0.99])
    np.testing.assert_allclose([prior.cdf(value) for value in prior.ppf(u)], u, atol=1e-12)


@pytest.mark.parametrize("prior", PRIOR_KINDS, ids=lambda prior: prior.type)
def test_the_ends_of_the_unit_interval_lie_in_the_support(prior):
    low, high = prior.support()
    ends = prior.ppf(np.array([0.0, 1.0]))
    slack = 1e-12 * (high - low)
    assert low - slack <= ends[0] < ends[1] <= high + slack


@pytest.mark.parametrize(
    ("prior", "value"),
    [
        (Uniform(lower=-2, upper=4), 4.5),
        (LogUniform(lower=1, upper=100), 0.5),
        (LogUniform(lower=1, upper=100), -3.0),
        (SignedLogUniform(lower=1e-8, upper=1e-1), 0.2),
        (SignedLogUniform(lower=1e-8, upper=1e-1), -0.2),
        (SignedLogUniform(lower=1e-8, upper=1e-1), 1e-9),
        (SignedLogUniform(lower=1e-8, upper=1e-1), 0.0),
    ],
)
def test_a_value_outside_its_prior_is_refused(prior, value):
    with pytest.raises(OutsidePrior, match=f"here: x = {value:g} .*{prior.type}.*widen"):
        Priors({"x": prior}).to_unit_cube({"x": value}, "here")


def test_fixed_and_tied_parameters_follow():
    priors = Priors(
        {
            "b": Tied(to="a", factor=-2.0),
            "a": Uniform(lower=0, upper=1),
            "d": Tied(to="c"),
            "c": Fixed(value=0.25),
        }
    )
    values = priors.transform(np.array([[0.1], [0.7]]))
    assert list(values) == ["b", "a", "d", "c"]
    np.testing.assert_array_equal(values["a"], [0.1, 0.7])
    np.testing.assert_array_equal(values["b"], [-0.2, -1.4])
    np.testing.assert_array_equal(values["c"], [0.25, 0.25])
    np.testing.assert_array_equal(values["d"], [0.25, 0.25])
    assert list(priors.free) == ["a"]
    assert set(priors.varying) == {"a", "b"}
    assert priors.support("b") == (-2, 0)
    assert priors.support("c") == (0.25, 0.25)


# Run files


def test_a_point_survives_the_unit_cube(load):
    posterior = load(RUN).posterior
    point = {"m_Zp": 18.0, "C_Ve": -3e-5, "C_Ae": 1e-4, "C_nue": -1e-7}
    point |= {"C_Vmu": 0.05, "C_Amu": -2e-3, "C_numu": 1e-6}
    back = posterior.parameters(posterior.priors.to_unit_cube(point)[None])
    for name, value in point.items():
        assert back[name][0] == pytest.approx(value, rel=1e-10)


def test_defaults(load):
    run = load(RUN)
    assert run.name == "fit"
    assert run.settings.seed == 1
    assert run.settings.sampler.ensembles == 2
    assert run.posterior.names == ("m_Zp", "C_Ve", "C_Ae", "C_nue", "C_Vmu", "C_Amu", "C_numu")
    assert run.posterior.priors.by_name["C_Vtau"] == Fixed(value=0.0)


def test_priors_of_a_run_replace_named_ones(load):
    run = load(
        RUN + "priors:\n"
        "  parameters:\n"
        "    m_Zp: 17\n"
        "    C_Ve: {type: normal, mean: 0, sd: 1e-3}\n"
        "    C_numu: {type: tied, to: C_Ve, factor: 3}\n"
    )
    by_name = run.posterior.priors.by_name
    assert by_name["m_Zp"] == Fixed(value=17.0)
    assert by_name["C_Ve"] == Normal(mean=0, sd=1e-3)
    assert by_name["C_numu"] == Tied(to="C_Ve", factor=3)
    assert by_name["C_Ae"] == SignedLogUniform(lower=1e-8, upper=1e-1)
    assert run.posterior.names == ("C_Ve", "C_Ae", "C_nue", "C_Vmu", "C_Amu")


def test_exponents_without_a_point_are_numbers(load):
    run = load(RUN + "priors: {parameters: {m_Zp: {type: log_uniform, lower: 1e-3, upper: 1E3}}}")
    assert run.posterior.priors.by_name["m_Zp"].support() == (0.001, 1000.0)


@pytest.mark.parametrize("word", ["no", "yes", "on", "off", "NO"])
def test_words_of_old_yaml_are_text(load, word):
    assert load(RUN + f"title: {word}\n").settings.title == word


@pytest.mark.parametrize(
    ("text", "value"),
    [("1e-3", 0.001), ("1E5", 1e5), ("12", 12), ("true", True), ('"1e-3"', "1e-3"), ("~", None)],
)
def test_yaml_scalars(text, value):
    data = parse_yaml(f"a: {text}", Path("x.yaml")).data
    assert data == {"a": value}
    assert type(data["a"]) is type(value)


# Likelihoods


def test_a_name_is_short_for_a_set(load):
    short = load(RUN)
    written_out = load("model: effective\nlikelihood: {set: paper_2021_cs}\n")
    assert entry_names(short) == entry_names(written_out) == packaged_set("paper_2021_cs")


def test_entries_are_added_and_dropped(load):
    run = load(
        "model: effective\n"
        "likelihood: {set: paper_2021_cs, drop: [babar_2014_envelope], add: [babar_2014]}\n"
    )
    names = set(packaged_set("paper_2021_cs"))
    assert set(entry_names(run)) == names - {"babar_2014_envelope"} | {"babar_2014"}


def test_entries_without_a_set(load):
    run = load("model: effective\nlikelihood: {add: [a_mu_2021, kloe_2015]}\n")
    assert entry_names(run) == ["a_mu_2021", "kloe_2015"]


EXCLUSIONS = {
    "bbn_2020",
    "white_dwarf_2013",
    "moller_e158_2005",
    "babar_2014_envelope",
    "kloe_2015",
    "na64_2020",
}


@pytest.mark.parametrize(
    ("likelihood", "soft"),
    [
        ("paper_2021_cs", set()),
        ("paper_2021_cs_soft", EXCLUSIONS),
        ("{set: paper_2021_cs, soft: [na64_2020, bbn_2020]}", {"na64_2020", "bbn_2020"}),
        ("{set: paper_2021_cs_soft, hard: [na64_2020]}", EXCLUSIONS - {"na64_2020"}),
        ("{add: [kloe_2015, na64_2020], soft: [kloe_2015]}", {"kloe_2015"}),
    ],
)
def test_soft_and_hard_switches(load, likelihood, soft):
    run = load(f"model: effective\nlikelihood: {likelihood}\n")
    assert soft_exclusions(run) == soft
    hard = {e.name for e in run.posterior.likelihood.hard}
    assert hard == set(entry_names(run)) & EXCLUSIONS - soft


# The user's own folders


@pytest.mark.parametrize("root", ["beside", "current"])
def test_own_entries_win_over_packaged_ones(workspace, root):
    run_file = workspace / "beside" / "fit.yaml"
    write(run_file, "model: effective\nlikelihood: {add: [a_mu_2021]}\n")
    folder = run_file.parent if root == "beside" else workspace
    own = packaged_entry("a_mu_2021").replace("2.51e-9", "4e-9")
    write(folder / "likelihoods" / "entries" / "a_mu_2021.yaml", own)
    assert load_run(run_file).posterior.likelihood.measurements[0].value == 4e-9


def test_own_entries_beside_the_run_file_win_over_the_current_folder(workspace):
    run_file = workspace / "beside" / "fit.yaml"
    write(run_file, "model: effective\nlikelihood: {add: [a_mu_2021]}\n")
    for folder, value in ((run_file.parent, "4e-9"), (workspace, "5e-9")):
        own = packaged_entry("a_mu_2021").replace("2.51e-9", value)
        write(folder / "likelihoods" / "entries" / "a_mu_2021.yaml", own)
    assert load_run(run_file).posterior.likelihood.measurements[0].value == 4e-9


def test_own_sets_win_over_packaged_ones(workspace, load):
    own = "title: t\ndescription: d\nexclusions: soft\nentries: [a_mu_2021, kloe_2015]\n"
    write(workspace / "likelihoods" / "sets" / "paper_2021_cs.yaml", own)
    run = load(RUN)
    assert entry_names(run) == ["a_mu_2021", "kloe_2015"]
    assert soft_exclusions(run) == {"kloe_2015"}


@pytest.mark.parametrize("name", ["effective", "mine"])
def test_own_priors_win_over_packaged_ones(workspace, load, name):
    write(workspace / "priors" / f"{name}.yaml", PRIORS)
    run = load(RUN + f"priors: {name}\n")
    assert run.posterior.names == ("m_Zp", "C_Ae", "C_Vmu")


def test_own_runs_win_over_packaged_ones(workspace, accepted):
    write(workspace / "runs" / "quickstart.yaml", "model: effective\nlikelihood: paper_2021_rb\n")
    assert "paper_2021_rb" in accepted("validate", "quickstart")


def test_a_folder_of_the_same_name_does_not_hide_a_named_run(workspace, accepted):
    (workspace / "quickstart").mkdir()
    assert "valid" in accepted("validate", "quickstart")


# Changes with --set


def test_changes_override_the_file(load):
    changes = {
        "seed": "7",
        "sampler.walkers": "64",
        "likelihood": "paper_2021_rb",
        "priors.parameters.m_Zp": "17",
        "priors.parameters.C_Ve": "{type: uniform, lower: -1e-3, upper: 1e-3}",
        "best_fit.points": "[{C_Ve: 0, C_Ae: 1e-4, C_nue: 1e-4, C_Vmu: 1e-4, C_Amu: 1e-4, "
        "C_numu: 1e-4}]",
    }
    run = load(RUN + "seed: 3\nsampler: {walkers: 32, max_steps: 50}\n", changes)
    assert run.settings.seed == 7
    assert (run.settings.sampler.walkers, run.settings.sampler.max_steps) == (64, 50)
    assert run.settings.likelihood.set == "paper_2021_rb"
    assert run.posterior.priors.by_name["m_Zp"] == Fixed(value=17.0)
    assert run.posterior.priors.by_name["C_Ve"] == Uniform(lower=-1e-3, upper=1e-3)
    assert run.settings.best_fit.points[0]["C_Ae"] == 1e-4


def test_a_change_below_a_bare_set_name_keeps_the_set(load):
    run = load(RUN, {"likelihood.drop": "[kloe_2015]"})
    assert run.settings.likelihood.set == "paper_2021_cs"
    assert set(entry_names(run)) == set(packaged_set("paper_2021_cs")) - {"kloe_2015"}


def test_a_change_below_a_bare_priors_name_keeps_the_priors(workspace, load):
    write(workspace / "priors" / "mine.yaml", PRIORS)
    run = load(RUN + "priors: mine\n", {"priors.parameters.m_Zp": "17"})
    assert run.posterior.names == ("C_Ae", "C_Vmu")


# Places


PLACES = """\
model: effective
sampler:

  walkers: 64
# a comment
best_fit:
  points:
    - {m_Zp: 1}
    - m_Zp: 2
      C_Ve: 3
"""


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        (["model"], "x.yaml:1: model"),
        (["sampler"], "x.yaml:2: sampler"),
        (["sampler", "walkers"], "x.yaml:4: sampler.walkers"),
        (["sampler", "target_ess"], "x.yaml:2: sampler.target_ess"),
        (["best_fit", "points", 0], "x.yaml:8: best_fit.points.0"),
        (["best_fit", "points", 0, "m_Zp"], "x.yaml:8: best_fit.points.0.m_Zp"),
        (["best_fit", "points", 1, "C_Ve"], "x.yaml:10: best_fit.points.1.C_Ve"),
        (["seed"], "x.yaml: seed"),
        ([], "x.yaml"),
    ],
)
def test_a_place_names_the_line_of_a_key_or_its_parent(keys, place):
    assert parse_yaml(PLACES, Path("x.yaml")).place(keys) == place


def test_a_changed_value_has_no_line_of_its_own():
    document = parse_yaml(PLACES, Path("x.yaml"))
    changed = document.with_value(("sampler", "walkers"), 3)
    assert changed.data["sampler"]["walkers"] == 3
    assert "4" not in changed.place(["sampler", "walkers"])
    assert document.data["sampler"]["walkers"] == 64
    assert document.place(["sampler", "walkers"]) == "x.yaml:4: sampler.walkers"
