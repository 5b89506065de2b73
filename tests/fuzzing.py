"""Bad input by the thousand: mutated files, and what must hold of commands all the same."""

import contextlib
import json
import math
import signal
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from hypothesis import strategies as st

from zpfit.cli import cli
from zpfit.io.places import packaged_data
from zpfit.io.yaml import parse_yaml

PATIENCE, LONG_PATIENCE = 300, 300
"""Seconds after which a check and a run count as hanging."""

TINY = {
    "sampler.engine": "emcee",
    "sampler.ensembles": "2",
    "sampler.walkers": "32",
    "sampler.max_steps": "40",
    "sampler.target_ess": "10",
    "vegas.adaptations": "2",
    "vegas.max_evaluations": "300000",
    "best_fit.starts": "50",
}
"""Options that make any run take a second or two."""


# What is mutated


@dataclass(frozen=True)
class Seed:
    """A file that is in order, the files beside it, and the command that reads them."""

    path: str
    """Of the file that is mutated, below a folder of its own."""
    text: str = field(repr=False)
    command: tuple[str, ...] = ("validate", "fit.yaml")
    beside: Mapping[str, str] = field(default_factory=dict, repr=False)


def packaged(path: str) -> str:
    return (packaged_data() / path).read_text(encoding="utf-8")


def _all(folder: str, ending: str) -> list[str]:
    return sorted(path.stem for path in (packaged_data() / folder).glob(f"*.{ending}"))


_FEW = "{add: [a_mu_2021, kloe_2015]}"
_FEW_PARAMETERS = """\
priors: {parameters: {C_nue: 0, C_Amu: 0, C_numu: {type: tied, to: C_Vmu, factor: -0.5}}}
"""


def _run(
    likelihood: str = "paper_2021_cs", model: str = "effective", more: str = _FEW_PARAMETERS
) -> str:
    return f"title: mine\nmodel: {model}\nlikelihood: {likelihood}\n{more}"


_PROMPT = "#  mass  lower\n 1.0e-02 1.0e+05\n 2.0e-02 1.0e-03\n 4.0e-02 4.0e-03\n 5.0e-02 1.0e+05\n"
_DUMP = "# mass lower upper\n1e-2 1e-5 1e-3\n2e-2 2e-5 4e-4\n3e-2 3e-5 1e-4\n"
_LIMITS = {"prompt.lmt": _PROMPT, "dump.lmt": _DUMP}
_ALL_KEYS = """\
title: Everything that a run file may say
model: {name: effective, options: {}}
likelihood:
  set: paper_2021_cs
  add: [e141_1987, {curve: prompt.lmt, name: mine, search: visible, confidence_level: 0.9},
        {curve: dump.lmt, length_ratio: 2, citations: [{key: me, arxiv: "1801.04847"}]}]
  drop: [kloe_2015]
  hard: [bbn_2020]
  soft: [na64_2020]
priors:
  use: effective
  parameters:
    m_Zp: {type: log_uniform, lower: 1, upper: 100}
    C_Ve: {type: uniform, lower: -1e-3, upper: 1e-3}
    C_Ae: {type: signed_log_uniform, lower: 1e-8, upper: 1e-1}
    C_nue: {type: normal, mean: 0, sd: 1e-5}
    C_Vmu: {type: fractions, largest: 1, denominator: 100}
    C_Amu: 0
    C_numu: {type: tied, to: C_nue, factor: -0.5}
seed: 7
sampler: {engine: emcee, ensembles: 2, walkers: 32, target_ess: 10, max_steps: 40}
vegas: {adaptations: 2, error: 0.1, max_evaluations: 300000}
dynesty: {live_points: 50, tolerance: 0.5}
best_fit:
  starts: 50
  points: [{m_Zp: 20, C_Ve: 1e-4, C_Ae: 1e-4, C_nue: 1e-6, C_Vmu: 0.01}]
joint_sigma: {others: 2, within: {a_mu_2021: 1}}
"""
_KINDS = {
    "asymmetric": "type: gaussian\nobservable: delta_a_e\nvalue: 1e-12\n"
    "error: {up: 2e-12, down: 5e-13}\n",
    "shifted": "type: gaussian\nobservable: delta_a_mu\nvalue: 2e-9\nerror: 6e-10\n"
    "nuisances: {flux: 3e-10, theory: -1e-10}\n",
    "correlated": "type: correlated\nobservables: [delta_a_e, delta_a_mu, br_ee]\n"
    "values: [1e-12, 2e-9, 0.3]\nerrors: [4e-13, 6e-10, 0.2]\n"
    "correlation: [[1, 0.6, -0.2], [0.6, 1, 0.3], [-0.2, 0.3, 1]]\n",
    "counts": "type: counts\nobservable: br_ee\nobserved: 7\nsignal: 20\nbackground: 1.5\n",
    "table": "type: table\nobservable: br_ee\ncurve: table.csv\n",
}
_TABLE = "# mine\nvalue,chi2\n0.1,4\n0.3,0\n0.4,0.5\n0.8,6\n"
_COMMON = (
    "title: mine\nmeasurement: mine\napproximations: none\nconfidence_level: 0.683\n"
    "citations: [{key: mine, arxiv: '2102.07781'}]\n"
)


def run_seeds() -> list[Seed]:
    """Run files."""
    texts = [packaged(f"runs/{name}.yaml") for name in _all("runs", "yaml")]
    examples = Path(__file__).parent.parent / "examples"
    beside = {
        "hidden_photon.py": (examples / "hidden_photon.py").read_text(encoding="utf-8"),
        "models/L_e-3L_mu.yaml": (examples / "models/L_e-3L_mu.yaml").read_text(encoding="utf-8"),
    }
    own = [path.read_text(encoding="utf-8") for path in sorted(examples.glob("*.yaml"))]
    return [
        *(Seed("fit.yaml", text) for text in texts),
        *(Seed("fit.yaml", text, beside=beside) for text in own),
        # As often as the short ones together, as it has most to get wrong.
        *[Seed("fit.yaml", _ALL_KEYS, beside=_LIMITS)] * 20,
    ]


def entry_seeds() -> list[Seed]:
    """Entries of data."""
    path = "likelihoods/entries/mine.yaml"
    run = {"fit.yaml": _run("{add: [mine]}")}
    seeds = []
    for name in _all("likelihoods/entries", "yaml"):
        beside = dict(run)
        if (packaged_data() / f"likelihoods/entries/{name}.csv").is_file():
            beside[f"likelihoods/entries/{name}.csv"] = packaged(f"likelihoods/entries/{name}.csv")
        seeds.append(Seed(path, packaged(f"likelihoods/entries/{name}.yaml"), beside=beside))
    beside = run | {"likelihoods/entries/table.csv": _TABLE}
    own = [Seed(path, _COMMON + text, beside=beside) for text in _KINDS.values()]
    return [*seeds, *own * 5]


def set_seeds() -> list[Seed]:
    """Sets of entries."""
    beside = {"fit.yaml": _run("mine")}
    return [
        Seed("likelihoods/sets/mine.yaml", packaged(f"likelihoods/sets/{name}.yaml"), beside=beside)
        for name in _all("likelihoods/sets", "yaml")
    ]


def prior_seeds() -> list[Seed]:
    """Priors files."""
    seeds = []
    for name in _all("priors", "yaml"):
        text = packaged(f"priors/{name}.yaml")
        model = parse_yaml(text, Path(name)).data["model"]
        options = ", options: {mass: zS_vS}" if "singlet" in name else ""
        run = _run(_FEW, f"{{name: {model}{options}}}", "priors: mine\n")
        seeds.append(Seed("priors/mine.yaml", text, beside={"fit.yaml": run}))
    return seeds


def model_seeds() -> list[Seed]:
    """Model files."""
    seeds = []
    for name in _all("models", "yaml"):
        if (packaged_data() / f"priors/{name}.yaml").is_file():
            priors = parse_yaml(packaged(f"priors/{name}.yaml"), Path(name)).data
        else:
            priors = parse_yaml(packaged(f"runs/{name}.yaml"), Path(name)).data["priors"]
        more = f"priors: {{parameters: {as_yaml(priors['parameters'])}}}\n"
        beside = {"fit.yaml": _run(_FEW, "mine", more)}
        seeds.append(Seed("models/mine.yaml", packaged(f"models/{name}.yaml"), beside=beside))
    return seeds


def slice_seeds() -> list[Seed]:
    """Slice files, which another command resolves."""
    command = ("cite", "slice.yaml")
    return [
        Seed("slice.yaml", packaged(f"slices/{name}.yaml"), command)
        for name in _all("slices", "yaml")
    ]


def curve_seeds() -> list[Seed]:
    """Tables of limits, DarkCast's files and tables of chi2."""
    entries = "likelihoods/entries"
    seeds = []
    for name in _all(entries, "csv"):
        beside = {
            "fit.yaml": _run("{add: [mine]}"),
            f"{entries}/mine.yaml": packaged(f"{entries}/{name}.yaml"),
        }
        seeds.append(
            Seed(f"{entries}/{name}.csv", packaged(f"{entries}/{name}.csv"), beside=beside)
        )
    own = {"fit.yaml": _run("{add: [mine]}"), f"{entries}/mine.yaml": _COMMON + _KINDS["table"]}
    table = Seed(f"{entries}/table.csv", _TABLE, beside=own)
    prompt = Seed("mine.lmt", _PROMPT, beside={"fit.yaml": _run("{add: [mine.lmt]}")})
    added = "{add: [{curve: mine.lmt, length_ratio: 2}]}"
    dump = Seed("mine.lmt", _DUMP, beside={"fit.yaml": _run(added)})
    return [*seeds, *[table] * 4, *[prompt] * 6, *[dump] * 6]


# What is put in place of something


class Raw(str):
    """What stands in a YAML file as it is, without quotes."""


ODD = [
    *map(
        Raw,
        (
            ".nan",
            ".inf",
            "-.inf",
            "1e400",
            "-1e400",
            "1e308",
            "-1e308",
            "1e-308",
            "5e-324",
            "-0.0",
            "0",
            "1",
            "-1",
            "0.5",
            "1e-3",
            "100",
            "1e6",
            "1" + "0" * 30,
            "1" + "0" * 400,
            "9" * 5000,
            "0x" + "f" * 5000,
            "0o777",
            "0777",
            "0b11",
            "1_000",
            "-_",
            "+_._",
            "true",
            "no",
            "null",
            "~",
            "",
            "2021-03-04",
            "2021-99-99",
            "0001-01-01T00:00:00+23:59",
            "12:30:45",
            "=",
            "<<",
            "''",
            '"\\0"',
            '"\\ud800"',
            '"\\e[31m"',
            '"\\x85\\u2028"',
            "[]",
            "{}",
            "[[]]",
            "[[1, 2], [3]]",
            "{a: {b: {c: 1}}}",
            "{1: 2, true: 3, null: 4}",
            "{[1]: 2}",
            "? {a: b}",
            "*a",
            "&a [1, *a]",
            "!!python/object/apply:os.system [echo]",
            "!!python/name:os.system",
            "!!python/object/new:os.system [echo]",
            "!mine x",
            "!!int x",
            "!!float x",
            "!!bool x",
            "!!timestamp x",
            "!!binary x",
            "!!null x",
            "!!str 12",
            "!!set {a, b}",
            "!!set [a]",
            "!!omap [a: 1]",
            "!!omap x",
            "!!pairs [a: 1]",
            "!!map []",
            "!!seq {}",
            "!<tag:yaml.org,2002:int> 3",
            "!!merge x",
            "!",
            "! 12",
        ),
    ),
    "é∂ß漢字🚀",
    "x" * 300,
    "x" * 100_000,
    "../../etc/passwd",
    "/dev/zero",
    "a\nb",
    "$\\frac{$",
    "[/b]",
    "%s {0} {x}",
    "m_Zp",
    "effective",
    "kloe_2015",
    "delta_a_e",
    [[[[[[[[[[1]]]]]]]]]],
    list(range(100)),
    {f"key{i}": i for i in range(100)},
]
"""Values of other types, extreme numbers, and YAML that is not plain."""


def _one_of(values: Sequence[Any]) -> st.SearchStrategy[Any]:
    """One of many values, some of them long, of its own, as it may be mutated further."""
    return st.integers(0, len(values) - 1).map(lambda index: deepcopy(values[index]))


_NUMBERS = st.one_of(
    _one_of(ODD[:18]),
    st.floats(),
    st.floats(-1e3, 1e3),
    st.builds("{}e{}".format, st.integers(-9, 9), st.integers(-330, 330)).map(Raw),
    st.builds("{}e{}".format, st.integers(1, 9), st.integers(-15, 5)).map(Raw),
    st.integers(-10, 1000),
)
_SCALARS = st.one_of(
    _one_of(ODD),
    _NUMBERS,
    st.booleans(),
    st.none(),
    st.text(max_size=20),
)
_NESTED = st.recursive(
    _SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=6,
)
VALUES = st.one_of(_SCALARS, _SCALARS, _SCALARS, _NESTED)


def yaml_number(x: float) -> str:
    """A number as YAML writes it."""
    if math.isnan(x):
        return ".nan"
    return repr(x) if math.isfinite(x) else ".inf" if x > 0 else "-.inf"


def as_yaml(value: Any) -> str:
    """A value in YAML's flow style."""
    if isinstance(value, Raw):
        return str(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(k)}: {as_yaml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(as_yaml, value)) + "]"
    if isinstance(value, float):
        return yaml_number(value)
    return json.dumps(value, ensure_ascii=False)


def _key(key: str) -> str:
    return str(key) if isinstance(key, Raw) else json.dumps(key, ensure_ascii=False)


def as_file(data: Any) -> str:
    """A document whose top-level keys stand in lines of their own."""
    if not isinstance(data, dict):
        return as_yaml(data) + "\n"
    return "".join(f"{_key(key)}: {as_yaml(value)}\n" for key, value in data.items())


# How it is mutated


def _places(data: Any, keys: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in nested mappings and lists but the root."""
    if isinstance(data, dict):
        children = list(data.items())
    elif isinstance(data, list):
        children = list(enumerate(data))
    else:
        return []
    found = []
    for key, value in children:
        found += [(*keys, key), *_places(value, (*keys, key))]
    return found


def _at(data: Any, keys: Sequence[str | int]) -> Any:
    for key in keys:
        data = data[key]
    return data


_HOW = ["number"] * 6 + ["replace"] * 4 + ["delete", "double", "rename", "move", "swap"]


def _changed(draw: Any, data: Any) -> Any:
    """``data`` with a value replaced, deleted, doubled, renamed, moved or swapped."""
    places = _places(data)
    if not places:
        return draw(VALUES)
    place = draw(st.sampled_from(places))
    parent, key = _at(data, place[:-1]), place[-1]
    other = draw(st.sampled_from(places))
    how = draw(st.sampled_from(_HOW))
    numbers = [p for p in places if isinstance(_at(data, p), int | float)]
    if how == "number" and numbers:
        place = draw(st.sampled_from(numbers))
        _at(data, place[:-1])[place[-1]] = draw(_NUMBERS)
    elif how in {"number", "replace"}:
        parent[key] = draw(VALUES)
    elif how == "delete":
        del parent[key]
    elif how == "swap":
        first, second = _at(data, place), _at(data, other)
        if place[: len(other)] != other and other[: len(place)] != place:
            parent[key], _at(data, other[:-1])[other[-1]] = second, first
    elif isinstance(parent, list):
        parent.insert(0, parent[key])
    elif how == "double":
        # The same key again, which a dict can hold only if it is written in another way.
        parent[Raw(f'"{key}" ')] = parent[key]
    elif how == "rename":
        parent[draw(st.one_of(st.text(max_size=10), st.just(f"{key}x"), st.just(str(key)[1:])))] = (
            parent.pop(key)
        )
    else:
        data[str(key)] = parent.pop(key)
    return data


@st.composite
def restructured(draw: Any, text: str) -> bytes:
    """A YAML file whose structure has changed in one to three places."""
    data = parse_yaml(text, Path("seed")).data
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        data = _changed(draw, data)
    return as_file(data).encode("utf-8", "surrogatepass")


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
_JUNK = [
    b"\0",
    b"\xff\xfe",
    b"\xc3",
    b"\xef\xbb\xbf",
    b"\t",
    b"\r\n",
    b"\r",
    b"\n\n",
    b"---\n",
    b"\n...\n",
    b"\n--- !!set\n",
    b"%YAML 1.1\n---\n",
    b"%YAML 3.1\n---\n",
    b"%TAG ! tag:x,2000:\n---\n",
    b"&a ",
    b"*a ",
    b"<<: *a\n",
    b"<<: {model: 1}\n",
    b"!!python/object/apply:os.system [x] ",
    b"!!binary ",
    b"[" * 3000,
    b"{a: " * 3000,
    b"- " * 3000,
    b"? " * 500,
    b"# \xc2\x85\n",
    b": ",
    b", ",
    b"| ",
    b">-\n",
    b'"',
    b"'",
    b"{",
    b"}",
    b"]",
    b"@",
    b"`",
    b"%",
    b"nan",
    b"\x1b[31m",
    BOMB.encode(),
    b"x" * 100_000,
]


@st.composite
def damaged(draw: Any, text: str) -> bytes:
    """A file whose bytes were cut, doubled or mixed with others."""
    data = text.encode()
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        end = min(len(data), start + draw(st.integers(0, 60)))
        junk = draw(st.one_of(_one_of(_JUNK), st.binary(max_size=4)))
        how = draw(st.sampled_from(["cut", "drop", "double", "insert", "insert", "lines", "crlf"]))
        if how == "cut":
            data = data[:start]
        elif how == "drop":
            data = data[:start] + data[end:]
        elif how == "double":
            data = data[:end] + data[start:]
        elif how == "insert":
            data = data[:start] + junk + data[start:]
        elif how == "lines":
            lines = data.splitlines(keepends=True)
            data = b"".join(draw(st.permutations(lines))) if len(lines) < 30 else data + lines[0]
        else:
            data = data.replace(b"\n", b"\r\n")
    return data


RANDOM = st.one_of(
    st.binary(max_size=200),
    st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.text(alphabet=" \n\t-:?[]{},&*!|>'\"%@`#ab01.~<=", max_size=60).map(str.encode),
    VALUES.map(lambda value: as_file(value).encode("utf-8", "surrogatepass")),
)

_ODD_CELLS = [
    *("nan", "inf", "-inf", "1e400", "1e-400", "1e308", "5e-324", "1e-300", "-1", "0", "-0.0"),
    *("1e5", "1_0", "0x1", "x", "1;2", ",", "#", "é", "", " ", "1 2", "9" * 5000, '"1"', "\0"),
]
_CELLS = st.one_of(
    st.sampled_from(_ODD_CELLS),
    st.floats().map(repr),
    st.text(max_size=5),
)


@st.composite
def retabulated(draw: Any, text: str) -> bytes:
    """A table with rows or cells changed, doubled, mixed up or missing."""
    lines = text.splitlines()
    blank = "," if any("," in line for line in lines if not line.startswith("#")) else " "
    for _ in range(draw(st.integers(1, 3))):
        index = draw(st.integers(0, max(len(lines) - 1, 0)))
        how = draw(
            st.sampled_from(
                ["cell"] * 4 + ["ragged", "double", "drop", "reverse", "few", "scale", "many"]
            )
        )
        if not lines:
            lines = [draw(st.text(max_size=20))]
        elif how == "cell":
            cells = lines[index].split(blank)
            cells[draw(st.integers(0, len(cells) - 1))] = draw(_CELLS)
            lines[index] = blank.join(cells)
        elif how == "ragged":
            lines[index] += blank + draw(_CELLS)
        elif how == "double":
            lines.insert(index, lines[index])
        elif how == "drop":
            del lines[index]
        elif how == "reverse":
            lines[index:] = lines[index:][::-1]
        elif how == "few":
            lines = lines[: draw(st.integers(0, 6))]
        elif how == "scale":
            power = draw(st.integers(-320, 320))
            lines = [line.replace("e-", f"e{power}") for line in lines]
        else:
            lines += [lines[-1]] * draw(st.integers(100, 3000))
    return "\n".join(lines).encode("utf-8", "surrogatepass")


@dataclass(frozen=True)
class Case:
    """A seed with another content."""

    seed: Seed
    data: bytes


def _cases(seeds: Sequence[Seed], *ways: Any) -> st.SearchStrategy[Case]:
    def of(chosen: tuple[Seed, Any]) -> st.SearchStrategy[Case]:
        seed, way = chosen
        return way(seed.text).map(lambda data: Case(seed, data))

    # Not one_of, which would look into the ways and take the simplest most often.
    return st.tuples(st.sampled_from(seeds), st.sampled_from(ways)).flatmap(of)


def _anything(_: str) -> st.SearchStrategy[bytes]:
    return RANDOM


_YAML = (*[restructured] * 8, *[damaged] * 2, _anything)
_TABLES = (*[retabulated] * 8, *[damaged] * 2, _anything)
SEEDS = {
    "run files": run_seeds(),
    "entries": entry_seeds(),
    "curves": curve_seeds(),
    "sets": set_seeds(),
    "priors": prior_seeds(),
    "models": model_seeds(),
    "slices": slice_seeds(),
}
"""By what is mutated."""
CASES = {
    kind: _cases(seeds, *(_TABLES if kind == "curves" else _YAML)) for kind, seeds in SEEDS.items()
}


# What must hold


class Hangs(BaseException):
    """A command that takes too long; nothing that zpfit catches."""


@contextlib.contextmanager
def _watched(patience: int) -> Iterator[None]:
    def stop(*_: object) -> None:
        raise Hangs

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(patience)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@contextlib.contextmanager
def laid_out(case: Case) -> Iterator[Path]:
    """A folder with the files of a case, which is the current one."""
    files = {name: text.encode() for name, text in case.seed.beside.items()}
    with tempfile.TemporaryDirectory() as name, contextlib.chdir(name):
        folder = Path(name)
        for path, data in {**files, case.seed.path: case.data}.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(data)
        yield folder


def invoke(*arguments: str, patience: int = PATIENCE) -> Result:
    """A command in process, watched."""
    with _watched(patience):
        return CliRunner(env={"COLUMNS": "200"}).invoke(cli, list(arguments))


def assert_clear(result: Result, *, names: Sequence[str] = ()) -> None:
    """The command succeeded, or said what is wrong and where."""
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code in {0, 2}, result.output
    if result.exit_code == 2:
        lines = result.stderr.splitlines()
        assert any(line.startswith(("error: ", "Error: ")) for line in lines), result.stderr
        assert result.stdout == ""
        assert "Traceback" not in result.stderr
        assert not names or any(name in result.stderr for name in names), result.stderr


def check(case: Case, patience: int = PATIENCE) -> bool:
    """Whether a case is valid; if not it must be refused clearly."""
    with laid_out(case):
        result = invoke(*case.seed.command, patience=patience)
    beside = str(Path(case.seed.path).parent)
    assert_clear(result, names=(case.seed.path, case.seed.command[-1], f"{beside}/"))
    return result.exit_code == 0


def check_run(case: Case) -> bool:
    """Whether a case runs; if not the folder must hold no results."""
    options = [word for key, value in TINY.items() for word in ("--set", f"{key}={value}")]
    with laid_out(case) as folder, warnings.catch_warnings():
        # Where a posterior is too narrow for the sampler's map, NumPy says so as well.
        warnings.simplefilter("ignore", RuntimeWarning)
        result = invoke("run", "fit.yaml", "--output", "out", *options, patience=LONG_PATIENCE)
        assert_clear(result)
        left = {path.name for path in (folder / "out").rglob("*")}
    assert ("summary.json" in left) == (result.exit_code == 0)
    assert not [name for name in left if name.startswith(".partial")]
    return result.exit_code == 0
