"""The samples of a run with everything that other programs ask of them."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from zpfit.inference.priors import Fixed, Normal
from zpfit.inference.problem import Problem
from zpfit.io.arrays import FloatArray
from zpfit.models.effective import Effective
from zpfit.runs.run_file import load_run
from zpfit.runs.run_folder import RunFolder

_SYMBOLS = {parameter.name: parameter.symbol for parameter in Effective().parameters}


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
    """Follows from the parameters."""
    bounds: tuple[float | None, float | None] = (None, None)
    """Of the prior, where it has any."""

    @property
    def varies(self) -> bool:
        """Whether it is a number everywhere, and not everywhere the same."""
        return bool(np.isfinite(self.values).all() and np.ptp(self.values) > 0)


@dataclass(frozen=True)
class SampleTable:
    """Samples of a posterior; chains are the ensembles, which are independent."""

    attributes: Mapping[str, str | float]
    """Title, model, likelihood, ln Z and its error."""
    columns: tuple[Column, ...]
    """Every parameter of the model, then couplings and derived quantities that are no parameters.
    """
    log_likelihood: FloatArray
    """Shape (chains, draws)."""
    weight: FloatArray
    """Shape (chains, draws): 1, or shares of weighted samples."""

    @property
    def varying(self) -> tuple[Column, ...]:
        """What is worth a plot."""
        return tuple(column for column in self.columns if column.varies)


def read_table(folder: RunFolder, *, weighted: bool = False) -> SampleTable:
    """The samples of equal weight of a finished run, or the weighted ones.

    Raises
    ------
    NotARunFolder
        There is no finished run, or it is damaged.
    InvalidInput
        The run's model is no longer what it was.
    """
    summary = folder.summary()
    stored = folder.weighted() if weighted else folder.samples()
    run = load_run(folder.config_path)
    flat = {name: _by_chain(values) for name, values in stored.values.items()}
    log_likelihood = _by_chain(stored.log_likelihood)
    weight = np.ones(log_likelihood.shape)
    if stored.log_weight is not None:
        weight = np.exp(_by_chain(stored.log_weight))
    return SampleTable(
        attributes={
            "title": summary["title"],
            "model": summary["model"],
            "likelihood": summary["likelihood"],
            "log_z": summary["evidence"]["log_z"],
            "log_z_error": summary["evidence"]["error"],
        },
        columns=_columns(run, flat, log_likelihood.shape),
        log_likelihood=log_likelihood,
        weight=weight,
    )


def _columns(
    run: Problem, varying: Mapping[str, FloatArray], shape: tuple[int, ...]
) -> tuple[Column, ...]:
    posterior = run.posterior
    given = {name: values.ravel() for name, values in varying.items()}
    values = posterior.priors.complete(given, int(np.prod(shape)))
    parameters = [
        Column(
            parameter.name,
            np.reshape(values[parameter.name], shape),
            parameter.symbol or parameter.name,
            parameter.unit,
            derived=parameter.name not in posterior.names,
            bounds=_bounds(run, parameter.name),
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


def _bounds(run: Problem, name: str) -> tuple[float | None, float | None]:
    priors = run.posterior.priors
    return (
        (None, None) if isinstance(priors.by_name[name], Fixed | Normal) else priors.support(name)
    )


def _upright(name: str) -> str:
    escaped = name.replace("_", r"\_")
    return rf"\mathrm{{{escaped}}}"


def _by_chain(values: FloatArray) -> FloatArray:
    """(ensembles, steps, walkers) to (ensembles, draws), one walker after the other."""
    return values.transpose(0, 2, 1).reshape(len(values), -1)
