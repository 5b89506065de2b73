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


def test_modules_that_are_not_used_are_not_loaded(tmp_path, monkeypatch):
    (tmp_path / "heavy").mkdir()
    for name in ("__init__", "part"):
        (tmp_path / "heavy" / f"{name}.py").write_text("def f(x):\n    return x\n")
    (tmp_path / "light.py").write_text("from heavy import f\nfrom heavy.part import f as g\n")
    monkeypatch.syspath_prepend(tmp_path)
    light = import_without("light", "absent", "heavy", "heavy.part")
    assert light.f is light.g is None
    assert not {"heavy", "heavy.part"} & set(sys.modules)
    assert import_module("light").g(3) == import_module("heavy.part").f(3) == 3
