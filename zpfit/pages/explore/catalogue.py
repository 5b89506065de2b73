"""Models and data that the page offers, and a cache of the chosen ones."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any

from zpfit.errors import RunNotFound, UnknownName
from zpfit.inference.problem import Problem
from zpfit.io.library import Library
from zpfit.io.yaml import dump_yaml
from zpfit.likelihood.build import Assembled, LikelihoodSpec, assemble
from zpfit.models.library import ModelSpec, model_names
from zpfit.pages.explore.subject import Subject, build, named_model, named_priors
from zpfit.runs.run_file import find_run_file, load_run
from zpfit.runs.run_folder import RunFolder

_DEFAULT_MODEL = "effective"
_KEPT = 16
"""Number of subjects that stay in memory."""


@dataclass(frozen=True)
class OwnRun:
    """The run that the page was opened for."""

    run: Problem
    text: str
    """The model, as a run file describes it."""
    best_fit: Mapping[str, float] | None
    """Parameters of the best fit, if the run is finished."""


@dataclass
class Catalogue:
    """Models and data to choose from; builds each subject once."""

    library: Library
    model: str
    """Model at the start, as a run file describes it."""
    likelihood: str
    """Likelihood at the start: a set, or the name of the run's data."""
    own: OwnRun | None = None
    place: str = "model"
    """Place of the model at the start in messages."""
    _subjects: OrderedDict[tuple[str, str], Subject] = field(default_factory=OrderedDict)
    _lock: Lock = field(default_factory=Lock)

    @property
    def models(self) -> list[str]:
        """Models to choose from, that of the command included."""
        own = [self.model, *([self.own.text] if self.own else [])]
        return list(dict.fromkeys([*model_names(self.library), *own]))

    @property
    def likelihoods(self) -> dict[str, str]:
        """Titles of sets, and of the run's data if they are not a set."""
        found = {}
        for name in self.library.names("likelihood set"):
            data = self.library.document("likelihood set", name).data
            found[name] = str(data.get("title", name)) if isinstance(data, dict) else name
        if self.own is not None:
            found.setdefault(self.own.run.assembled.likelihood.name, f"of {self.own.run.name}")
        return found

    def is_found_elsewhere(self, likelihood: str) -> bool:
        """Return whether the data are a named set, which other commands find."""
        there = Library.beside()
        if likelihood not in there.names("likelihood set"):
            return False
        path = self.library.find("likelihood set", likelihood)
        return path.resolve() == there.find("likelihood set", likelihood).resolve()

    def subject(self, model: str, likelihood: str) -> Subject:
        """Return the subject of a model and data.

        Raises
        ------
        UnknownName, InvalidInput, InvalidYaml, InvalidModel
            The model or the data cannot be loaded.
        """
        with self._lock:
            key = (model, likelihood)
            if key not in self._subjects:
                self._subjects[key] = self._built(model, likelihood)
                if len(self._subjects) > _KEPT:
                    self._subjects.popitem(last=False)
            self._subjects.move_to_end(key)
            return self._subjects[key]

    def _built(self, text: str, likelihood: str) -> Subject:
        trusted = {self.model, self.own.text if self.own else ""}
        place = self.place if text == self.model else "request"
        named = named_model(text, self.library, trusted.__contains__, place)
        assembled = self._assembled(likelihood)
        if self.own is None or text != self.own.text:
            return build(named, assembled, named_priors(named.loaded.model, self.library))
        posterior = self.own.run.posterior
        same_data = likelihood == posterior.likelihood.name
        start = self.own.best_fit if same_data else None
        return build(named, assembled, posterior.priors.by_name, start)

    def _assembled(self, likelihood: str) -> Assembled:
        if self.own is not None and likelihood == self.own.run.assembled.likelihood.name:
            return self.own.run.assembled
        if likelihood not in self.likelihoods:
            raise UnknownName("likelihood set", likelihood, self.likelihoods, "likelihood")
        return assemble(
            LikelihoodSpec(set=likelihood),
            self.library,
            lambda *_: "likelihood",
            allow_code=likelihood == self.likelihood,
        )


def open_catalogue(source: str, model: str | None, place: str = "model") -> Catalogue:
    """Open the catalogue for a set, a run file or a run folder, and a model.

    Parameters
    ----------
    source
        Name of a likelihood set or run, or path of a run file or run folder.
    model
        The model at the start, as a run file describes it; that of the run by default.
    place
        Place of the model in messages.

    Raises
    ------
    UnknownName
        No set, run or model has that name.
    InvalidInput
        The run file or the model has problems, each with its place.
    """
    library = Library.beside()
    if source in library.names("likelihood set") and not Path(source).is_dir():
        catalogue = Catalogue(library, model or _DEFAULT_MODEL, source, place=place)
    else:
        catalogue = _of_run(source, model, library, place)
    catalogue.subject(catalogue.model, catalogue.likelihood)
    return catalogue


def _of_run(source: str, model: str | None, library: Library, place: str) -> Catalogue:
    is_file = Path(source).suffix in {".yaml", ".yml"} or len(Path(source).parts) > 1
    names = {*library.names("run"), *library.names("likelihood set")}
    if not is_file and not Path(source).is_dir() and source not in names:
        raise UnknownName("likelihood set or run", source, names)
    if Path(source).is_dir() and not RunFolder(Path(source)).config_path.is_file():
        raise RunNotFound(Path(source), "config.yaml")
    path = find_run_file(source)
    run = load_run(path)
    folder = RunFolder(path.parent)
    best = folder.summary()["best_fit"]["parameters"] if folder.is_finished else None
    own = OwnRun(run, _in_words(run.settings.model), best)
    name = run.assembled.likelihood.name
    return Catalogue(Library.beside(path), model or own.text, name, own, place)


def _in_words(spec: ModelSpec) -> str:
    """Return the description of a run's model as text."""
    said: dict[str, Any] = spec.model_dump(mode="json", exclude_defaults=True)
    if set(said) == {"name"}:
        return str(said["name"])
    return dump_yaml(said).strip()
