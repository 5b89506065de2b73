"""Entries with counts in bins: what they read, what they refuse, and how they are described."""

from pathlib import Path

import numpy as np
import pytest

from zpfit.errors import InvalidInput
from zpfit.io.library import Library
from zpfit.likelihood.build import Assembled, LikelihoodSpec, assemble
from zpfit.likelihood.describe import describe_value
from zpfit.physics.couplings import Couplings
from zpfit.physics.observables import Group, observable


def chosen(*names: str, **options: object) -> Assembled:
    return assemble(LikelihoodSpec(add=names, **options), Library.beside())  # type: ignore[arg-type]


@observable(
    reads=("m_Zp", "C_nue"), group=Group.OTHER, name="three_bins",
    spectrum=lambda c: np.outer(1 + c.C_nue, [5.0, 3.0, 1.0]),
)  # fmt: skip
def three_bins(c: Couplings) -> np.ndarray:
    return 1 + c.C_nue


ENTRY = """\
title: mine
type: binned
measurement: mine
observable: {}
curve: mine.csv
signal_error: 0.1
backgrounds: {}
nuisances: {{flux: 0.1}}
confidence_level: null
citations: [{{key: mine, arxiv: '2102.07781'}}]
approximations: none
"""
ROWS = "# mine\nlow,high,observed,noise\n0,1,7,2\n1,2,4,2.5\n2,4,1,0.5\n"


def write(text: str = ROWS, observable: str = "three_bins", backgrounds: str = "{noise: 0.2}"):
    folder = Path("likelihoods/entries")
    folder.mkdir(parents=True, exist_ok=True)
    entry = ENTRY.format(observable, backgrounds)
    (folder / "mine.yaml").write_text(entry, encoding="utf-8")
    (folder / "mine.csv").write_text(text, encoding="utf-8")


@pytest.mark.usefixtures("workspace")
def test_entries_of_users():
    write()
    built = chosen("mine")
    [term] = built.likelihood.measurements
    assert term.observed == (7, 4, 1)
    assert term.backgrounds == ((2, 2.5, 0.5),)
    [loaded] = built.entries
    text = describe_value(loaded)
    assert text == "12 events in 3 bins, signal ± 10 % ± 10 % (flux), 5 ± 20 % noise"
    assert sorted(Path(p).name for p in built.files()) == ["mine.csv", "mine.yaml"]


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"text": ROWS.replace("noise", "hum")}, r"mine\.csv:2: .*column 'noise' once, not 0"),
        ({"text": ROWS.replace("low", "noise")}, r"mine\.csv:2: .*column 'noise' once, not 2"),
        ({"text": ROWS.replace(",7,", ",7.5,")}, r"mine\.csv:3: observed 7\.5 must be a whole"),
        ({"text": ROWS.replace(",2.5", ",-1")}, r"mine\.csv:4: counts and expected .*>= 0"),
        ({"text": ROWS.replace(",2.5", ",inf")}, r"mine\.csv:4: counts and expected .*finite"),
        ({"text": ROWS.replace("1,2,4,2.5", "1,2,4")}, r"mine\.csv:4: 4 values"),
        ({"text": "# none\n"}, r"mine\.csv:1: the header must name column 'observed'"),
        (
            {"text": ROWS.replace("2,4,1,0.5\n", "")},
            r"has 2 bins, but three_bins predicts \(1, 3\)",
        ),
        ({"observable": "br_ee"}, r"observable: br_ee predicts no bins"),
        ({"backgrounds": "{noise: -1}"}, r"backgrounds\.noise: .*greater than 0"),
    ],
)
def test_faults_have_a_place(change, message):
    write(**change)
    with pytest.raises(InvalidInput, match=message):
        chosen("mine")


@observable(
    reads=("m_Zp", "C_nue"), group=Group.OTHER, name="four_bins",
    spectrum=lambda c: np.outer(1 + c.C_nue, [5.0, 3.0, 1.0, 1.0]),
    axes=(("e", (0.0, 1.0, 3.0)), ("t", (0.0, 0.25, 0.5))),
)  # fmt: skip
def four_bins(c: Couplings) -> np.ndarray:
    return 1 + c.C_nue


GRID = """\
e_low,e_high,t_low,t_high,observed,noise
0,1,0,0.25,7,2
0,1,0.25,0.5,4,2
1,3,0,0.25,3,2
1,3,0.25,0.5,2,2
"""
SWAPPED = GRID.splitlines(keepends=True)
SWAPPED[2], SWAPPED[3] = SWAPPED[3], SWAPPED[2]


@pytest.mark.usefixtures("workspace")
def test_bins_of_a_table_are_those_of_the_observable():
    write(GRID, "four_bins")
    assert chosen("mine").likelihood.measurements[0].observed == (7, 4, 3, 2)


@pytest.mark.usefixtures("workspace")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GRID.replace("1,3,0,0.25", "1,3,0,0.35"), r"mine\.csv:4: .*1, 3, 0, 0\.35, but .* 0\.25$"),
        ("".join(SWAPPED), r"mine\.csv:3: .*= 1, 3, 0, 0\.25, but .* 0, 1, 0\.25, 0\.5$"),
        (GRID.replace("t_low", "start"), r"mine\.csv:1: .*column 't_low' once, not 0 times"),
        (GRID.replace("1,3,0,0.25", "1,3,0,nan"), r"mine\.csv:4: .*nan, but the observable's"),
    ],
)
def test_tables_of_other_bins_are_refused(text, message):
    write(text, "four_bins")
    with pytest.raises(InvalidInput, match=message):
        chosen("mine")


@pytest.mark.usefixtures("workspace")
def test_two_binned_entries_cannot_share_a_nuisance():
    write()
    text = Path("likelihoods/entries/mine.yaml").read_text(encoding="utf-8")
    other = text.replace("measurement: mine", "measurement: other")
    Path("likelihoods/entries/other.yaml").write_text(other, encoding="utf-8")
    with pytest.raises(InvalidInput, match="'mine' and 'other' are binned and share nuisance 'flu"):
        chosen("mine", "other")


def test_the_count_and_the_bins_are_the_same_data():
    with pytest.raises(InvalidInput, match="both stand for the measurement"):
        chosen("coherent_csi_2021", "coherent_csi_2021_count")


def test_description_of_the_packaged_entry():
    [loaded] = chosen("coherent_csi_2021").entries
    text = describe_value(loaded)
    assert text.startswith("1567 events in 81 bins, signal ± 6.6 % ± 10 % (sns_flux), 1282 ± 2.1 %")
