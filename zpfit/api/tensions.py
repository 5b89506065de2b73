"""Agreement between groups of data: :func:`tension` and its :class:`Tension`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zpfit.analysis.records import TensionRecord
from zpfit.analysis.tension.tension import tension as tension_of
from zpfit.analysis.tension.tension import tension_record
from zpfit.api.reported import Reported
from zpfit.api.sources import Source, files_in, folder_of, load, progress_of
from zpfit.inference.progress import Progress
from zpfit.io.writing import make_room
from zpfit.runs.figure_file import FigureChoice, figure_style
from zpfit.runs.records import TENSION_FILES, write_tension

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class Tension(Reported):
    """Agreement between groups of data. Made by :func:`tension`."""

    record: TensionRecord
    """All numbers, as ``tension.json`` holds them."""
    files: tuple[Path, ...] = ()
    """Files that were written; none without ``output``."""

    @property
    def pull_table(self) -> "pd.DataFrame":
        """Pull of each measurement: at the best fit, and of the posterior prediction."""
        import pandas as pd

        return pd.DataFrame.from_dict(self.record["pulls"], orient="index")

    @property
    def joint_sigma(self) -> float | None:
        """Smallest number of standard errors within which both anomalies can be met at once."""
        return self.record["joint_sigma"]

    def plot(self, figure: FigureChoice = None) -> "Figure":
        """Return the plot of pulls and tension.

        Parameters
        ----------
        figure
            Description of the figure, see :class:`zpfit.Figure`.
        """
        from zpfit.plots.tension import tension_figure

        style = figure_style(figure)
        with style.context():
            return tension_figure(self.record, style.spec)

    def __repr__(self) -> str:
        return f"<Tension of {self.record['model']} on {self.record['likelihood']}>"

    def _repr_html_(self) -> str:
        return str(self.pull_table.to_html(float_format="%.3g"))


def tension(
    source: Source,
    *,
    output: str | Path | None = None,
    progress: bool | Progress = True,
    force: bool = False,
    **changes: Any,
) -> Tension:
    """Measure how well groups of data agree within a model.

    Parameters
    ----------
    source
        Name of a packaged run, path of a run file, run folder, dictionary, or a problem.
    output
        Folder for JSON and plot.
    progress, force
        See :func:`fit`.
    **changes
        Keys of a run file with new values, see the module's docstring.

    Returns
    -------
    Tension
        Pulls, joint sigma, parameter goodness of fit and suspiciousness.

    Examples
    --------
    >>> import zpfit
    >>> muon = {"m_Zp": 20, "eps": 0}  # one free parameter, g_prime
    >>> run = {"model": "L_mu-L_tau", "likelihood": "paper_2021_cs", "sampler": {"engine": "vegas"}}
    >>> found = zpfit.tension({**run, "priors": {"parameters": muon}})
    >>> found.pull_table["best_fit"].loc[["a_e_cs_2018", "a_mu_2021"]].round(2).to_dict()
    {'a_e_cs_2018': -2.42, 'a_mu_2021': 0.28}
    >>> round(found.joint_sigma, 3)
    2.417
    """
    problem = load(source, **changes)
    if output is not None:
        make_room(folder_of(output, "output"), TENSION_FILES, force=force)
    record = tension_record(problem, tension_of(problem, progress_of(progress)))
    if output is not None:
        write_tension(record, folder_of(output, "output"))
    return Tension(record, files_in(output, TENSION_FILES))
