"""Import a package without another one that it does not need."""

import sys
from importlib import import_module

from zpfit.io.lean_imports import import_without


def test_a_package_is_imported_without_another_and_later_whole(tmp_path, monkeypatch):
    (tmp_path / "lean").mkdir()
    (tmp_path / "friend.py").touch()
    (tmp_path / "lean" / "inner.py").write_text("value = 7")
    (tmp_path / "lean" / "__init__.py").write_text(
        "try:\n    import friend\nexcept ModuleNotFoundError:\n    friend = None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    assert import_without("lean.inner", "friend").value == 7
    assert "friend" not in sys.modules
    assert import_module("lean").friend is not None
