"""Test thousands of bad inputs: a clear error or a valid run, never a traceback or partial
folder."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from fuzz_mutations import BOMB
from fuzz_seeds import Seed
from fuzzing import CASES, SEEDS, Case, check, check_run
from hypothesis import HealthCheck, Phase, given, settings

from zpfit.errors import InvalidYaml
from zpfit.io.yaml import parse_yaml

FEW, MANY, TO_RUN = 15, 1250, 210
"""Numbers of cases for each kind of file: always, in the slow target, and in the slow target if the
case also runs."""
RUNNABLE = [kind for kind in CASES if kind != "slices"]

RUN = "model: effective\nlikelihood: paper_2021_cs\n"
ENTRY = """\
title: mine
measurement: mine
approximations: none
confidence_level: 0.9
citations: [{key: mine, arxiv: "2102.07781"}]
"""


def _settings(examples: int, *, reproducible: bool = False, shrink: bool = True) -> settings:
    return settings(
        max_examples=examples,
        derandomize=reproducible,
        database=None,  # write no folder into the checkout
        deadline=None,  # a watchdog limits the time of each command
        phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
        # The mutated files are long, and each case takes as long as a command.
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
        print_blob=True,
    )


def _try(kind: str, test: Callable[[Case], bool], settings_: settings) -> Counter[bool]:
    """Count the refused and the accepted cases of a kind."""
    found: Counter[bool] = Counter()

    @settings_
    @given(CASES[kind])
    def holds(case: Case) -> None:
        found[test(case)] += 1

    holds()
    return found


def _check_and_run(case: Case) -> bool:
    return check(case) and check_run(case)


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    """Run one command first: its imports and compilation must not count as hanging."""
    check(_intact("run files"), patience=600)


def _intact(kind: str) -> Case:
    seed = SEEDS[kind][0]
    return Case(seed, seed.text.encode())


@pytest.mark.parametrize("kind", CASES)
def test_files_are_in_order_before_they_are_mutated(kind: str):
    for seed in SEEDS[kind][::4]:
        assert check(Case(seed, seed.text.encode())), seed.path


@pytest.mark.parametrize("kind", CASES)
def test_some_bad_files_of_each_kind(kind: str):
    # A run file takes as long as five other files.
    few = FEW // 3 if kind == "run files" else FEW
    assert _try(kind, check, _settings(few, reproducible=True))[False]


@pytest.mark.slow
@pytest.mark.parametrize("kind", CASES, ids=lambda kind: f"{kind}: {MANY} cases")
def test_ten_thousand_bad_files(kind: str):
    found = _try(kind, check, _settings(MANY))
    assert found.total() >= MANY
    # Files of pure nonsense would never pass the first check.
    assert found[True] > MANY / 50


@pytest.mark.slow
@pytest.mark.parametrize("kind", RUNNABLE, ids=lambda kind: f"{kind}: {TO_RUN} cases")
def test_what_is_valid_runs_or_says_why_not(kind: str):
    assert _try(kind, _check_and_run, _settings(TO_RUN, shrink=False))[True]


def test_the_slow_target_tries_ten_thousand():
    assert len(CASES) * MANY + len(RUNNABLE) * TO_RUN >= 10_000


# Former failures


FOUND = [
    # Tags that the YAML parser knows and fails on.
    ("title: !!bool x\n", ["fit.yaml:1: ", "'x' is no bool"]),
    ("title: !!omap x\n", ["fit.yaml:1: ", "tag '!!omap' is not allowed"]),
    ("title: !!omap [a: 1]\n", ["fit.yaml:1: ", "'!!omap'"]),
    ("title: !!int x\n", ["fit.yaml:1: ", "'x' is no int"]),
    ("title: !!map x\n", ["fit.yaml:1: ", "tag !!map does not belong here"]),
    ("title: !mine x\n", ["fit.yaml:1: ", "tag '!mine'"]),
    ("a:\n- !!python/object/apply:os.system [x]\n", ["fit.yaml:2: ", "python/object", "leave it"]),
    # Text that looks like a number but is not, and numbers that cannot be printed.
    ("seed: -_\n", ["fit.yaml:1: ", "'-_' is no int"]),
    (f"seed: 0x{'f' * 5000}\n", ["fit.yaml:1: ", "a number of more than 300 characters"]),
    (f"seed: {'9' * 5000}\n", ["fit.yaml:1: ", "a number of more than 300 characters"]),
    # Text that a terminal or file cannot represent.
    ('title: "\\ud800"\n', ["fit.yaml:1: ", "'\\ud800' is not allowed"]),
    ('title: "\\0"\n', ["fit.yaml:1: ", "'\\x00' is not allowed"]),
    ('title: "\\e[31m"\n', ["fit.yaml:1: ", "'\\x1b' is not allowed"]),
    # Impossible file names.
    (f"model: effective\nlikelihood: {'x' * 300}\n", ["fit.yaml:2: likelihood.set", "unknown"]),
    (f"model: {'x' * 300}\nlikelihood: paper_2021_cs\n", ["fit.yaml:1: model", "unknown"]),
    (f"{RUN}priors: {'x' * 300}\n", ["fit.yaml:3: priors.use", "unknown"]),
    (f"model: {{python: '{'x' * 300}.py:f'}}\nlikelihood: paper_2021_cs\n", ["is not found"]),
    # Keys that are not names.
    ("? [a]\n: 1\n", ["fit.yaml:1: ", "a key must be text"]),
    ('"a\\nb": 1\n', ["fit.yaml:1: ", "on one line"]),
    (f"? {'x' * 300}\n: 1\n", ["fit.yaml:1: ", "a key of more than 200 characters"]),
    ("<<: 3\n", ["fit.yaml:1: ", "<< takes a mapping"]),
    # Excessively large input.
    (f"title: {'x' * 30_000}\n", ["fit.yaml:1: ", "a text of more than 20,000 characters"]),
    (f"# {'x' * 1_000_000}\n", ["fit.yaml:1: ", "longer than 1,000,000 characters"]),
    (f"a: {'[' * 3000}\n", ["fit.yaml:1: ", "nested more than 40 levels deep"]),
    (f"seed: [{', '.join('1' * 1000)}]\n", ["fit.yaml:1: seed: must be an integer", "...]"]),
    (f"[{', '.join(['1'] * 20_000)}]\n", ["fit.yaml:1: ", "more than 20,000 values"]),
    ("".join(f"key{i}: 1\n" for i in range(1000)), ["fit.yaml: ", "and 952 more problems"]),
    (
        f"model: effective\nlikelihood: {{set: paper_2021_cs, drop: [{', '.join('x' * 2000)}]}}\n",
        ["fit.yaml:2: likelihood.drop: must have at most 1,000 items, not 2,000"],
    ),
    (
        f"{RUN}priors: {{parameters: {{{', '.join(f'C_{i}: 0' for i in range(500))}}}}}\n",
        ["'C_0'", "and 400 more problems"],
    ),
    (f"{RUN}seed: {2**64}\n", ["fit.yaml:3: seed", "at most 18446744073709551615"]),
]


@pytest.mark.parametrize(("text", "words"), FOUND, ids=[" ".join(words) for _, words in FOUND])
def test_bad_run_files_that_were_found(rejected: Callable[..., str], text: str, words: list[str]):
    Path("fit.yaml").write_text(text, encoding="utf-8")
    message = rejected("validate", "fit.yaml")
    assert all(word in message for word in words), message
    assert len(message) < 20_000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("type: gaussian\nobservable: delta_a_e\nvalue: 0\nerror: 1e308\n", ["error", "1e+308"]),
        ("type: gaussian\nobservable: delta_a_e\nvalue: 0\nerror: 1e-300\n", ["error", "1e-300"]),
        ("type: gaussian\nobservable: delta_a_e\nvalue: 1e200\nerror: 1\n", ["value", "1e+200"]),
        (
            "type: correlated\nobservables: [br_ee, br]\nvalues: [0, 0]\nerrors: [1, 1e300]\n",
            ["errors.1", "1e+300", "out of range"],
        ),
        (
            f"type: counts\nobservable: br_ee\nobserved: {10**30}\nsignal: 1\n",
            ["observed", "at most"],
        ),
    ],
)
def test_sizes_in_entries_that_cannot_be_squared(
    rejected: Callable[..., str], text: str, words: list[str]
):
    seed = Seed("likelihoods/entries/mine.yaml", ENTRY + text)
    _lay_out(seed, {"fit.yaml": "model: effective\nlikelihood: {add: [mine]}\n"})
    message = rejected("validate", "fit.yaml")
    assert "mine.yaml:" in message
    assert all(word in message for word in words), message


@pytest.mark.parametrize("rows", ["1e-2 1e-200\n2e-2 1e-3\n", "1e-2 1e-3\n1e306 1e-3\n"])
def test_sizes_in_limit_files_that_cannot_be_squared(rejected: Callable[..., str], rows: str):
    _lay_out(
        Seed("mine.lmt", rows), {"fit.yaml": RUN.replace("paper_2021_cs", "{add: [mine.lmt]}")}
    )
    assert "must be positive and finite" in rejected("validate", "fit.yaml")


def _lay_out(seed: Seed, beside: dict[str, str]) -> None:
    for name, text in {seed.path: seed.text, **beside}.items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")


# YAML is data


def _data(text: str) -> object:
    return parse_yaml(text, Path("fit.yaml")).data


@pytest.mark.parametrize(
    "tag",
    [
        "!!python/object/apply:os.system",
        "!!python/object/apply:subprocess.check_output",
        "!!python/object/new:os.system",
        "!!python/object:zpfit.inference.problem.Run",
        "!!python/name:os.system",
        "!!python/module:os",
        "!!python/tuple",
        "!!set",
        "!!binary",
        "!<tag:yaml.org,2002:python/object/apply:os.system>",
        "!<!x>",
    ],
)
@pytest.mark.parametrize("value", ["[touch made]", "{args: [touch made]}", "touch made", "''"])
def test_no_tag_makes_an_object(workspace: Path, tag: str, value: str):
    for text in (f"a: {tag} {value}\n", f"? {tag} {value}\n: 1\n", f"{tag} {value}\n"):
        with pytest.raises(InvalidYaml, match=r"fit.yaml:1: .*(tag|a key must be text)"):
            _data(text)
    assert not list(workspace.iterdir())


def test_only_plain_data_come_out():
    text = "{a: 1, b: 1e-3, c: true, d: null, e: no, f: 2021-03-04, g: [x, 0x1f], 1: .inf, j: 1_0}"
    assert _data(text) == {
        "a": 1,
        "b": 1e-3,
        "c": True,
        "d": None,
        "e": "no",
        "f": "2021-03-04",
        "g": ["x", 31],
        "1": float("inf"),
        "j": 10,
    }


def test_older_yaml_does_not_change_what_words_mean():
    with pytest.raises(InvalidYaml, match="'no' is no bool"):
        _data("%YAML 1.1\n---\na: no\n")


def test_aliases_and_merges_are_written_out():
    text = "a: &a {x: 1, y: 2}\nb: *a\nc: {<<: *a, y: 3}\nd: {<<: [{y: 4}, *a]}\n"
    two = {"x": 1, "y": 2}
    assert _data(text) == {"a": two, "b": two, "c": {"x": 1, "y": 3}, "d": {"x": 1, "y": 4}}
    assert parse_yaml(text, Path("fit.yaml")).lines["c", "y"] == 3


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB, "more than 20,000 values, aliases written out"),
        ("a: &a [*a]\n", "nested more than 40 levels deep"),
        ("a: &a [*a, *a, *a, *a]\n", "nested more than 40 levels deep"),
        ("a: &a {<<: *a}\n", "nested more than 40 levels deep"),
        ("a: *b\n", "undefined alias 'b'"),
    ],
)
def test_aliases_that_never_end(text: str, words: str):
    with pytest.raises(InvalidYaml, match=words):
        _data(text)


# Python code has one place


@pytest.mark.parametrize(
    "text",
    [
        "model: my.py:f\nlikelihood: paper_2021_cs\n",
        "model: {name: 'my.py:f'}\nlikelihood: paper_2021_cs\n",
        "model: {name: effective, options: {python: 'my.py:f'}}\nlikelihood: paper_2021_cs\n",
        "model: effective\nlikelihood: {set: paper_2021_cs, python: 'my.py:f'}\n",
        "model: effective\nlikelihood: {set: 'my.py:f'}\n",
        "model: effective\nlikelihood: {add: ['my.py:f']}\n",
        "model: effective\nlikelihood: {add: [{curve: my.py}]}\n",
        "model: effective\nlikelihood: {add: [{curve: 'my.lmt', python: 'my.py:f'}]}\n",
        f"{RUN}python: my.py:f\n",
        f"{RUN}priors: my.py:f\n",
        f"{RUN}priors: {{parameters: {{m_Zp: {{type: python, python: 'my.py:f'}}}}}}\n",
        f"{RUN}sampler: {{engine: 'my.py:f'}}\n",
        "model: coded\nlikelihood: paper_2021_cs\n",
    ],
)
def test_no_other_key_runs_code(rejected: Callable[..., str], text: str):
    _lay_out(
        Seed("fit.yaml", text),
        {
            "my.py": "open('made', 'w').close()\ndef f(m_Zp):\n    return {}\n",
            "my.lmt": "1e-2 1e-3\n2e-2 1e-3\n",
            "models/coded.yaml": "type: couplings\ntitle: x\ndescription: x\nreference: x\n"
            "python: my.py:f\nparameters: {C: {symbol: C}}\ncouplings: {C_Ve: {C: 1}}\n",
        },
    )
    rejected("validate", "fit.yaml")
    assert not Path("made").exists()


@pytest.mark.parametrize("curve", ["/dev/zero", "../kloe_2015.csv", "/etc/passwd", "."])
def test_the_curve_of_an_entry_is_a_file_beside_it(rejected: Callable[..., str], curve: str):
    text = f"{ENTRY}type: table\nobservable: br_ee\ncurve: {curve}\n"
    entry = Seed("likelihoods/entries/mine.yaml", text)
    _lay_out(entry, {"fit.yaml": "model: effective\nlikelihood: {add: [mine]}\n"})
    assert "likelihoods/entries" in rejected("validate", "fit.yaml")


def test_a_file_without_end_is_refused(rejected: Callable[..., str]):
    assert "/dev/zero: cannot be read (more than 100,000,000 bytes)" in rejected(
        "validate", "/dev/zero"
    )
