"""Descriptions of figures: files are recognised, and the block of a run reaches its figures."""

from pathlib import Path

import pytest

import zpfit
from zpfit.errors import InvalidInput
from zpfit.runs.file_kinds import check_files

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
