"""The script of the docs checks proofs on its own, and refuses wrong ones."""

import copy
import hashlib
import importlib.util
import json
import subprocess
import sys
from functools import cache
from pathlib import Path

import mpmath
import pytest

import zpfit

SCRIPT = Path(__file__).parents[2] / "docs" / "check_certificate.py"


def script():
    spec = importlib.util.spec_from_file_location("check_certificate", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CHECKER = script()


@cache
def certificate(run="paper_sm_u1", sigma=3.0):
    return zpfit.certify(run, sigma=sigma, tree=True, progress=False).record


def changed():
    return copy.deepcopy(certificate())


def rehashed(record):
    """The record with a hash that fits its inputs, so that only the proof can fail."""
    proof = record["proof"]
    inputs = {k: v for k, v in proof.items() if k not in {"sha256", "tree", "nodes"}}
    proof["sha256"] = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()
    return record


def test_the_script_stands_alone(tmp_path):
    assert "zpfit" not in {
        line.split()[1] for line in SCRIPT.read_text().splitlines() if line.startswith("import ")
    }
    target = tmp_path / "certificate.json"
    target.write_text(json.dumps(certificate()))
    command = [sys.executable, "-I", str(SCRIPT), str(target)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True)
    assert shown.stdout.startswith("Proved: joint sigma > 3.0 (")


@pytest.mark.parametrize(
    ("run", "sigma"),
    [
        pytest.param("froggatt_nielsen_cs", 1.0, marks=pytest.mark.slow),
        ("sm_u1_rb", 1.3),
        ("nhdm_u1_cs", 1.0),
        pytest.param("froggatt_nielsen_forecast", 2.5, marks=pytest.mark.slow),
        ("froggatt_nielsen_today_cs", 3.0),
    ],
)
def test_proofs_of_packaged_runs_hold(run, sigma):
    record = certificate(run, sigma)
    assert CHECKER.check(record)[0] == sigma
    assert len(json.dumps(record)) < 1e6


@pytest.mark.slow
@pytest.mark.parametrize(
    ("run", "sigma"),
    [
        ("froggatt_nielsen_cs", 2.3309),
        ("froggatt_nielsen_rb", 1.1096),
        ("froggatt_nielsen_today_cs", 3.5),
        ("froggatt_nielsen_closed_rb", 1.2),
    ],
)
def test_proofs_close_to_the_optimum_hold(run, sigma):
    record = certificate(run, sigma)
    assert CHECKER.check(record)[0] == sigma
    assert len(json.dumps(record)) < 3e6


def test_a_removed_box_is_noticed():
    record = changed()
    record["proof"]["tree"] = record["proof"]["tree"].rsplit(" ", 1)[0]
    with pytest.raises(CHECKER.WrongProof, match="missing"):
        CHECKER.check(record)


def test_a_box_that_hides_a_part_of_the_domain_is_noticed():
    """A cut and its parts are replaced by a leaf."""
    record = changed()
    record["proof"]["tree"] = "e"
    with pytest.raises(CHECKER.WrongProof, match="does not exclude"):
        CHECKER.check(record)


def test_a_moved_bound_is_noticed():
    record = changed()
    record["proof"]["sigma"] = record["lower"] = 3.02  # the optimum is 3.0152
    with pytest.raises(CHECKER.WrongProof, match="have changed"):
        CHECKER.check(record)
    with pytest.raises(CHECKER.WrongProof, match="does not exclude"):
        CHECKER.check(rehashed(record))


def test_a_changed_coefficient_is_noticed():
    record = changed()
    numbers = next(iter(record["proof"]["coefficients"].values()))
    numbers[:] = [value * 1e-3 for value in numbers]
    with pytest.raises(CHECKER.WrongProof, match="have changed"):
        CHECKER.check(record)
    with pytest.raises(CHECKER.WrongProof, match="does not exclude"):
        CHECKER.check(rehashed(record))


@pytest.mark.slow
def test_terms_of_decays_are_needed():
    """Beam dumps and the sum of both decays exclude boxes; with wider limits they do not."""
    record = copy.deepcopy(certificate("froggatt_nielsen_forecast", 2.5))
    steps = record["proof"]["tree"].split()
    assert "d" in steps
    assert "x0" in steps
    for row in record["proof"]["dumps"][0][1]:
        row[1] += 1.0  # the lower edge, in ln of the coupling
    with pytest.raises(CHECKER.WrongProof, match="the term x0 does not exclude"):
        CHECKER.check(rehashed(record))
    record = copy.deepcopy(certificate("froggatt_nielsen_forecast", 2.5))
    for curve in record["proof"]["invisible"]:
        for row in curve:
            row[1] += 1.0
    with pytest.raises(CHECKER.WrongProof, match=r"the term [di] does not exclude"):
        CHECKER.check(rehashed(record))


@pytest.mark.parametrize("name", ["factors", "targets", "floors"])
def test_data_on_quarks_and_nucleosynthesis_are_needed(name):
    """With weaker weak charges, wider limits of them, or lower floors boxes are not excluded."""
    record = copy.deepcopy(certificate("froggatt_nielsen_today_cs", 3.0))
    proof = record["proof"]
    if name == "factors":
        factors = proof["caesium_factors"]
        assert len(factors) > 5
        factors.update({node: [0.3 * x for x in ends] for node, ends in factors.items()})
    elif name == "targets":
        proof["quarks"]["proton"] = [30 * end for end in proof["quarks"]["proton"]]
    else:
        proof["floors"][:3] = [0.5 * mass for mass in proof["floors"][:3]]
    term = "b" if name == "floors" else "q"
    with pytest.raises(CHECKER.WrongProof, match=f"the term {term} does not exclude"):
        CHECKER.check(rehashed(record))


def test_a_smaller_domain_is_noticed():
    record = changed()
    record["proof"]["box"][0][1] /= 2
    with pytest.raises(CHECKER.WrongProof):
        CHECKER.check(rehashed(record))


@pytest.mark.parametrize(("lepton", "mass"), [(0.51, 1.0), (0.51, 80.0), (105.66, 17.0)])
def test_closed_forms_of_the_script_are_the_integrals(lepton, mass):
    r = (mpmath.mpf(lepton) / mass) ** 2
    cuts = [0, 1 / (1 + r), 0.5, 1] if r > 1 else [0, 0.5, 1 - r / 2, 1]
    v = mpmath.quad(lambda x: x**2 * (1 - x) / (1 - x + x**2 * r), cuts)
    a = mpmath.quad(lambda x: (x * (1 - x) * (4 - x) + 2 * x**3 * r) / (1 - x + x**2 * r), cuts)
    k_v, k_a = CHECKER.loops(lepton, mass)
    assert k_v == pytest.approx(float(r * v / (4 * mpmath.pi**2)), rel=1e-10)
    assert k_a == pytest.approx(float(r * a / (4 * mpmath.pi**2)), rel=1e-10)


def test_a_tree_that_is_too_large_is_said(monkeypatch, invoke):
    monkeypatch.setattr("zpfit.analysis.certify.bracket.tree_below", lambda *_: None)
    result = invoke("certify", "paper_sm_u1", "--sigma", "1", "--tree", "--json")
    assert result.exit_code == 0
    assert "tree: too large to be written" in result.stderr


def test_the_page_shows_how_to_call_the_script():
    page = SCRIPT.with_name("certify.md").read_text(encoding="utf-8")
    words = ("python", SCRIPT.name, "proof.json")
    assert " ".join(words) in page


def test_contradicting_measurements_leave_no_moment():
    data = [[5e-13, 1e-13, 1e-13], [-5e-13, 1e-13, 1e-13]]
    assert CHECKER.moment_fails((-1e-11, 1e-11), data, 4.999)
    assert not CHECKER.moment_fails((-1e-11, 1e-11), data, 5.001)
