"""Strategies that damage files: odd values, changed structure, mixed bytes."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

from fuzz_seeds import Raw, as_yaml, yaml_key
from hypothesis import strategies as st

from zpfit.io.yaml import parse_yaml

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
"""Values of other types, extreme numbers, and unusual YAML."""


def _one_of(values: Sequence[Any]) -> st.SearchStrategy[Any]:
    """Draw one of many values, some of them long; return a copy, as it may be mutated further."""
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


def as_file(data: Any) -> str:
    """Return a document whose top-level keys stand on lines of their own."""
    if not isinstance(data, dict):
        return as_yaml(data) + "\n"
    return "".join(f"{yaml_key(key)}: {as_yaml(value)}\n" for key, value in data.items())


# Mutations


def _places(data: Any, keys: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return every place in nested mappings and lists except the root."""
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
    """Return ``data`` with a value replaced, deleted, doubled, renamed, moved or swapped."""
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
        # A duplicate key, which a dict can hold only if the key is written differently.
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
    """Draw a YAML file whose structure has changed in one to three places."""
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
    """Draw a file whose bytes were cut, doubled or mixed with others."""
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
    """Draw a table with rows or cells changed, doubled, mixed up or missing."""
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
