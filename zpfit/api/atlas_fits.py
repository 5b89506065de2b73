"""Fits of the best signatures of a screen: :func:`fit_best` and its :class:`SignatureFits`."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zpfit.analysis.records import AtlasFitsRecord
from zpfit.api.atlas_signatures import Screen
from zpfit.api.executors import ExecutorChoice, chosen
from zpfit.api.sources import escaped, folder_of, progress_of
from zpfit.inference.progress import Progress
from zpfit.io.writing import make_folder, write_text
from zpfit.runs.atlas_fits import prepare_fits, run_fits

if TYPE_CHECKING:
    import pandas as pd

RESULT = "fits.json"
"""File with the results of all fits."""


@dataclass(frozen=True, repr=False)
class SignatureFits:
    """Fits of the best signatures of a screen. Made by :func:`fit_best`."""

    record: AtlasFitsRecord
    """All numbers, as ``fits.json`` holds them."""
    files: tuple[Path, ...]
    """File with the results."""

    @property
    def frame(self) -> "pd.DataFrame":
        """A row for each signature: integers, chi2, joint sigma, ln Z and ln B."""
        import pandas as pd

        rows = [
            {
                **fit["integers"],
                "set": fit["set"],
                "pairing": fit["pairing"],
                "chi2": fit["chi2"],
                "joint_sigma": fit["joint_sigma"],
                "log_z": fit["log_z"],
                "log_z_error": fit["log_z_error"],
                "ln_bayes_factor": fit["ln_bayes_factor"],
            }
            for fit in self.record["fits"]
        ]
        index = pd.Index([fit["signature"] for fit in self.record["fits"]], name="signature")
        return pd.DataFrame(rows, index=index)

    def __repr__(self) -> str:
        return f"<SignatureFits of {len(self.record['fits'])} signatures>"

    def _repr_html_(self) -> str:
        return escaped(repr(self)) + str(self.frame.to_html())


def fit_best(
    screen: Screen,
    output: str | Path,
    *,
    best: int = 20,
    executor: ExecutorChoice | None = None,
    seed: int = 1,
    progress: bool | Progress = True,
) -> SignatureFits:
    """Fit the best signatures of a screen: best fit by the exact route, joint sigma and evidence.

    Each signature is that of the first charge set that has it, fitted with the priors of the run
    files of the atlas: m from 1 to 100 MeV, g' and the mixing eps from 1e-8 to 0.1, all
    log-uniform, eps with either sign.

    Parameters
    ----------
    screen
        The screen.
    output
        Folder for the fits. Finished ones in it are reused.
    best
        Number of signatures, at least 1.
    executor
        Where fits are computed, in this process by default. Results do not depend on it.
    seed
        Seed of every fit.
    progress
        True logs the stages, False drops them; or an object of the Progress protocol.

    Raises
    ------
    InvalidInput
        ``best`` is below 1.
    FailedTasks
        Fits have failed.
    UnwritablePath
        The folder cannot be written.
    Stopped
        On SIGINT or SIGTERM; the fits can be resumed.
    """
    record, folder = screen.record(best), folder_of(output, "output")
    make_folder(folder)
    numbers = [row["signature"] for row in record["best"]]
    chi2 = [row["chi2"] for row in record["best"]]
    tasks = prepare_fits(screen.signatures.table, numbers, chi2, screen.data, folder, seed)
    choice = chosen(executor)
    found = dict(run_fits(tasks, choice, progress_of(progress)))
    result: AtlasFitsRecord = {
        "title": record["title"],
        "likelihood": record["likelihood"],
        "higgs": record["higgs"],
        "log_z_without": -record["chi2_without"] / 2,
        "look_elsewhere": record["look_elsewhere"],
        "fits": [found[position] for position in range(len(tasks))],
    }
    path = folder / RESULT
    write_text(path, json.dumps(result, indent=2, allow_nan=False) + "\n")
    return SignatureFits(result, (path,))
