"""Test the explorer: answers equal to those of evaluate, local access only, and a clean end."""

import json
import math
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers_explorer import Explorer

from zpfit.analysis.evaluate import describe_point, evaluate, evaluate_model, parameter_table
from zpfit.errors import InvalidInput, InvalidModel, RunNotFound, UnknownName
from zpfit.inference.priors import LogUniform
from zpfit.io.library import Library
from zpfit.likelihood.build import LikelihoodSpec, assemble
from zpfit.pages.explore.answers import point_answer, slice_answer
from zpfit.pages.explore.catalogue import Catalogue, open_catalogue
from zpfit.pages.explore.grid import GRIDS, quick_grid
from zpfit.runs.run_file import load_single_model

SET = "paper_2021_cs"
EXCLUDED = {"m_Zp": 18.0, "C_Ve": 1e-2, "C_Ae": 1.6e-4, "C_Vmu": 5e-4}
ALLOWED = {"m_Zp": 18.0, "C_Ae": 1.6e-4, "C_Vmu": 5e-4}
SLOW_MODEL = """
def slow(m_Zp, C):
    return {"C_Ve": C if C > 0 else -C}
"""
FAILING_MODEL = """
import numpy as np

def failing(m_Zp, C):
    if np.any(C > 1e-3):
        raise RuntimeError("out of tune")
    return {"C_Ve": C}
"""
Ask = Callable[..., tuple[int, Any]]


@pytest.fixture(scope="module")
def explorer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Explorer]:
    running = Explorer(SET, cwd=tmp_path_factory.mktemp("explorer"))
    yield running
    code, errors = running.end(signal.SIGTERM)
    assert code == 0, errors
    assert "Traceback" not in errors


@pytest.fixture
def ask(explorer: Explorer) -> Ask:
    def question(path: str, **changes: Any) -> tuple[int, Any]:
        known = {"model": "effective", "likelihood": SET}
        if path != "/api/subject":
            known |= {"point": ALLOWED}
        if path == "/api/slice":
            known |= {"x": "m_Zp", "y": "C_Ve"}
        return explorer.ask(path, known | changes)

    return question


def library_likelihood(name: str = SET):
    return assemble(LikelihoodSpec(set=name), Library.beside()).likelihood


# A point


@pytest.mark.parametrize("point", [ALLOWED, EXCLUDED])
def test_a_point_is_what_evaluate_says(ask: Ask, point):
    status, answer = ask("/api/point", point=point)
    assert status == 200
    _, model = load_single_model("effective")
    table, _ = parameter_table([point], model, ["here"])
    evaluated = evaluate_model(model, table)
    likelihood = library_likelihood()
    [expected] = evaluate(likelihood, evaluated)
    assert answer["chi2"] == expected["chi2_total"]
    assert answer["excluded_by"] == expected["excluded_by"]
    assert answer["couplings"] == expected["couplings"]
    described = describe_point(likelihood, evaluated.couplings)
    assert answer["terms"] == described["terms"]
    assert {n: row["ratio"] for n, row in answer["exclusions"].items()} == expected["ratios"]
    assert [n for n, row in answer["exclusions"].items() if row["excluded"]] == expected[
        "excluded_by"
    ]
    for name, value in answer["predictions"].items():
        assert value == expected["predictions"][name]
    measured = {term["observable"] for term in answer["terms"].values()}
    assert measured | set(answer["predictions"]) == set(expected["predictions"])


@pytest.mark.parametrize(
    ("model", "point"),
    [
        ("sm_u1", {"m_Zp": 20, "g_prime": 1e-3, "z_H": 0, "z_Le": 0.1, "z_Lmu": 0.2}),
        ("B-L", {"m_Zp": 20, "g_prime": 1e-5}),
        ("{name: B-L, options: {mass: zS_vS}}", {"zS_vS": 2e6, "g_prime": 1e-5}),
        ("dark_photon", {"m_Zp": 20, "eps": 1e-4}),
    ],
)
def test_models_with_charges_and_options(ask: Ask, model, point):
    status, answer = ask("/api/point", model=model, point=point)
    assert status == 200
    _, built = load_single_model(model)
    table, _ = parameter_table([point], built, ["here"])
    [expected] = evaluate(library_likelihood(), evaluate_model(built, table))
    assert answer["chi2"] == expected["chi2_total"]
    assert answer["derived"] == expected["derived"]


def test_a_subject_has_labels_of_the_field(ask: Ask):
    _, subject = ask("/api/subject")
    _, answer = ask("/api/point")
    labels = {name: subject["labels"][name] for name in (*answer["terms"], *answer["exclusions"])}
    assert labels["a_e_cs_2018"] == "\u0394a<sub>e</sub> (Cs, 2018)"
    assert labels["kloe_2015"] == "KLOE (2015)"
    assert not [label for label in labels.values() if "_" in label or "$" in label]
    assert subject["sliders"][0]["label"] == "m<sub>Z\u2032</sub>"
    assert subject["symbols"]["C_Ve"] == "C<sub>Ve</sub>"
    assert subject["symbols"]["delta_a_e"] == "\u0394a<sub>e</sub>"


def test_where_a_model_cannot_exist(ask: Ask):
    point = {"m_Zp": 2, "g_prime": 1e-3, "z_1": 50, "z_2": 0, "tan_beta": 1, "z_Le": 0, "z_Lmu": 0}
    status, answer = ask("/api/point", model="nhdm_u1", point=point)
    assert status == 200
    assert answer["impossible"]["mass forced by the doublets"] > 1
    assert "chi2" not in answer


def test_every_packaged_model_starts_where_it_can(ask: Ask, explorer: Explorer):
    _, _, content = explorer.request("GET", "/api/catalogue")
    catalogue = json.loads(content)
    assert set(catalogue["models"]) >= {"froggatt_nielsen", "nhdm_u1", "paper_sm_u1"}
    assert set(catalogue["likelihoods"]) >= {"today_cs", SET}
    for name in catalogue["models"]:
        status, subject = ask("/api/subject", model=name)
        assert status == 200, subject
        assert set(subject["start"]) == {s["name"] for s in subject["sliders"]}
        status, answer = ask("/api/point", model=name, point=subject["start"])
        assert status == 200, answer
        assert not answer["impossible"]
        assert not answer["excluded_by"]


def test_options_of_a_model_are_offered(ask: Ask):
    _, subject = ask("/api/subject", model="{name: nhdm_u1, options: {doublets: 3}}")
    options = {option["name"]: option for option in subject["options"]}
    assert options["doublets"]["value"] == 3
    assert options["doublets"]["choices"] == list(range(2, 11))
    assert options["route"]["choices"] == ["exact", "leading_order"]
    assert "tan_beta_2" in subject["start"]


# A slice


@pytest.mark.parametrize("likelihood", [SET, "paper_2021_cs_soft", "today_cs"])
def test_a_slice_holds_what_its_points_say(ask: Ask, likelihood):
    _, found = ask("/api/slice", likelihood=likelihood, grid=6)
    soft = {n for n in found["names"] if likelihood.endswith("soft")}
    for row, y in enumerate(found["y"]["values"]):
        for column, x in enumerate(found["x"]["values"]):
            point = {**ALLOWED, "m_Zp": x, "C_Ve": y}
            _, answer = ask("/api/point", likelihood=likelihood, point=point)
            chi2 = found["chi2"][row][column]
            assert chi2 == pytest.approx(answer["chi2"], rel=1e-9, abs=1e-4)
            ratio = found["log_ratio"][row][column]
            name = found["names"][found["by"][row][column]]
            assert (ratio > 0 and name not in soft) == bool(answer["excluded_by"])
            expected = answer["exclusions"][name]["ratio"]
            assert ratio == pytest.approx(math.log10(max(expected, 1e-300)), abs=1e-4)
            if answer["excluded_by"] or not soft:
                rivals = answer["excluded_by"] or answer["exclusions"]
                assert expected == max(answer["exclusions"][n]["ratio"] for n in rivals)


def test_a_slice_says_where_there_is_no_model(ask: Ask):
    _, subject = ask("/api/subject", model="nhdm_u1")
    point = {**subject["start"], "tan_beta": 1.0}
    _, found = ask("/api/slice", model="nhdm_u1", point=point, x="m_Zp", y="z_1", grid=20)
    condition = found["names"].index("mass forced by the doublets")
    broken = np.array(found["by"]) == condition
    assert broken.any()
    assert not broken.all()
    assert all(
        (chi2 is None) == bad
        for chi2, bad in zip(np.ravel(found["chi2"]), np.ravel(broken), strict=True)
    )


def test_whole_numbers_in_a_slice(workspace: Path):
    (workspace / "whole.yaml").write_text(
        f"model: froggatt_nielsen\nlikelihood: {SET}\npriors: froggatt_nielsen_integers\n"
    )
    catalogue = open_catalogue("whole.yaml", None)
    subject = catalogue.subject(catalogue.model, catalogue.likelihood)
    found = slice_answer(subject, subject.start, "n_e", "n_mu", 60)
    assert found["x"]["values"] == list(range(-10, 11))
    assert np.shape(found["chi2"]) == (21, 21)


# Invalid requests


@pytest.mark.parametrize(
    ("path", "changes", "message"),
    [
        ("/api/point", {"model": "efective"}, "did you mean 'effective'"),
        ("/api/point", {"model": ""}, "model"),
        ("/api/point", {"model": "{name: B-L, options: {mass: heavy}}"}, "options.mass"),
        ("/api/point", {"model": "[["}, "not valid YAML"),
        ("/api/point", {"model": "{python: os.py:system}"}, "only if the command names it"),
        ("/api/point", {"likelihood": "today"}, "unknown likelihood set"),
        ("/api/point", {"likelihood": "../sets/today_cs"}, "unknown likelihood set"),
        ("/api/point", {"point": {"C_Vx": 1}}, "no parameter 'C_Vx'"),
        ("/api/point", {"point": {"m_Zp": 1e9}}, "must be between"),
        ("/api/point", {"point": {}}, "m_Zp is missing"),
        ("/api/point", {"point": {"m_Zp": float("nan")}}, "finite"),
        ("/api/point", {"point": {"m_Zp": float("inf")}}, "finite"),
        ("/api/point", {"point": {"m_Zp": 10**400}}, "m_Zp"),
        ("/api/point", {"point": {"m_Zp": "18"}}, "must be a number"),
        ("/api/point", {"point": {"m_Zp": True}}, "must be a number"),
        ("/api/point", {"point": [18]}, "must be a mapping"),
        ("/api/point", {"extra": 1}, "unknown key"),
        ("/api/slice", {"x": "C_Vx"}, "no parameter 'C_Vx'"),
        ("/api/slice", {"y": "m_Zp"}, "is along x already"),
        ("/api/slice", {"grid": 100000}, "grid"),
        ("/api/slice", {"grid": 0}, "grid"),
        ("/api/slice", {"grid": 9.5}, "integer"),
        ("/api/subject", {"point": {}}, "unknown key"),
    ],
)
def test_bad_questions_get_a_reason(ask: Ask, path, changes, message):
    status, answer = ask(path, **changes)
    assert status == 422
    assert message in "\n".join(answer["problems"])


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"{", {}, 400),
        (b"\xff\xfe", {}, 400),
        (b"[" * 50_000, {}, 400),
        (b"1" * 5000, {}, 400),
        (b"null", {}, 422),
        (b"[]", {}, 422),
        (b" " * 70_000, {}, 413),
        (b"{}", {"Content_Type": "text/plain"}, 415),
        (b"{}", {"Origin": "http://evil.example"}, 403),
        (b"{}", {"Origin": "null"}, 403),
    ],
)
def test_bodies_that_are_no_question(explorer: Explorer, body, headers, status):
    found, answer = explorer.ask("/api/point", body, **headers)
    assert found == status
    assert answer["problems"]


def test_other_paths_and_methods(explorer: Explorer):
    for method, path, expected in (
        ("GET", "/api/point", 405),
        ("GET", "/nothing", 404),
        ("GET", "/../pyproject.toml", 404),
        ("GET", "/%2e%2e/app.py", 404),
        ("POST", "/", 405),
    ):
        status, _, content = explorer.request(method, path)
        assert status == expected
        assert json.loads(content)["problems"]


def test_a_page_that_is_closed_in_the_middle_of_a_request(explorer: Explorer, ask: Ask):
    # The fixture checks at the end that the server has written no traceback.
    lines = (
        "POST /api/point HTTP/1.1",
        f"Host: 127.0.0.1:{explorer.port}",
        "Content-Type: application/json",
        "Content-Length: 100",
    )
    with socket.create_connection(("127.0.0.1", explorer.port)) as connection:
        connection.sendall("\r\n".join([*lines, "", "{"]).encode())
    assert ask("/api/point")[0] == 200


# Access to the server


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", ""])
def test_other_names_of_this_machine_are_refused(explorer: Explorer, host):
    status, _, content = explorer.request("GET", "/api/catalogue", Host=host)
    assert status == 400
    assert b"models" not in content


def test_this_machine_by_its_name_is_welcome(explorer: Explorer):
    status, _, _ = explorer.request("GET", "/", Host=f"localhost:{explorer.port}")
    assert status == 200


def test_it_listens_on_the_loopback_address_only(explorer: Explorer):
    assert explorer.url == f"http://127.0.0.1:{explorer.port}/"
    table = Path("/proc/net/tcp")
    if not table.exists():
        pytest.skip("this system does not list its sockets in /proc")
    port, listens = f"{explorer.port:04X}", "0A"
    rows = [line.split() for line in table.read_text().splitlines()[1:]]
    own = [row[1] for row in rows if row[1].endswith(f":{port}") and row[3] == listens]
    assert own == [f"0100007F:{port}"]


def test_the_page_brings_all_it_needs(explorer: Explorer):
    status, headers, page = explorer.request("GET", "/")
    assert status == 200
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    text = page.decode()
    assert "http" not in text.replace("http-equiv", "")
    assert "onclick" not in text
    for path in ("/plotly.js", "/explore.js", "/slice.js", "/scales.js", "/tables.js"):
        status, headers, content = explorer.request("GET", path)
        assert status == 200
        assert headers["content-type"].startswith("text/javascript")
        assert headers["x-content-type-options"] == "nosniff"
        assert len(content) > 1000


# Sources in place of a set


def test_a_run_folder_starts_at_its_best_fit(small_run: Path):
    catalogue = open_catalogue(str(small_run), None)
    subject = catalogue.subject(catalogue.model, catalogue.likelihood)
    best = json.loads((small_run / "summary.json").read_text())["best_fit"]
    assert subject.start == best["parameters"]
    answer = point_answer(subject, subject.start)
    assert answer["chi2"] == pytest.approx(best["chi2"], rel=1e-9)
    assert not catalogue.is_found_elsewhere(catalogue.likelihood)


def test_a_folder_without_a_run_is_named(workspace: Path):
    (workspace / "fits").mkdir()
    for source in ("fits", str(workspace / "fits")):
        with pytest.raises(RunNotFound, match="fits: no finished run here"):
            open_catalogue(source, None)


def test_a_run_file_brings_its_priors_and_data(workspace: Path):
    (workspace / "mine.yaml").write_text(
        "model: {name: B-L, options: {mass: zS_vS}}\n"
        f"likelihood: {{set: {SET}, drop: [na64_2020]}}\n"
        "priors: {parameters: {zS_vS: {type: log_uniform, lower: 1e3, upper: 1e7}, "
        "g_prime: 1e-4, eps: 0}}\n"
    )
    catalogue = open_catalogue("mine.yaml", None)
    assert catalogue.likelihood == f"{SET} -na64_2020"
    subject = catalogue.subject(catalogue.model, catalogue.likelihood)
    assert subject.sliders["zS_vS"].scale == LogUniform(lower=1e3, upper=1e7)
    assert subject.start["g_prime"] == 1e-4
    assert "na64_2020" not in {e.name for e in subject.likelihood.exclusions}
    other = open_catalogue("mine.yaml", "dark_photon")
    assert other.subject("dark_photon", other.likelihood).model.name == "dark_photon"


def test_a_named_run(workspace: Path):
    catalogue = open_catalogue("quickstart", None)
    assert (catalogue.model, catalogue.likelihood) == ("effective", SET)
    assert catalogue.is_found_elsewhere(SET)


def test_users_models(workspace: Path):
    (workspace / "slow.py").write_text(SLOW_MODEL)
    catalogue = open_catalogue(SET, "{python: slow.py:slow}")
    subject = catalogue.subject(catalogue.model, SET)
    assert any("point by point" in note for note in subject.notes)
    assert subject.grid in GRIDS
    found = slice_answer(subject, {**subject.start}, "m_Zp", "C", 5)
    assert np.shape(found["chi2"]) == (5, 5)
    with pytest.raises(InvalidInput, match="only if the command names it"):
        catalogue.subject("{python: other.py:model}", SET)


def test_slow_models_get_a_coarser_grid():
    _, model = load_single_model("dark_photon")
    values = {"m_Zp": np.full(256, 20.0), "eps": np.full(256, 1e-4)}
    likelihood = library_likelihood()
    assert quick_grid(model, likelihood, values) == GRIDS[0]

    class Slow(type(model)):
        def couplings(self, values):
            time.sleep(1e-4 * len(values["eps"]))
            return model.couplings(values)

    slow = Slow.__new__(Slow)
    slow.__dict__.update(model.__dict__)
    assert GRIDS[-1] <= quick_grid(slow, likelihood, values) < GRIDS[2]


def test_a_failing_model_gives_its_reason(workspace: Path):
    (workspace / "failing.py").write_text(FAILING_MODEL)
    text = "{python: failing.py:failing}"
    subject = Catalogue(Library.beside(), text, SET).subject(text, SET)
    with pytest.raises(InvalidModel, match="out of tune"):
        point_answer(subject, {"m_Zp": 20, "C": 1})
    with pytest.raises(InvalidModel, match="out of tune"):
        slice_answer(subject, subject.start, "m_Zp", "C", 10)


def test_unknown_sources_are_refused(rejected: Callable[..., str]):
    assert "did you mean 'today_cs'" in rejected("explore", "tody_cs", "--no-browser")
    assert "did you mean 'effective'" in rejected("explore", "--model", "efective")
    assert "cannot be read" in rejected("explore", "missing.yaml", "--no-browser")
    with pytest.raises(UnknownName):
        open_catalogue("nothing at all", None)


# Start and end of the server


@pytest.mark.slow  # the explorer of the other tests ends by SIGTERM
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(tmp_path: Path, number: int):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
    running = Explorer(SET, "--model", "B-L", "--port", str(port), cwd=tmp_path)
    assert running.url == f"http://127.0.0.1:{port}/"
    # A connection that stays open must not keep the server.
    with socket.create_connection(("127.0.0.1", port)) as idle:
        idle.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n")
        code, errors = running.end(number)
    assert code == 0
    assert errors == "stopped\n"


def test_a_port_in_use_is_said(rejected: Callable[..., str]):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        message = rejected("explore", SET, "--no-browser", "--port", str(port))
    assert f"--port {port}: cannot listen at 127.0.0.1" in message
