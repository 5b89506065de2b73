"""Test the study of light vectors: tables of limits, published limits beside them, and the page."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from zpfit.analysis.exclusion.along import Interval, excluded_intervals
from zpfit.cli import cli
from zpfit.io.library import Library
from zpfit.physics.constants import ELECTRIC_CHARGE
from zpfit.runs.slice_file import load_slice
from zpfit.studies import light_vectors
from zpfit.studies.light_vectors import FOLDER, NUMBERS, PAGE
from zpfit.studies.light_vectors.limits import MASSES, Row, labels_of, limit_rows
from zpfit.studies.light_vectors.page import Plane, limit_table
from zpfit.studies.light_vectors.planes import VECTORS
from zpfit.studies.light_vectors.published import N_EFF_FLOOR, compare_published, n_eff_floor

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / PAGE).read_text(encoding="utf-8")
NAMES = [vector.slice_name(dark=dark) for vector in VECTORS for dark in (False, True)]


def recorded() -> dict:
    return json.loads((DOCS / FOLDER / NUMBERS).read_text(encoding="utf-8"))


def test_every_plane_is_a_packaged_slice_with_figure_and_numbers():
    assert set(NAMES) == {n for n in Library.beside().names("slice") if n.startswith("vectors_")}
    assert list(recorded()) == NAMES
    for name in NAMES:
        assert f"{FOLDER}/{name}.png" in TEXT
        assert [row["mass"] for row in recorded()[name]] == list(MASSES)


@pytest.fixture(scope="module")
def computed() -> dict[tuple[str, bool], Plane]:
    """Return the planes of two models, computed again."""
    planes = {}
    for vector in VECTORS[:2]:
        for dark in (False, True):
            chosen = load_slice(vector.slice_name(dark=dark))
            rows = tuple(limit_rows(chosen))
            planes[vector.model, dark] = Plane(vector, dark, rows, (), labels_of(chosen))
    return planes


def test_tables_of_the_page_are_what_the_code_computes(computed):
    for plane in computed.values():
        assert limit_table(plane) in TEXT
        for row, known in zip(plane.rows, recorded()[plane.name], strict=True):
            assert row.leading.name == known["leading"]["name"]
            assert row.leading.value == pytest.approx(known["leading"]["value"], rel=1e-4)


def at(plane: Plane, mass: float) -> Row:
    return next(row for row in plane.rows if row.mass == mass)


def test_limits_on_b_minus_l_follow_from_published_curves(computed):
    """NA64's limit on eps counts invisible decays: e eps_lim = g sqrt(BR), 3/5 below 2 m_mu."""
    chosen = load_slice("vectors_B-L")
    [exclusion] = [
        one
        for one in chosen.assembled.likelihood.exclusions
        if one.name == "na64_invisible_2023_annihilation"
    ]
    for mass in (10.0, 30.0, 100.0):
        limit = at(computed["B-L", False], mass).leading
        assert limit.name == exclusion.name
        dark = at(computed["B-L", True], mass).leading
        # 99 % dark, and 3/5 of the rest are neutrinos
        assert limit.value / dark.value == pytest.approx(math.sqrt(0.996 / 0.6), rel=2e-3)
    # 3.3e-5 of a dark photon at 17 MeV is published for the electron beam alone
    ours = at(computed["B-L", False], 17.0).leading.value
    assert ours * math.sqrt(0.6) / ELECTRIC_CHARGE == pytest.approx(3.5e-5, rel=0.1)


def test_limits_of_na64_on_muons(computed):
    """g' of L_mu-L_tau by arXiv:2401.01708: 5.3e-4 at 3 to 50 MeV, 5.6e-4 at 100 MeV."""
    for mass, published in ((10.0, 5.3e-4), (30.0, 5.3e-4), (100.0, 5.6e-4)):
        row = at(computed["L_mu-L_tau", False], mass)
        [found] = [one for one in (row.leading, row.second) if one.name == "na64mu_2024"]
        assert found.value == pytest.approx(published, rel=0.02)


def test_cosmology_stands_apart(computed):
    for (model, _), plane in computed.items():
        name = {"B-L": "bbn_mixed_2020", "L_mu-L_tau": "n_eff_2025"}[model]
        assert at(plane, 2.0).everything == (name,)
        assert at(plane, 100.0).everything == ()
        assert name not in {row.leading.name for row in plane.rows}


def test_the_standard_model_is_allowed():
    """No measurement excludes the smallest couplings where cosmology does not."""
    for vector in VECTORS:
        [intervals] = excluded_intervals(load_slice(vector.slice_name(dark=False)), [900.0])
        assert not [one for one in intervals if one.reaches_bottom]


def test_edges_are_those_of_the_traced_regions():
    chosen = load_slice("vectors_dark_photon")
    masses = [17.0, 17.0 * (1 + 1e-9)]
    first, second = excluded_intervals(chosen, masses)
    assert [one.name for one in first] == [one.name for one in second]
    for one, other in zip(first, second, strict=True):
        assert one.lower == pytest.approx(other.lower, rel=1e-5)
    by_name = {one.name: one for one in first}
    visible = by_name["na64_2020"]
    assert visible == Interval("na64_2020", visible.lower, visible.upper, False, False)
    # the published edges at 17 MeV
    assert (visible.lower, visible.upper) == pytest.approx((1.19e-4, 6.43e-4), rel=5e-3)
    kloe = by_name["kloe_2015"]
    assert kloe.reaches_top
    assert kloe.lower == pytest.approx(2.01e-3, rel=5e-3)


AGREEMENT = {
    "nue_texono_2010": (0.15, 0.30),
    "nue_borexino_2011": (-0.40, -0.25),
    "nue_charm2_nubar_1993": (0.40, 0.46),
    "na64_invisible_2019": (0.2, 1.0),
    "na64_invisible_2023_annihilation": (-0.4, -0.15),
    "na48_2015": (-3e-3, 3e-3),
    "charm_1985": (-1e-3, 1e-3),
    "nucal_pi0_1991": (-1e-3, 1e-3),
    "coherent_csi_2021": (-0.03, 0.03),
    "conus_plus_2025": (-0.04, 0.04),
}
"""Range of ours / published - 1 that the page states."""


def test_published_limits():
    for one in compare_published():
        low, high = AGREEMENT[one.published.entry]
        off = np.array(one.ratios) - 1
        assert np.all((low < off) & (off < high)), one.label
    assert n_eff_floor() == pytest.approx(N_EFF_FLOOR, rel=0.02)


@pytest.mark.drawn
@pytest.mark.slow
@pytest.mark.drawn
def test_the_command_writes_page_and_figures(tmp_path, monkeypatch):
    monkeypatch.setattr(light_vectors, "VECTORS", VECTORS[1:2])
    arguments = ["vectors", "--output", str(tmp_path)]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 0, result.output
    page = (tmp_path / PAGE).read_text(encoding="utf-8")
    start, end = (TEXT.index(f"## {vector.title}") for vector in VECTORS[1:3])
    assert TEXT[start:end].strip() in page
    for name in NAMES[2:4]:
        with (
            Image.open(tmp_path / FOLDER / f"{name}.png") as new,
            Image.open(DOCS / FOLDER / f"{name}.png") as kept,
        ):
            assert new.size == kept.size
            difference = np.abs(np.asarray(new, dtype=float) - np.asarray(kept, dtype=float))
            assert difference.mean() < 1
    again = CliRunner().invoke(cli, arguments)
    assert again.exit_code == 2
    assert "--force" in again.output
