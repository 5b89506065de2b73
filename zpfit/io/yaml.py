"""Read YAML 1.2 files, remembering the line of every key so that a problem can name it.

Files may come from anybody. The parser of ruamel.yaml only says where mappings, lists and scalars
are; what they become is decided here, and it is never anything but a dict, list, text, number,
boolean or None. Sizes are limited, so that no file can take minutes or all memory to read.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from functools import lru_cache
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.composer import MaxDepthExceededError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from zpfit.errors import InvalidYaml, MissingFile, UnreadableFile, in_short

KeyPath = tuple[str | int, ...]
SET, MODEL, PROFILE = "--set", "--model", "--profile"
_KEYED = (SET, MODEL, PROFILE)
"""Options behind which a message names the key that it is about."""

_LARGEST_FILE = 100_000_000
"""Bytes, of any file."""
_LARGEST_YAML = 1_000_000
"""Characters."""
_MOST_VALUES = 20_000
"""In one file, those that aliases repeat counted again."""
_DEEPEST = 40
"""Mappings and lists inside each other."""
_TOO_DEEP = f"nested more than {_DEEPEST} levels deep"
_LONGEST_KEY, _LONGEST_TEXT = 200, 20_000
"""Characters."""
_LONGEST_NUMBER = 300
"""Characters; longer integers do not fit into a floating-point number."""
_TAGS = "tag:yaml.org,2002:"
_BOOLEANS = {"true": True, "false": False}
_BASES = {"0x": 16, "0o": 8, "0b": 2}
# Surrogates cannot be written to a file or a terminal, control characters change what one shows.
_NOT_TEXT = re.compile(r"[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\U0010ffff]")


@dataclass(frozen=True)
class Document:
    """The content of a YAML file as plain dicts, lists, strings, numbers and booleans."""

    path: Path
    data: Any
    lines: Mapping[KeyPath, int]
    """Line of each key or list item, counted from 1."""
    changed: Mapping[KeyPath, str] = field(default_factory=dict)
    """Keys that do not come from the file but from an option, and what names it in messages."""
    parents: KeyPath = ()
    """Where this part of a file hangs."""

    def place(self, keys: Sequence[str | int]) -> str:
        """``file:line: a.b.c`` of a key, or of its nearest parent that stands in the file."""
        keys = (*self.parents, *keys)
        name = ".".join(str(key) for key in keys)
        for depth in range(len(keys), 0, -1):
            if keys[:depth] in self.changed:
                option = self.changed[keys[:depth]]
                return f"{option} {name}" if option in _KEYED else option
            line = self.lines.get(keys[:depth])
            if line is not None:
                return f"{self.path}:{line}: {name}"
        return f"{self.path}: {name}" if name else str(self.path)

    def below(self, keys: KeyPath) -> "Document":
        """The part of the file under ``keys``, an empty mapping if there is none."""
        data = self.data
        for key in keys:
            data = data.get(key, {}) if isinstance(data, dict) else {}
        return replace(self, data=data, parents=(*self.parents, *keys))

    def with_value(self, keys: KeyPath, value: Any, source: str = SET) -> "Document":
        """A copy with one value set, parents made as needed; messages name the ``source``."""
        if not isinstance(self.data, dict | None):
            return self  # no mapping: whoever validates it says so
        data = dict(self.data or {})
        node = data
        for key in keys[:-1]:
            child = node.get(key)
            node[key] = dict(child) if isinstance(child, dict) else {}
            node = node[key]
        node[keys[-1]] = value
        keys = (*self.parents, *keys)
        lines = {k: v for k, v in self.lines.items() if k[: len(keys)] != keys}
        changed = {k: v for k, v in self.changed.items() if k[: len(keys)] != keys}
        return replace(self, data=data, lines=lines, changed={**changed, keys: source})

    def with_item(self, keys: KeyPath, item: Any, option: str) -> "Document":
        """A copy with an item more at the end of a list; ``option`` names it in messages."""
        held = self.below(keys).data or []
        if not isinstance(held, list):
            return self  # no list: whoever validates it says so
        longer = self.with_value(keys, [*held, item])
        changed = {**self.changed, (*keys, len(held)): option}
        return replace(longer, lines=self.lines, changed=changed)


def read_text(path: Path) -> str:
    """The text of a file.

    Raises
    ------
    UnreadableFile
        The file is missing, not permitted, a folder, far too large or not UTF-8.
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
    """Whether there is such a file; there is none whose name is too long or not permitted."""
    try:
        return path.is_file()
    except OSError:
        return False


def read_yaml(path: Path) -> Document:
    """Parse a file.

    Raises
    ------
    UnreadableFile
        See :func:`read_text`.
    InvalidYaml
        A syntax error, or a key written twice.
    """
    return parse_yaml(read_text(path), path)


def parse_yaml(text: str, path: Path) -> Document:
    """Parse ``text``; ``path`` is only named in messages.

    Raises
    ------
    InvalidYaml
        A syntax error, a key written twice, a tag, or something far too large.
    """
    document = _parsed(text, path)
    return replace(document, data=deepcopy(document.data))


@lru_cache(maxsize=256)
def _parsed(text: str, path: Path) -> Document:
    """The document that others get copies of: hundreds of fits read the same few entries."""
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
    """``data`` as YAML 1.2 text, keys in their order."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    stream = StringIO()
    yaml.dump(data, stream)
    return stream.getvalue()


class _Content:
    """What the nodes of a file stand for, and the line of each key."""

    def __init__(self, path: Path) -> None:
        self.lines: dict[KeyPath, int] = {}
        self._path = path
        self._values = 0

    def plain(self, node: Node | None, keys: KeyPath) -> Any:
        """A node as plain data; ``keys`` lead to it.

        Raises
        ------
        InvalidYaml
            It has a tag, a key twice or is too large.
        """
        if node is None:
            return None  # an empty file
        self._values += 1
        if self._values > _MOST_VALUES:
            raise self._invalid(node, f"more than {_MOST_VALUES:,} values, aliases written out")
        if len(keys) > _DEEPEST:
            raise self._invalid(node, f"{_TOO_DEEP}: an alias refers to what it stands in")
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
        """What the tag of a node says that it is.

        Raises
        ------
        InvalidYaml
            The tag is none of plain YAML; no tag ever makes an object of Python.
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
        # What is merged (<<) comes first, so that own keys replace it.
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
        """What a mapping, or a list of them of which the first ones win, is made of."""
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
        """Text, a number, a boolean or None, as the tag says that YAML gave it or a file did."""
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
        return text

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
    # Dates and what YAML 1.1 had further are text here.
    **dict.fromkeys(("str", "timestamp", "value", "merge")),
}
"""How a scalar is read, by its tag; None for text."""
