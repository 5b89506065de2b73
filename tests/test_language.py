"""Check the language of messages, docstrings and pages against a list of unclear phrases."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PHRASES = (
    "whoever",
    "nobody",
    "somebody",
    "of which",
    "goes on",
    "go on with",
    "a hair",
    "is asked for",
    "wants that",
    "says nothing",
    "say nothing",
    "by how much",
    "as many as",
    "what is sought",
    "stands elsewhere",
    "without a word",
    "what it is asked",
)
"""Phrases that a native speaker has to read twice; each has a plain alternative."""
UNCLEAR = re.compile(rf"\b({'|'.join(PHRASES)})\b", re.IGNORECASE)
FIRST_WORDS = re.compile(r"(Of|What|The same|Whether|Likewise|As)\b")
"""First words of docstrings that are neither a verb nor a noun phrase."""
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
MODULES = sorted((ROOT / "zpfit").rglob("*.py"))
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def unclear(text: str) -> list[str]:
    return [text[max(m.start() - 40, 0) : m.end() + 20] for m in UNCLEAR.finditer(text)]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_pages_are_plain_english(page: Path) -> None:
    assert not unclear(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("module", MODULES, ids=name_of)
def test_modules_are_plain_english(module: Path) -> None:
    source = module.read_text(encoding="utf-8")
    assert not unclear(source)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, DOCUMENTED) and (text := ast.get_docstring(node)):
            assert not FIRST_WORDS.match(text), text.partition("\n")[0]


def test_an_unclear_phrase_is_found() -> None:
    assert unclear("the samples, of which most are kept")
    assert not unclear("most of the samples are kept")
