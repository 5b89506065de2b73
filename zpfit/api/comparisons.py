"""Comparisons of models: :func:`compare` and its :class:`Comparison`."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zpfit.analysis.bayes_factors import SCALE_SOURCE
from zpfit.analysis.compare import NO_ZPRIME
from zpfit.analysis.compare import Comparison as ComparedFits
from zpfit.analysis.prior_sensitivity import FACTOR
from zpfit.analysis.records import ComparisonRow
from zpfit.api.fits import Result
from zpfit.api.sources import Source, folder_of, load, progress_of
from zpfit.errors import InvalidInput, WrongType
from zpfit.inference.progress import Progress
from zpfit.runs.comparison import ComparisonSource, compare_all
from zpfit.runs.figure_file import FigureChoice, figure_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


__all__ = ["FACTOR", "NO_ZPRIME", "SCALE_SOURCE", "Comparison", "compare"]


@dataclass(frozen=True, repr=False)
class Comparison:
    """Fits side by side. Made by :func:`compare`."""

    _compared: ComparedFits
    notes: tuple[str, ...] = ()
    """Plots that could not be drawn."""

    @property
    def rows(self) -> tuple[ComparisonRow, ...]:
        """A row for each fit and for the hypothesis without a Z', as ``compare.json`` has them."""
        return deepcopy(self._compared.rows)

    @property
    def results(self) -> tuple[Result, ...]:
        """The fits that are compared."""
        return tuple(Result(fitted) for fitted in self._compared.fits)

    @property
    def frame(self) -> "pd.DataFrame":
        """The numbers of each row: best-fit chi2, ln Z, Bayes factor, joint sigma and others."""
        import pandas as pd

        nested = {"joint_sigma_at", "chi2_by_term", "prior_sensitivity", "ranks", "shortcomings"}
        rows = [{k: v for k, v in row.items() if k not in nested} for row in self.rows]
        return pd.DataFrame(rows).set_index("run")

    @property
    def converged(self) -> bool:
        """True if every fit has converged."""
        return all(row["converged"] for row in self.rows)

    @property
    def shortcomings(self) -> tuple[str, ...]:
        """Reasons why fits are not converged, with their runs and remedies."""
        return tuple(f"{row['run']}: {text}" for row in self.rows for text in row["shortcomings"])

    def plot(self, figure: FigureChoice = None) -> "Figure":
        """Return the plot of the evidences.

        Parameters
        ----------
        figure
            Description of the figure, see :class:`zpfit.Figure`.
        """
        from zpfit.plots.comparison import evidence_figure

        style = figure_style(figure)
        with style.context():
            return evidence_figure(list(self.rows), style.spec)

    def __repr__(self) -> str:
        return f"<Comparison of {', '.join(row['run'] for row in self.rows)}>"

    def _repr_html_(self) -> str:
        return str(self.frame.to_html(float_format="%.4g"))


def compare(
    *sources: Source | Result,
    reference: str = NO_ZPRIME,
    seed: int = 1,
    output: str | Path | None = None,
    progress: bool | Progress = True,
    force: bool = False,
    **changes: Any,
) -> Comparison:
    """Compare models by best fit, evidence and tension.

    Parameters
    ----------
    *sources
        Results, folders of finished runs, and sources that are fitted first.
    reference
        Model in the denominator of the Bayes factors.
    seed
        Seed of what the comparison computes; fits have their own.
    output
        Folder for the rows, the plots and the runs that are fitted.
    progress
        See :func:`fit`.
    force
        Replace files in the output folder.
    **changes
        Keys of a run file with new values for all sources, see the module's docstring. Results
        and folders of finished runs are then fitted again.

    Returns
    -------
    Comparison
        A row for each fit and, for each data set, one for the hypothesis without a Z'.

    Raises
    ------
    InvalidInput
        No source is given, or two have the same name.
    WrongType
        The reference is no text, or the seed no integer of at least 0.
    UnknownName, AmbiguousReference
        A data set has no fit of the reference, or several.

    Examples
    --------
    >>> import zpfit
    >>> muon = {"m_Zp": 20, "eps": 0}  # one free parameter, g_prime
    >>> run = {"model": "L_mu-L_tau", "likelihood": "paper_2021_cs", "sampler": {"engine": "vegas"}}
    >>> found = zpfit.compare({**run, "priors": {"parameters": muon}})
    >>> found.frame[["model", "best_fit_chi2", "lnZ"]].round(2).to_numpy().tolist()
    [["no Z'", 24.45, -12.22], ['L_mu-L_tau', 7.83, -7.8]]
    """
    reporter = progress_of(progress)
    if not sources:
        raise InvalidInput(["sources: none is given; give at least one result, folder or run"])
    if not isinstance(reference, str):
        raise WrongType("reference", reference, "the name of a fit or a model")
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        raise WrongType("seed", seed, "an integer of at least 0")
    folder = None if output is None else folder_of(output, "output")
    resolved = [_resolved(source, changes) for source in sources]
    result, notes = compare_all(resolved, folder, reference, seed, reporter, force=force)
    return Comparison(result, tuple(notes))


def _resolved(source: Source | Result, changes: Mapping[str, Any]) -> ComparisonSource:
    """Return a source as comparisons take it; paths and names are resolved there together."""
    if changes:
        return load(source.problem if isinstance(source, Result) else source, **changes)
    if isinstance(source, Result):
        return source._fit  # noqa: SLF001 - of this package
    return str(source) if isinstance(source, str | Path) else load(source)
