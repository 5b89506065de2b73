"""Read YAML 1.2 files with the line of every key, so that messages can name it.

Files may be malicious. ruamel.yaml only locates mappings, lists and scalars; this module decides
what they become: a dict, list, string, number, boolean or None, and never a Python object. Sizes
are limited, so that no file takes minutes or all memory to read.
"""

import re
from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from functools import lru_cache
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from zpfit.errors import InvalidYaml, MissingFile, UnreadableFile, in_short
from zpfit.io.document import Document, KeyPath
from zpfit.io.letters import with_one_mu

_LARGEST_FILE = 100_000_000
"""Largest size of any file, in bytes."""
_LARGEST_YAML = 1_000_000
"""Largest size of a YAML file, in characters."""
_MOST_VALUES = 20_000
"""Largest number of values in one file; aliases count as often as they are used."""
_DEEPEST = 40
"""Largest depth of nested mappings and lists."""
_TOO_DEEP = f"nested more than {_DEEPEST} levels deep"
_LONGEST_KEY, _LONGEST_TEXT = 200, 20_000
"""Largest length of keys and texts, in characters."""
_LONGEST_NUMBER = 300
"""Largest length of a number; longer integers do not fit into a floating-point number."""
_TAGS = "tag:yaml.org,2002:"
_BOOLEANS = {"true": True, "false": False}
_BASES = {"0x": 16, "0o": 8, "0b": 2}
# Surrogates cannot be written to a file; control characters change how a terminal shows a text.
_NOT_TEXT = re.compile(r"[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\U0010ffff]")


def read_text(path: Path) -> str:
    """Return the text of a file; every line ends in a single newline character.

    Raises
    ------
    MissingFile
        The file does not exist.
    UnreadableFile
        The file is a folder, too large, not UTF-8, or must not be read.
    """
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
        text = data.decode("utf-8-sig")
    except FileNotFoundError as error:
        raise MissingFile(path, error.strerror or str(error)) from error
    except OSError as error:
        raise UnreadableFile(path, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise UnreadableFile(path, "not UTF-8 text") from error
    if len(data) > _LARGEST_FILE:
        raise UnreadableFile(path, f"more than {_LARGEST_FILE:,} bytes")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def is_file(path: Path) -> bool:
    """Return True if the file exists; names that the system rejects do not."""
    try:
        return path.is_file()
    except OSError:
        return False


def read_yaml(path: Path) -> Document:
    """Return the content of a YAML file.

    Raises
    ------
    UnreadableFile
        See :func:`read_text`.
    InvalidYaml
        See :func:`parse_yaml`.
    """
    return parse_yaml(read_text(path), path)


def parse_yaml(text: str, path: Path) -> Document:
    """Return the content of YAML text; ``path`` names its source in messages.

    Raises
    ------
    InvalidYaml
        The text has a syntax error, a duplicate key or a tag, or is too large.

    Examples
    --------
    >>> document = parse_yaml("sampler: {walkers: 64}", Path("fit.yaml"))
    >>> document.data
    {'sampler': {'walkers': 64}}
    >>> document.place(["sampler", "walkers"])
    'fit.yaml:1: sampler.walkers'
    """
    document = _parsed(text, path)
    return replace(document, data=deepcopy(document.data))


@lru_cache(maxsize=1024)
def _parsed(text: str, path: Path) -> Document:
    """Return a cached document; a campaign reads the same few entries for hundreds of fits."""
    if len(text) > _LARGEST_YAML:
        raise InvalidYaml(path, 1, f"longer than {_LARGEST_YAML:,} characters")
    parser = YAML(typ="safe", pure=True)
    parser.max_depth = _DEEPEST
    parser.composer.warn_double_anchors = False  # YAML lets an anchor be used again
    content = _Content(path)
    try:
        return Document(path, content.plain(parser.compose(text), ()), content.lines)
    except MaxDepthExceededError as error:
        raise InvalidYaml(path, error.problem_mark.line + 1, _TOO_DEEP) from error
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InvalidYaml(path, line, str(error.problem or error)) from error
    except YAMLError as error:
        raise InvalidYaml(path, 1, " ".join(str(error).split())) from error
    except RecursionError as error:
        raise InvalidYaml(path, 1, _TOO_DEEP) from error


def dump_yaml(data: Any) -> str:
    """Return plain data as YAML 1.2 text, with keys in their order.

    Examples
    --------
    >>> print(dump_yaml({"model": "effective", "seed": 1}), end="")
    model: effective
    seed: 1
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    stream = StringIO()
    yaml.dump(data, stream)
    return stream.getvalue()


class _Content:
    """Converts the nodes of a file to plain data, and notes the line of each key."""

    def __init__(self, path: Path) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._path = path
        self._values = 0

    def plain(self, node: Node | None, keys: KeyPath) -> Any:
        """Return the node under ``keys`` as plain data.

        Raises
        ------
        InvalidYaml
            The node has a tag or a duplicate key, or is too large.
        """
        if node is None:
            return None  # an empty file
        self._values += 1
        if self._values > _MOST_VALUES:
            raise self._invalid(node, f"more than {_MOST_VALUES:,} values, aliases written out")
        if len(keys) > _DEEPEST:
            raise self._invalid(node, f"{_TOO_DEEP}: an alias refers to a parent of itself")
        kind = self._kind(node)
        if isinstance(node, MappingNode) and kind == "map":
            return self._mapping(node, keys)
        if isinstance(node, SequenceNode) and kind == "seq":
            for index, item in enumerate(node.value):
                self.lines[*keys, index] = _line(item)
            return [self.plain(item, (*keys, index)) for index, item in enumerate(node.value)]
        if isinstance(node, ScalarNode) and kind in _SCALARS:
            return self._scalar(node, kind)
        raise self._invalid(node, f"tag !!{kind} does not belong here; leave it out")

    def _kind(self, node: Node) -> str:
        """Return the type of a node from its tag.

        Raises
        ------
        InvalidYaml
            The tag is not one of plain YAML; tags never create Python objects.
        """
        tag = str(node.tag)
        kind = tag.removeprefix(_TAGS)
        if kind not in {*_SCALARS, "map", "seq"}:
            shown = f"!!{kind}" if tag.startswith(_TAGS) else tag
            raise self._invalid(node, f"tag {in_short(shown)} is not allowed; leave it out")
        return kind

    def _mapping(self, node: MappingNode, keys: KeyPath) -> dict[str, Any]:
        result: dict[str, Any] = {}
        own = set()
        # Merged mappings (<<) come first, so that own keys replace theirs.
        for key_node, value in sorted(node.value, key=lambda pair: not _merges(pair[0])):
            if _merges(key_node):
                result = self._merged(value, keys) | result
                continue
            key = self._key(key_node)
            if key in own:
                raise self._invalid(key_node, f"found duplicate key {key!r}")
            own.add(key)
            self.lines[*keys, key] = _line(key_node)
            result[key] = self.plain(value, (*keys, key))
        return result

    def _merged(self, node: Node, keys: KeyPath) -> dict[str, Any]:
        """Return a merged mapping, or the union of a list of them; earlier ones have priority."""
        result: dict[str, Any] = {}
        for source in node.value if isinstance(node, SequenceNode) else [node]:
            if not isinstance(source, MappingNode):
                raise self._invalid(source, "<< takes a mapping or a list of mappings")
            result = self.plain(source, keys) | result
        return result

    def _key(self, node: Node) -> str:
        if not isinstance(node, ScalarNode):
            raise self._invalid(node, "a key must be text, not a list or a mapping")
        self._kind(node)
        key = str(node.value)
        if len(key) > _LONGEST_KEY:
            raise self._invalid(node, f"a key of more than {_LONGEST_KEY} characters")
        if "\n" in key:
            raise self._invalid(node, f"a key must be on one line, not {key!r}")
        return self._text(node)

    def _scalar(self, node: ScalarNode, kind: str) -> str | int | float | None:
        """Return a text, number, boolean or None, according to the tag."""
        text = str(node.value)
        read = _SCALARS.get(kind)
        if read is None:
            return self._text(node)
        if len(text) > _LONGEST_NUMBER:
            raise self._invalid(node, f"a number of more than {_LONGEST_NUMBER} characters")
        try:
            return read(text)
        except (ValueError, KeyError):
            raise self._invalid(node, f"{text!r} is no {kind}") from None

    def _text(self, node: ScalarNode) -> str:
        text = str(node.value)
        if len(text) > _LONGEST_TEXT:
            raise self._invalid(node, f"a text of more than {_LONGEST_TEXT:,} characters")
        found = _NOT_TEXT.search(text)
        if found:
            raise self._invalid(node, f"the character {found[0]!r} is not allowed in text")
        return with_one_mu(text)

    def _invalid(self, node: Node, reason: str) -> InvalidYaml:
        return InvalidYaml(self._path, _line(node), reason)


def _line(node: Node) -> int:
    return int(node.start_mark.line) + 1


def _merges(key: Node) -> bool:
    return str(key.tag) == f"{_TAGS}merge"


def _boolean(text: str) -> bool:
    return _BOOLEANS[text.lower()]


def _integer(text: str) -> int:
    return int(text.replace("_", ""), _BASES.get(text.lstrip("+-")[:2].lower(), 10))


def _number(text: str) -> float:
    return float(re.sub(r"\.(?=inf|nan)", "", text.replace("_", "").lower()))


def _nothing(_: str) -> None:
    return None


_SCALARS: dict[str, Callable[[str], int | float | None] | None] = {
    "null": _nothing,
    "bool": _boolean,
    "int": _integer,
    "float": _number,
    # Dates, and further types of YAML 1.1, are read as text.
    **dict.fromkeys(("str", "timestamp", "value", "merge")),
}
"""Functions that read a scalar, by its tag; None for text."""
