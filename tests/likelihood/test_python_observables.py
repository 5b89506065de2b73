"""Test a Python function of the couplings as the observable of a user's own entry."""

import json
import textwrap
from pathlib import Path

import numpy as np
import pytest

from zpfit.errors import InvalidInput, InvalidObservable
from zpfit.io.library import Library
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.likelihood.check import check_data
from zpfit.likelihood.observables import guarded
from zpfit.physics.couplings import Couplings
from zpfit.runs.run_file import load_run

ENTRY = """\
title: Mine
type: gaussian
measurement: mine
observable: {python: "my.py:product"}
value: 2.0e-8
error: 1.0e-8
confidence_level: 0.683
citations: [{key: "Nobody:2027xx", journal: "in preparation"}]
approximations: None.
"""
RUN = """\
title: Mine
model: effective
likelihood: {set: paper_2021_cs, add: [mine]}
priors: {use: effective}
"""
PRODUCT = """\
def product(c):
    return c.C_Ve * c.C_nue + 1e-8
"""
C = Couplings.of(m_Zp=[17.0, 20.0], C_Ve=[1e-4, -1e-4], C_nue=1e-4)


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)

    def write(code: str = PRODUCT, entry: str = ENTRY) -> Library:
        (tmp_path / "likelihoods/entries").mkdir(parents=True, exist_ok=True)
        (tmp_path / "likelihoods/entries/mine.yaml").write_text(entry)
        (tmp_path / "my.py").write_text(textwrap.dedent(code))
        (tmp_path / "fit.yaml").write_text(RUN)
        return Library.beside(tmp_path / "fit.yaml")

    return write


def built(library: Library):
    return assemble(LikelihoodSpec(add=("mine",)), library)


def test_a_function_of_the_couplings_is_compared_with_the_measurement(own):
    assembled = built(own())
    [term] = assembled.likelihood.measurements
    np.testing.assert_allclose(term.prediction(C), [2e-8, 0.0], atol=1e-20)
    np.testing.assert_allclose(assembled.likelihood.chi2(C), [0.0, 4.0], atol=1e-10)
    assert term.observable.name == "my.py:product"
    assert assembled.code == ("observable of entry 'mine' = my.py:product",)
    assert not [note for note in assembled.notes() if "point by point" in note]


def test_its_group_is_stated_in_the_entry(own):
    assembled = built(own(entry=ENTRY.replace('product"', 'product", group: scattering')))
    assert list(assembled.likelihood.by_group) == ["scattering"]


DECLARED = """\
from zpfit.physics.observables import Group, observable

@observable(reads=("C_Ve", "C_nue"), group=Group.SCATTERING, symbol="P")
def product(c):
    return c.C_Ve * c.C_nue + 1e-8
"""


@pytest.mark.parametrize("group", ["", ", group: scattering"])
def test_a_function_keeps_the_group_and_couplings_of_its_declaration(own, group: str):
    assembled = built(own(DECLARED, ENTRY.replace('product"', f'product"{group}')))
    assert list(assembled.likelihood.by_group) == ["scattering"]
    [term] = assembled.likelihood.measurements
    assert term.observable.reads == ("C_Ve", "C_nue")
    assert (term.observable.name, term.observable.symbol) == ("my.py:product", "P")


def test_a_group_that_contradicts_the_declaration_is_refused(own):
    with pytest.raises(InvalidInput, match=r"'muon' in the entry but 'scattering'.*leave out"):
        built(own(DECLARED, ENTRY.replace('product"', 'product", group: muon')))


def test_a_copy_of_a_file_may_declare_the_same_function(own, tmp_path: Path):
    library = own(DECLARED)
    built(library)
    (tmp_path / "copy.py").write_text(DECLARED)
    (tmp_path / "likelihoods/entries/mine.yaml").write_text(ENTRY.replace("my.py", "copy.py"))
    [term] = built(Library.beside(tmp_path / "fit.yaml")).likelihood.measurements
    assert term.observable.reads == ("C_Ve", "C_nue")


def test_a_function_of_one_point_is_called_point_by_point(own):
    code = """\
        import math
        def product(c):
            return math.sqrt(c.C_Ve**2) if c.C_Ve > 0 else c.br_inv
        """
    assembled = built(own(code))
    [term] = assembled.likelihood.measurements
    np.testing.assert_allclose(term.prediction(C), [1e-4, C.br_inv[1]], rtol=1e-12)
    [note] = [note for note in assembled.notes() if "point by point" in note]
    assert "my.py:product" in note


def test_an_upper_limit_may_bound_a_function(own):
    entry = ENTRY.replace("type: gaussian", "type: upper_limit").replace("value: 2.0e-8\n", "")
    entry = entry.replace("error: 1.0e-8", "limit: 1.0e-8")
    entry += "soft: {form: half_gaussian, power: 1, confidence_level: 0.683}\n"
    [exclusion] = built(own(entry=entry)).likelihood.exclusions
    np.testing.assert_allclose(exclusion.ratio(C), [2.0, 0.0], atol=1e-12)


def test_correlated_functions_and_names(own):
    entry = ENTRY.replace("gaussian", "correlated")
    for old, new in (
        ("observable: {python", "observables: [br_ee, {python"),
        ('product"}', 'product"}]'),
        ("value: 2.0e-8", "values: [0, 0]\ncorrelation: [[1, 0.5], [0.5, 1]]"),
        ("error: 1.0e-8", "errors: [0.1, 1.0e-8]"),
    ):
        entry = entry.replace(old, new)
    names = [term.name for term in built(own(entry=entry)).likelihood.measurements]
    assert names == ["mine[br_ee]", "mine[my.py:product]"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("c.C_Ve * c.C_nue", "c.nothing", ["my.py:2", "AttributeError", "nothing"]),
        ("return c.C_Ve * c.C_nue", "raise ValueError('no') #", ["my.py:2", "ValueError: no"]),
        ("c.C_Ve * c.C_nue + 1e-8", "[1.0, 2.0, 3.0]", ["a prediction", "shape (3,)"]),
        ("return c.C_Ve * c.C_nue", "return 'x'; 0", ["a prediction", "'x'"]),
        ("c.C_Ve * c.C_nue + 1e-8", "c.C_Ve / c.C_Ve", ["is NaN at m_Zp = 17"]),
        ("def product", "def produkt", ["has no 'product'", "'produkt'"]),
        ("def product(c):", "import missing_module\ndef product(c):", ["cannot be imported"]),
        ("def product(c):", "product = 3\ndef other(c):", ["is no function"]),
    ],
)
def test_mistakes_in_the_function(own, old: str, new: str, words: list[str]):
    assert old in PRODUCT
    with np.errstate(all="ignore"), pytest.raises(InvalidInput) as failure:
        built(own(PRODUCT.replace(old, new)))
    text = str(failure.value)
    assert "mine.yaml: observable" in text
    assert all(word in text for word in ["my.py:product", *words]), text
    assert isinstance(failure.value.causes[0], InvalidObservable)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"my.py:product"', '"your.py:product"', ["is not found"]),
        ('"my.py:product"', '"my.py"', ["must be file.py:object"]),
        ('"my.py:product"', '"../my.py:product"', ["folder of the run file"]),
        ('python: "my.py:product"', "group: other", ["python", "is missing"]),
        ('python: "my.py:product"', "pyton: x", ["unknown key", "python"]),
        ('{python: "my.py:product"}', "[3]", ["observable", "text"]),
    ],
)
def test_mistakes_in_the_entry(own, old: str, new: str, words: list[str]):
    with pytest.raises(InvalidInput) as failure:
        built(own(entry=ENTRY.replace(old, new)))
    text = str(failure.value)
    assert all(word in text for word in words), text


def test_nan_at_a_point_of_the_fit_is_named():
    function = guarded("mine", lambda c: np.where(c.C_Ve > 0.5, np.nan, c.C_Ve))
    with pytest.raises(InvalidObservable, match=r"NaN at m_Zp = 17, C_Ve = 0\.7"):
        function(Couplings.of(m_Zp=17.0, C_Ve=[0.1, 0.7]))
    # Couplings that are NaN belong to impossible points.
    assert np.isnan(function(Couplings.of(m_Zp=17.0, C_Ve=[0.1, np.nan]))[1])


def test_reading_listing_and_checking_run_no_code(own, invoke):
    library = own("raise SystemExit('was run')\n")
    assert not [p for p in check_data(library).problems if "mine" in p]
    assert "my.py:product" in invoke("show", "mine").output
    with pytest.raises(InvalidInput, match="not loaded here"):
        assemble(LikelihoodSpec(add=("mine",)), library, allow_code=False)
    with pytest.raises(InvalidInput, match="was run"):
        built(library)


def test_validate_names_the_code(own, accepted):
    own()
    assert "runs Python code: observable of entry 'mine' = my.py:product" in accepted(
        "validate", "fit.yaml"
    )
    assert "my.py:product" in json.loads(accepted("validate", "fit.yaml", "--json"))["code"]


def test_the_run_depends_on_the_file_and_keeps_it(own, tmp_path: Path):
    own()
    run = load_run(tmp_path / "fit.yaml")
    assert run.files()["my.py"] == tmp_path / "my.py"
    before = run.data_hash()
    own(PRODUCT.replace("1e-8", "2e-8"))
    assert load_run(tmp_path / "fit.yaml").data_hash() != before


def test_former_names_work_with_a_note(own):
    assembled = built(own(entry=ENTRY.replace('{python: "my.py:product"}', "texono")))
    [term] = assembled.likelihood.measurements
    assert term.observable.name == "paper_texono"
    [note] = [note for note in assembled.notes() if "'texono'" in note]
    assert "'paper_texono'" in note
    assert "'mine'" in note
