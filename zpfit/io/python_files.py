"""Files beside a user's Python file: the modules that it imports, and the files that it reads.

A run folder holds a copy of all of them, so that a run can be repeated from there, and their hashes
tell whether one has changed.
"""

import ast
import sys
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from importlib.abc import MetaPathFinder
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path, PurePosixPath
from types import CodeType, ModuleType

_UNDER_WAY: ContextVar[tuple[bytes, ...]] = ContextVar("_UNDER_WAY", default=())
"""Contents of the files whose import has begun and not ended.

A script with a model and an analysis imports a copy of itself where the analysis reads the model
from an output folder or for other processes. Copies have other paths but the same content.
"""
_ENDLESS = (
    "the import of this script runs the analysis that imports it; put all but the model below "
    "if __name__ == '__main__':"
)


def module_of(path: Path, name: str) -> tuple[ModuleType, tuple[Path, ...]]:
    """Import a file as a module of the given name, with the modules beside it.

    Modules beside the file are read again at each call, so that two folders may hold modules of one
    name, and changes are seen.

    Parameters
    ----------
    path
        Python file.
    name
        Name under which the module is registered.

    Returns
    -------
    module : ModuleType
        The module.
    files : tuple of Path
        Files of the modules beside ``path`` that it imports, directly or not.

    Raises
    ------
    ImportError
        ``path`` is no Python file, or the import of a file of this content leads to itself. The
        code itself may raise anything.
    """
    beside = modules_beside(path)
    _forget(beside)
    finder = _Finder(path.parent, frozenset(beside))
    # The finder stays, since functions may import when they are called.
    sys.meta_path[:] = [finder, *(old for old in sys.meta_path if not finder.replaces(old))]
    spec = spec_from_file_location(name, path, loader=_SourceLoader(name, str(path)))
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and pickle look their module up there
    content = path.read_bytes()
    if content in _UNDER_WAY.get():
        raise ImportError(_ENDLESS)
    token = _UNDER_WAY.set((*_UNDER_WAY.get(), content))
    try:
        spec.loader.exec_module(module)
    finally:
        _UNDER_WAY.reset(token)
    return module, tuple(file for files in beside.values() for file in files)


def modules_beside(path: Path) -> dict[str, tuple[Path, ...]]:
    """Return the modules in the folder of a Python file that it imports, directly or not.

    Parameters
    ----------
    path
        Python file.

    Returns
    -------
    dict of str to tuple of Path
        Files of each module or package, by its name. Modules of Python itself, and those that are
        loaded from elsewhere, are not among them.
    """
    found: dict[str, tuple[Path, ...]] = {}
    unread = [path]
    while unread:
        for name in _imported_names(unread.pop()):
            files = () if name in found else _files_of(path.parent, name)
            if files and not _is_elsewhere(name, path.parent):
                found[name] = files
                unread += [file for file in files if file != path]
    return found


def listed_files(path: Path, names: Sequence[str]) -> tuple[Path, ...]:
    """Return files that a Python file reads.

    Parameters
    ----------
    path
        Python file.
    names
        Paths of files, relative to its folder.

    Raises
    ------
    ValueError
        A name leads out of the folder, or there is no such file.
    """
    for name in names:
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            raise ValueError(f"lists {name!r}, which must lie in the folder of {path.name}")
        if not (path.parent / name).is_file():
            raise ValueError(f"lists {name!r}, which is no file in the folder of {path.name}")
    return tuple(path.parent / name for name in names)


def by_place(main: str, path: Path, files: Sequence[Path]) -> dict[str, Path]:
    """Return a Python file and others in its folder, by their places in a library.

    Parameters
    ----------
    main
        Place of the Python file, which comes first.
    path
        The Python file.
    files
        Files in its folder or below it.

    Examples
    --------
    >>> files = [Path("/a/table.dat"), Path("/a/more/b.py")]
    >>> list(by_place("own/my.py", Path("/a/my.py"), files))
    ['own/my.py', 'own/table.dat', 'own/more/b.py']
    """
    folder = PurePosixPath(main).parent
    others = {str(folder / file.relative_to(path.parent).as_posix()): file for file in files}
    return {main: path} | others


def _imported_names(path: Path) -> Iterator[str]:
    """Yield the first parts of the names that a file imports."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return  # the import itself reports what is wrong
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]


def _files_of(folder: Path, name: str) -> tuple[Path, ...]:
    """Return the files of a module or package in a folder; empty if there is none."""
    module, package = folder / f"{name}.py", folder / name
    if name in sys.stdlib_module_names or name == __name__.partition(".")[0]:
        return ()
    if (package / "__init__.py").is_file() or (package.is_dir() and any(package.glob("*.py"))):
        return tuple(sorted(file for file in package.rglob("*.py") if file.is_file()))
    return (module,) if module.is_file() else ()


def _is_elsewhere(name: str, folder: Path) -> bool:
    """Return True if a module of this name is loaded that no call of :func:`module_of` loaded."""
    module = sys.modules.get(name)
    if module is None or isinstance(module.__spec__ and module.__spec__.loader, _SourceLoader):
        return False
    places = [module.__file__] if module.__file__ else list(getattr(module, "__path__", []))
    return not any(Path(place).resolve().is_relative_to(folder.resolve()) for place in places)


def _forget(names: dict[str, tuple[Path, ...]]) -> None:
    """Drop modules, so that they are imported again."""
    for loaded in list(sys.modules):
        if loaded.partition(".")[0] in names:
            del sys.modules[loaded]


class _SourceLoader(SourceFileLoader):
    """A loader that compiles each time.

    Python's cache takes an edit within a second for no change if the size of the file stays.
    """

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)


class _Finder(MetaPathFinder):
    """Finds the modules beside one Python file, before those of installed packages."""

    def __init__(self, folder: Path, names: frozenset[str]) -> None:
        self._folder, self._names = folder, names

    def replaces(self, other: object) -> bool:
        """Return True for an earlier finder of the same folder."""
        return isinstance(other, _Finder) and other._folder == self._folder  # noqa: SLF001

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,
    ) -> ModuleSpec | None:
        if fullname.partition(".")[0] not in self._names:
            return None
        for place in [str(self._folder)] if path is None else path:
            finder = FileFinder(place, (_SourceLoader, [".py"]))
            spec = finder.find_spec(fullname, target)
            if spec is not None:
                return spec
        return None
