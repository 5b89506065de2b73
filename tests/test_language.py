"""Check the language of messages, docstrings and pages against a list of unclear phrases."""

import ast
import re
from pathlib import Path

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


def unclear_first_lines(source: str) -> list[str]:
    """Return the first lines of docstrings that begin neither with a verb nor with a noun."""
    nodes = [node for node in ast.walk(ast.parse(source)) if isinstance(node, DOCUMENTED)]
    texts = [ast.get_docstring(node) or "" for node in nodes]
    return [text.partition("\n")[0] for text in texts if FIRST_WORDS.match(text)]


def test_pages_and_modules_are_plain_english() -> None:
    texts = {path: path.read_text(encoding="utf-8") for path in [*PAGES, *MODULES]}
    found = {name_of(path): unclear(text) for path, text in texts.items()}
    assert not {name: phrases for name, phrases in found.items() if phrases}


def test_docstrings_begin_with_a_verb_or_a_noun() -> None:
    found = {
        name_of(path): unclear_first_lines(path.read_text(encoding="utf-8")) for path in MODULES
    }
    assert not {name: lines for name, lines in found.items() if lines}


def test_an_unclear_phrase_is_found() -> None:
    assert unclear("the samples, of which most are kept")
    assert not unclear("most of the samples are kept")
    assert unclear_first_lines('def f():\n    """What f returns."""\n') == ["What f returns."]
