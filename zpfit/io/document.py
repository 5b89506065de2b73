"""Documents: plain data, such as the content of a YAML file, and the place of each key."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

from zpfit.io.letters import with_one_mu

KeyPath = tuple[str | int, ...]
"""Keys and list indices that lead to a value."""


@dataclass(frozen=True)
class Source:
    """Origin of a value that replaces one of a file; messages name it instead of a line."""

    name: str = ""
    """Such as an option of a command; empty if the key alone says where to look."""
    names_key: bool = True
    """True if messages add the key to the name."""

    def place(self, key: str) -> str:
        """Return how messages name a key of this origin.

        Examples
        --------
        >>> Source("change").place("seed")
        'change seed'
        >>> Source().place("seed")
        'seed'
        """
        return f"{self.name} {key}".strip() if self.names_key else self.name


UNNAMED = Source()
"""Origin of a change for which messages name the key only."""


@dataclass(frozen=True)
class Given:
    """A value together with its origin."""

    value: Any
    source: Source = UNNAMED


@dataclass(frozen=True)
class Document:
    """Content of a file as plain dicts, lists, strings, numbers and booleans.

    Examples
    --------
    >>> document = Document(Path("fit.yaml"), {"sampler": {"walkers": 64}}, {("sampler",): 3})
    >>> document.place(["sampler", "walkers"])
    'fit.yaml:3: sampler.walkers'
    >>> document.with_value(("seed",), -1, Source("option")).place(["seed"])
    'option seed'
    """

    path: Path
    """File, or a name for data that do not come from a file."""
    data: Any
    lines: Mapping[KeyPath, int]
    """Line of each key or list item, counted from 1."""
    changed: Mapping[KeyPath, Source] = field(default_factory=dict)
    """Origin of each value that does not come from the file."""
    parents: KeyPath = ()
    """Keys of the file above this part of it."""

    def place(self, keys: Sequence[str | int]) -> str:
        """Return ``file:line: a.b.c`` of a key, with the line of its nearest parent in the file.

        The place of a changed value is its source.
        """
        keys = (*self.parents, *keys)
        name = ".".join(str(key) for key in keys)
        for depth in range(len(keys), 0, -1):
            if keys[:depth] in self.changed:
                return self.changed[keys[:depth]].place(name)
            line = self.lines.get(keys[:depth])
            if line is not None:
                return f"{self.path}:{line}: {name}"
        return f"{self.path}: {name}" if name else str(self.path)

    def below(self, keys: KeyPath) -> "Document":
        """Return the part of the file under ``keys``; an empty mapping if there is none."""
        data = self.data
        for key in keys:
            data = data.get(key, {}) if isinstance(data, dict) else {}
        return replace(self, data=data, parents=(*self.parents, *keys))

    def with_value(self, keys: KeyPath, value: Any, source: Source = UNNAMED) -> "Document":
        """Return a copy with one value replaced; missing parents become mappings.

        Parameters
        ----------
        keys : KeyPath
            Keys that lead to the value.
        value : object
            Plain data.
        source : Source
            Origin of the value, for messages.
        """
        if not isinstance(self.data, dict | None):
            return self  # validation reports that the document is no mapping
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

    def with_item(self, keys: KeyPath, item: Given) -> "Document":
        """Return a copy with an item appended to a list.

        Parameters
        ----------
        keys : KeyPath
            Keys that lead to the list.
        item : Given
            Plain data and their origin.
        """
        held = self.below(keys).data or []
        if not isinstance(held, list):
            return self  # validation reports that the value is no list
        longer = self.with_value(keys, [*held, item.value])
        # The list keeps the line that it has in the file: only the new item has another source.
        changed = {**self.changed, (*keys, len(held)): item.source}
        return replace(longer, lines=self.lines, changed=changed)


def plain_data(value: Any) -> Any:
    """Return data of Python code as YAML would give them; objects of other types are kept.

    Models of pydantic become mappings, paths strings, tuples and arrays lists, and NumPy's scalars
    those of Python.

    Examples
    --------
    >>> plain_data({"output": Path("first"), "points": (1, np.float64(2.5))})
    {'output': 'first', 'points': [1, 2.5]}
    """
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, Mapping):
        return {with_one_mu(str(key)): plain_data(below) for key, below in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain_data(below) for below in value]
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, str):
        return with_one_mu(value)
    return str(value) if isinstance(value, Path) else value
