"""Write tables between the marks of a page in Markdown."""

from collections.abc import Sequence
from pathlib import Path


def write_tables(page: Path, name: str, lines: Sequence[str]) -> None:
    """Replace what is between ``<!-- NAME: begin -->`` and ``<!-- NAME: end -->``."""
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    text = page.read_text(encoding="utf-8")
    head, _, rest = text.partition(begin)
    _, _, tail = rest.partition(end)
    page.write_text("\n".join([head + begin, "", *lines, "", end + tail]), encoding="utf-8")
