"""Descriptions of figures: files are recognised, and the block of a run reaches its figures."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.stats import binom, norm

import zpfit
from zpfit.analysis.coverage import Coverage
from zpfit.errors import InvalidInput
from zpfit.plots.coverage import coverage_figure
from zpfit.runs.coverage import RESULTS, coverage_record, write_coverage
from zpfit.runs.figure_file import FigureStyle
from zpfit.runs.file_kinds import check_files
from zpfit.runs.redrawing import draw_again

MUON = {
    "model": "L_mu-L_tau",
    "likelihood": "paper_2021_cs",
    "priors": {"parameters": {"m_Zp": 20, "eps": 0}},
    "figure": {"width": "prl", "title": "Muons"},
}
"""One free parameter, g_prime."""


def test_a_description_is_recognised_by_its_keys(tmp_path: Path):
    file = tmp_path / "letter.yaml"
    file.write_text('width: prl\ntitle: ""\n')
    [found] = check_files(str(file))
    assert (found.kind, found.name) == ("figure", "letter")
    file.write_text("width: prk\nhighlght: [na64_2020]\n")
    with pytest.raises(InvalidInput) as caught:
        check_files(str(file))
    assert "did you mean 'prl'" in str(caught.value)
    assert "did you mean 'highlight'" in str(caught.value)


def test_a_coverage_draws_its_figure_and_draws_it_again(tmp_path: Path):
    inside = np.array([0.5, 2.0, 0.1, 5.0])
    columns = {"toy": np.arange(4.0), "delta_chi2[g_prime]": inside}
    found = Coverage(
        "Muons", "m", "l", 1, {"g_prime": 5e-4}, columns, {"g_prime": "g'"}, {"width": "prl"}
    )
    record = coverage_record(found, "vegas")
    write_coverage(found, record, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(RESULTS)
    image = tmp_path / "coverage.png"
    assert plt.imread(image).shape[1] == pytest.approx(300 * 3.375, abs=2)
    style = FigureStyle(zpfit.Figure(width=5))
    again = draw_again(tmp_path, style=style)
    assert [path.name for path in again] == ["coverage.png", "coverage.pdf"]
    assert plt.imread(image).shape[1] == pytest.approx(300 * 5, abs=2)


def test_the_figure_of_a_coverage_shows_each_fraction_with_its_binomial_error():
    columns = {
        "toy": np.arange(4.0),
        "delta_chi2[x]": np.array([0.5, 2.0, 0.1, 5.0]),
        "rank[x]": np.array([0.5, 0.95, 0.5, 0.5]),
        "converged": np.ones(4),
    }
    found = Coverage("t", "m", "l", 1, {"x": 0.0}, columns, {"x": "X"})
    narrow, wide = coverage_figure(found.record()).axes
    points = [[one.lines[0].get_xdata()[0] for one in p.containers] for p in (narrow, wide)]
    assert points == [[0.5, 0.75], [0.75, 1.0]]  # profile likelihood and credible
    # Half of 4 trials: the binomial probability of as many or more, or fewer, is 15.87 %.
    [low, high] = narrow.containers[0].lines[2][0].get_segments()[0][:, 0]
    assert binom.sf(1, 4, low) == pytest.approx(norm.sf(1), rel=1e-4)
    assert binom.cdf(2, 4, high) == pytest.approx(norm.sf(1), rel=1e-4)
    assert [text.get_text() for text in narrow.get_yticklabels()] == ["$X$"]


@pytest.mark.slow
def test_the_block_of_a_run_describes_the_figures_of_its_pseudo_experiments():
    toys = zpfit.toys(MUON, 2, joint_sigma=False, progress=False)
    coverage = zpfit.coverage(MUON, {"g_prime": 5e-4}, 2, credible=False, progress=False)
    for found in (toys, coverage):
        assert found.record["figure"] == {"width": 3.375, "title": "Muons"}
        figure = found.plot()
        assert figure.get_size_inches()[0] == pytest.approx(3.375, abs=0.3)
        texts = {text.get_text() for text in figure.texts}
        assert any("Muons" in text for text in texts | {figure.get_suptitle()})
    plain = toys.plot(zpfit.Figure(title="Other"))
    assert "Muons" not in plain.get_suptitle()
