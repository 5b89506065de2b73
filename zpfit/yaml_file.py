"""Read YAML 1.2 files, remembering the line of every key so that a problem can name it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from io import StringIO
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from zpfit.errors import InvalidYaml, UnreadableFile

KeyPath = tuple[str | int, ...]
SET = "--set"


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
                return f"{option} {name}" if option == SET else option
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
        return replace(self, data=data, lines=lines, changed={**self.changed, keys: source})

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

    Raises:
        UnreadableFile: the file is missing, not permitted, a folder or not UTF-8.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise UnreadableFile(path, error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise UnreadableFile(path, "not UTF-8 text") from error


def read_yaml(path: Path) -> Document:
    """Parse a file.

    Raises:
        UnreadableFile: see :func:`read_text`.
        InvalidYaml: a syntax error, or a key written twice.
    """
    return parse_yaml(read_text(path), path)


def parse_yaml(text: str, path: Path) -> Document:
    """Parse ``text``; ``path`` is only named in messages.

    Raises:
        InvalidYaml: a syntax error, or a key written twice.
    """
    try:
        tree = YAML(typ="rt").load(text)
        lines: dict[KeyPath, int] = {}
        return Document(path, _plain(tree, (), lines), lines)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InvalidYaml(path, line, str(error.problem or error)) from error
    except (YAMLError, ValueError) as error:
        raise InvalidYaml(path, 1, " ".join(str(error).split())) from error
    except RecursionError as error:
        raise InvalidYaml(path, 1, "nested too deeply") from error


def dump_yaml(data: Any) -> str:
    """``data`` as YAML 1.2 text, keys in their order."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    stream = StringIO()
    yaml.dump(data, stream)
    return stream.getvalue()


def _plain(node: Any, keys: KeyPath, lines: dict[KeyPath, int]) -> Any:
    if isinstance(node, CommentedMap):
        result = {}
        for key, value in node.items():
            child = (*keys, str(key))
            lines[child] = node.lc.key(key)[0] + 1 if key in node.lc.data else 1
            result[str(key)] = _plain(value, child, lines)
        return result
    if isinstance(node, CommentedSeq):
        for index in range(len(node)):
            lines[(*keys, index)] = node.lc.item(index)[0] + 1
        return [_plain(value, (*keys, index), lines) for index, value in enumerate(node)]
    for kind in (bool, int, float, str):
        if isinstance(node, kind):
            return kind(node)
    # What is left (dates, tagged scalars, null) is no number and no name here.
    return None if node is None else str(node)
