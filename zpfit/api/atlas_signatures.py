"""Signatures of the atlas, which are all that data see, and their screens."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from zpfit.analysis.atlas.screen import ScreenOptions
from zpfit.analysis.atlas.signatures import SignatureTable
from zpfit.api.executors import ExecutorChoice, Kind
from zpfit.api.sources import escaped, progress_of
from zpfit.errors import UnknownName
from zpfit.inference.progress import Progress
from zpfit.runs.atlas_file import output_file
from zpfit.runs.atlas_screen import ScreenResult, columns_of, screen_table, write_screen

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Signatures:
    """Distinct signatures of an atlas under one policy.

    Made by :meth:`zpfit.api.atlases.Atlas.signatures`.
    """

    _table: SignatureTable
    files: tuple[Path, ...] = ()
    """File that was written; none without ``output``."""

    @property
    def higgs(self) -> str:
        """Policy for the charge of the Higgs doublet."""
        return str(self._table.higgs)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the integers of a signature."""
        return self._table.columns

    def __len__(self) -> int:
        return len(self._table)

    @property
    def frame(self) -> "pd.DataFrame":
        """One row for each signature, in an order that is the same for any Qmax.

        The integers of the signature, ``sets``, the number of charge sets that have it in some
        pairing, and ``first``, the number of the first of them.
        """
        import pandas as pd

        table = self._table
        columns = dict(zip(table.columns, table.vectors.T, strict=True))
        frame = pd.DataFrame({**columns, "sets": table.sets, "first": table.first})
        return frame.rename_axis("signature")

    def screen(
        self,
        likelihood: str,
        *,
        output: str | Path | None = None,
        executor: ExecutorChoice | None = None,
        seed: int = 1,
        options: Mapping[str, float] | None = None,
        progress: bool | Progress = True,
        force: bool = False,
    ) -> "Screen":
        """Find the least chi2 of every signature on a set of data.

        Each signature has three parameters: the mass from 1 to 100 MeV, g', and the universal
        coupling c, which holds the kinetic mixing. Couplings are those of leading order. Results
        are upper bounds of the true minima, as those of every search. They are never above chi2
        without a Z' or that of the dark photon, which every signature contains.

        Parameters
        ----------
        likelihood
            Name of a likelihood set. Signatures of leptons need data that read no quarks.
        output
            NetCDF file for the result. Finished chunks are kept beside it, so that an interrupted
            screen continues when it is repeated.
        executor
            Where chunks are computed, in this process by default. Results do not depend on it.
        seed
            Settles all random numbers.
        options
            Effort: new values of the fields of :class:`zpfit.analysis.atlas.screen.ScreenOptions`.
        progress
            True logs the stages, False drops them; or an object of the Progress protocol.
        force
            Replace an existing file.

        Raises
        ------
        UnknownName
            There is no such likelihood set or option.
        InvalidInput
            The likelihood reads couplings of quarks that the table does not have.
        FilesExist
            The file exists and ``force`` is false.
        WrongSuffix, UnwritablePath
            The file cannot be written.
        Stopped
            On SIGINT or SIGTERM; the screen can be resumed.

        Examples
        --------
        >>> import zpfit
        >>> signatures = zpfit.atlas(1).signatures("renormalisable")
        >>> found = signatures.screen("paper_2021_cs", options={"starts": 6, "gain": 100})
        >>> bool(found.frame["chi2"].max() <= found.without)
        True
        """
        target = output_file(output, force=force)
        found = screen_table(
            self._table,
            likelihood,
            executor or ExecutorChoice(Kind.HERE),
            progress_of(progress),
            options=_options(options or {}),
            seed=seed,
            target=target,
        )
        if target is not None:
            write_screen(self._table, found, target)
        return Screen(self, found, () if target is None else (target,))

    def __repr__(self) -> str:
        return f"<Signatures: {len(self):,}, policy {self.higgs}>"

    def _repr_html_(self) -> str:
        return f"{escaped(repr(self))}{self.frame.head(20).to_html()}"


@dataclass(frozen=True, repr=False)
class Screen:
    """Least chi2 of every signature on a set of data. Made by :meth:`Signatures.screen`."""

    signatures: Signatures
    _result: ScreenResult
    files: tuple[Path, ...] = ()
    """File that was written; none without ``output``."""

    @property
    def likelihood(self) -> str:
        """Name of the likelihood set."""
        return self._result.likelihood

    @property
    def without(self) -> float:
        """Return chi2 without a Z'."""
        return self._result.references.without

    @property
    def dark_photon(self) -> float:
        """Least chi2 of the dark photon, at most ``without``."""
        return self._result.references.dark

    @property
    def frame(self) -> "pd.DataFrame":
        """One row for each signature, in the order of :attr:`Signatures.frame`.

        Its integers, ``sets`` and ``first``, then ``chi2``, ``m_Zp`` (MeV), ``g_prime``, ``c``,
        ``nested`` and ``scanned`` (see :class:`zpfit.analysis.atlas.screen.Screened`), and
        ``chi2_NAME`` of each term.
        """
        found = self._result.screened
        terms = {f"chi2_{name}": row for name, row in found.terms.items()}
        return self.signatures.frame.assign(**columns_of(found), **terms)

    def __repr__(self) -> str:
        best = self._result.screened.chi2.min()
        text = f"{len(self.signatures):,} signatures on {self.likelihood}: best chi2 {best:.3f}"
        return f"<Screen of {text}, {self.without:.3f} without a Z'>"

    def _repr_html_(self) -> str:
        return escaped(repr(self))


def _options(changes: Mapping[str, float]) -> ScreenOptions:
    """Return the effort of a screen with some other values.

    Raises
    ------
    UnknownName
        There is no such option.
    """
    known = [field.name for field in fields(ScreenOptions)]
    for name in changes:
        if name not in known:
            raise UnknownName("option of a screen", str(name), known)
    return replace(ScreenOptions(), **changes)  # type: ignore[arg-type]
