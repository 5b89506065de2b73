"""Samples of a posterior with every quantity that other programs use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zpfit.analysis.fit import FitResult
from zpfit.analysis.records import FitSummary
from zpfit.errors import ZpfitError
from zpfit.inference.priors import Fixed, Normal, Prior, Priors
from zpfit.inference.problem import Problem
from zpfit.inference.samplers.result import StoredSamples
from zpfit.io.arrays import FloatArray
from zpfit.io.logging import LOGGER
from zpfit.io.schema import StrictModel, validate
from zpfit.io.yaml import read_yaml
from zpfit.physics.couplings import TABLE
from zpfit.runs.run_file import load_run
from zpfit.runs.run_folder import RunFolder
from zpfit.runs.samples import by_chain

_SYMBOLS = {row.name: row.symbol for row in TABLE}
"""LaTeX symbol of each coupling, without dollar signs."""


@dataclass(frozen=True)
class Column:
    """A quantity at every sample."""

    name: str
    values: FloatArray
    """Shape (chains, draws)."""
    symbol: str
    """LaTeX, without dollar signs."""
    unit: str = ""
    derived: bool = False
    """True for a quantity that follows from the sampled parameters."""
    bounds: tuple[float | None, float | None] = (None, None)
    """Lower and upper bound of the prior; None where the prior has no bound."""

    @property
    def varies(self) -> bool:
        """True if all values are finite and not all of them are equal."""
        return bool(np.isfinite(self.values).all() and np.ptp(self.values) > 0)


@dataclass(frozen=True)
class SampleTable:
    """Samples of a posterior; each chain is one of the independent ensembles."""

    attributes: Mapping[str, str | float]
    """``title``, ``model``, ``likelihood``, ``log_z`` and ``log_z_error``."""
    columns: tuple[Column, ...]
    """Parameters of the model, then couplings and derived quantities that are not parameters."""
    log_likelihood: FloatArray
    """Shape (chains, draws)."""
    weight: FloatArray
    """Shape (chains, draws): 1 for samples of equal weight, else weights with the sum 1."""

    @property
    def varying(self) -> tuple[Column, ...]:
        """Columns whose distribution can be plotted."""
        return tuple(column for column in self.columns if column.varies)


def read_table(
    folder: RunFolder, *, weighted: bool = False, warn: Callable[[str], None] = LOGGER.warning
) -> SampleTable:
    """Return the samples of a finished run.

    Parameters
    ----------
    folder : RunFolder
        Folder of the run.
    weighted : bool
        Return the weighted samples of the evidence integral and not those of equal weight.
    warn : callable
        Gets the reason if the model cannot be loaded any more. The table then has the parameters
        alone.

    Raises
    ------
    RunNotFound
        The folder holds no finished run, or a damaged one.
    InvalidInput, UnreadableFile, InvalidYaml
        The run file in the folder is damaged.
    """
    stored = folder.weighted() if weighted else folder.samples()
    attributes = _attributes(folder.summary())
    try:
        problem = load_run(folder.config_path)
    except ZpfitError as error:
        table = _parameters_alone(_priors_of(folder.config_path), stored, attributes)
        warn(
            f"{folder.path}: couplings and derived quantities are left out, as the model cannot be "
            f"loaded: {error}"
        )
        return table
    return sample_table(problem, stored, attributes)


def table_of(fit: FitResult, *, weighted: bool = False) -> SampleTable:
    """Return the samples of a fit in memory, as :func:`read_table` does for a folder."""
    stored = fit.weighted if weighted else fit.samples
    return sample_table(fit.problem, stored, _attributes(fit.summary))


class _ResolvedPriors(StrictModel):
    """The priors of a resolved run file, which has one of every parameter."""

    use: None = None
    parameters: dict[str, Prior]


def _priors_of(config: Path) -> Priors:
    """Return the priors of a resolved run file, without its model."""
    document = read_yaml(config).below(("priors",))
    return Priors(validate(_ResolvedPriors, document).parameters)


def _parameters_alone(
    priors: Priors, stored: StoredSamples, attributes: Mapping[str, str | float]
) -> SampleTable:
    """Return samples with the parameters alone, whose symbols the samples hold."""
    shape = by_chain(stored.log_likelihood).shape
    given = {name: by_chain(values).ravel() for name, values in stored.values.items()}
    columns = tuple(
        Column(
            name,
            np.reshape(values, shape),
            str(stored.attributes.get(name, {}).get("symbol") or _upright(name)),
            str(stored.attributes.get(name, {}).get("unit", "")),
            derived=name not in priors.free,
            bounds=_bounds(priors, name),
        )
        for name, values in priors.complete(given, int(np.prod(shape))).items()
    )
    return _table(stored, attributes, columns)


def _table(
    stored: StoredSamples, attributes: Mapping[str, str | float], columns: tuple[Column, ...]
) -> SampleTable:
    """Return columns with ln L and the weights of samples."""
    log_likelihood = by_chain(stored.log_likelihood)
    weight = np.ones(log_likelihood.shape)
    if stored.log_weight is not None:
        weight = np.exp(by_chain(stored.log_weight))
    return SampleTable(attributes, columns, log_likelihood, weight)


def _attributes(summary: FitSummary) -> dict[str, str | float]:
    return {
        "title": summary["title"],
        "model": summary["model"],
        "likelihood": summary["likelihood"],
        "log_z": summary["evidence"]["log_z"],
        "log_z_error": summary["evidence"]["error"],
    }


def sample_table(
    problem: Problem, stored: StoredSamples, attributes: Mapping[str, str | float]
) -> SampleTable:
    """Return samples with the couplings and derived quantities that follow from them.

    Parameters
    ----------
    problem : Problem
        Model, priors and likelihood that were sampled.
    stored : StoredSamples
        The parameters that are not fixed, each of shape (ensembles, steps, walkers), and ln L.
    attributes : mapping
        ``title``, ``model``, ``likelihood``, ``log_z`` and ``log_z_error``.
    """
    flat = {name: by_chain(values) for name, values in stored.values.items()}
    columns = _columns(problem, flat, by_chain(stored.log_likelihood).shape)
    return _table(stored, attributes, columns)


def _columns(
    problem: Problem, varying: Mapping[str, FloatArray], shape: tuple[int, ...]
) -> tuple[Column, ...]:
    """Return the parameters, couplings and derived quantities as columns."""
    posterior = problem.posterior
    given = {name: values.ravel() for name, values in varying.items()}
    values = posterior.priors.complete(given, int(np.prod(shape)))
    parameters = [
        Column(
            parameter.name,
            np.reshape(values[parameter.name], shape),
            parameter.symbol or parameter.name,
            parameter.unit,
            derived=parameter.name not in posterior.names,
            bounds=_bounds(posterior.priors, parameter.name),
        )
        for parameter in posterior.model.parameters
    ]
    couplings = posterior.model.couplings(values).items()
    further = {**dict(couplings), **posterior.model.derived(values)}
    return (
        *parameters,
        *(
            Column(name, np.reshape(rows, shape), _SYMBOLS.get(name, _upright(name)), derived=True)
            for name, rows in further.items()
            if name not in values
        ),
    )


def _bounds(priors: Priors, name: str) -> tuple[float | None, float | None]:
    """Return the bounds of a parameter's prior; a fixed or normal one has none."""
    return (
        (None, None) if isinstance(priors.by_name[name], Fixed | Normal) else priors.support(name)
    )


def _upright(name: str) -> str:
    """Return a name as LaTeX in upright letters."""
    escaped = name.replace("_", r"\_")
    return rf"\mathrm{{{escaped}}}"
