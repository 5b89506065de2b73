"""Test the content of figures; their appearance is checked by eye."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from zpfit.analysis.summary import _scale
from zpfit.inference.problem import resolve
from zpfit.inference.samplers.result import StoredSamples
from zpfit.io.library import Library
from zpfit.io.yaml import dump_yaml, parse_yaml
from zpfit.plots.corner import corner_figure
from zpfit.plots.pulls import pulls_figure
from zpfit.plots.scales import Linear, Log, SignedLog, axis_label, scale_of
from zpfit.plots.style import house_style
from zpfit.plots.trace import trace_figure

pytestmark = pytest.mark.drawn

SIGNED = {"symbol": "C_{A e}", "unit": "", "scale": "signed_log", "lower": 1e-8}
MASS = {"symbol": "m_{Z'}", "unit": "MeV", "scale": "log", "lower": 1.0}


def samples(columns):
    rng = np.random.default_rng(0)
    shape = (2, 30, 40)
    draws = {
        "m_Zp": 10 ** rng.uniform(1, 2, shape),
        "C_Ae": rng.choice([-1, 1], shape) * 10 ** rng.uniform(-8, -3, shape),
        "constant": np.full(shape, 3.0),
    }
    attributes = {"m_Zp": MASS, "C_Ae": SIGNED, "constant": {**MASS, "scale": "linear"}}
    return StoredSamples(
        {name: draws[name] for name in columns},
        np.zeros(shape),
        {name: attributes[name] for name in columns},
    )


def test_signed_log_scale():
    values = np.array([-1e-3, -1e-8, 1e-8, 1e-6])
    np.testing.assert_allclose(SignedLog(1e-8).forward(values), [-5, 0, 0, 2], atol=1e-12)
    assert SignedLog(1e-8).forward(np.array([0.0]))[0] == 0


@pytest.mark.parametrize("scale", [SignedLog(1e-8), Log(), Linear()])
def test_ticks_lie_inside_and_have_labels(scale):
    figure = Figure()
    axes = figure.subplots()
    limits = (-5.5, 6.0) if not isinstance(scale, Log) else (0.9, 2.1)
    axes.set_xlim(*limits)
    scale.set_ticks(axes.xaxis, limits)
    figure.draw_without_rendering()
    ticks = axes.get_xticks()
    assert len(ticks) >= 3
    assert all(limits[0] < tick < limits[1] for tick in ticks)
    assert all(label.get_text() for label in axes.get_xticklabels())


def test_signed_log_labels_are_powers_of_ten_with_sign():
    figure = Figure()
    axes = figure.subplots()
    SignedLog(1e-8).set_ticks(axes.xaxis, (-6.5, 6.5))
    axes.set_xlim(-6.5, 6.5)
    figure.draw_without_rendering()
    labels = {
        round(t): x.get_text()
        for t, x in zip(axes.get_xticks(), axes.get_xticklabels(), strict=True)
    }
    assert labels[5] == "$10^{-3}$"
    assert labels[-5] == "$-10^{-3}$"
    assert labels[0] == "$0$"


def test_axis_labels_have_symbol_and_unit():
    assert axis_label(MASS) == "$m_{Z'}$ [MeV]"
    assert axis_label(SIGNED) == "$C_{A e}$"


def test_corner_leaves_out_constant_columns_and_marks_the_best_fit():
    best = {"m_Zp": 17.0, "C_Ae": -1.6e-4, "constant": 3.0}
    with house_style():
        figure = corner_figure(samples(["m_Zp", "C_Ae", "constant"]), best, "title")
    assert figure is not None
    assert len(figure.axes) == 3
    stars = [line for axes in figure.axes for line in axes.lines if line.get_marker() == "*"]
    [star] = stars
    np.testing.assert_allclose(star.get_xydata()[0], [np.log10(17), -np.log10(1.6e4)])


def test_corner_shows_a_best_fit_beyond_the_samples():
    with house_style():
        figure = corner_figure(samples(["m_Zp", "C_Ae"]), {"m_Zp": 900.0, "C_Ae": 0.1}, "title")
    low, high = figure.axes[1].get_xlim()
    assert low < np.log10(900) < high


def test_corner_of_constants_alone_is_no_figure():
    assert corner_figure(samples(["constant"]), {"constant": 3.0}, "title") is None


@pytest.mark.parametrize("columns", [["m_Zp"], ["m_Zp", "C_Ae"]])
def test_one_and_two_parameters(columns):
    best = {"m_Zp": 17.0, "C_Ae": 1e-4}
    with house_style():
        for figure in (
            corner_figure(samples(columns), best, "t"),
            trace_figure(samples(columns), "t"),
        ):
            figure.draw_without_rendering()


def test_pulls_of_likelihoods_without_measurements_or_exclusions():
    term = {"pull": 1.5, "chi2": 2.25}
    for terms, exclusions in (
        ({"a": term}, {}),
        ({}, {"b": {"ratio": 0.3}}),
        ({"a": term}, {"b": {"ratio": 0}}),
    ):
        point = {"chi2": 2.25, "terms": terms, "exclusions": exclusions}
        summary = {"title": "t", "best_fit": point, "no_zprime": point}
        with house_style():
            pulls_figure(summary).draw_without_rendering()


@pytest.mark.parametrize("factor", [-1.0, 0.0])
def test_parameters_tied_with_a_negative_or_zero_factor(factor):
    """The negative of a positive parameter needs a signed axis; zero times it is a constant."""
    settings = {
        "model": "effective",
        "likelihood": "paper_2021_cs",
        "priors": {
            "parameters": {
                "C_Vmu": {"type": "log_uniform", "lower": 1e-8, "upper": 0.1},
                "C_Ve": {"type": "tied", "to": "C_Vmu", "factor": factor},
            }
        },
    }
    run = resolve(parse_yaml(dump_yaml(settings), Path("tied.yaml")), Library.beside())
    assert ("C_Ve" in run.posterior.priors.varying) == (factor != 0)
    if factor:
        values = run.posterior.parameters(np.random.default_rng(0).random((100, 6)))["C_Ve"]
        scale = scale_of({"scale": "signed_log", "lower": 1e-8})
        expected = {"scale": "signed_log", "lower": 1e-8, "step": 0.0}
        assert _scale(run.posterior, "C_Ve") == expected
        assert np.isfinite(scale.forward(values)).all()
