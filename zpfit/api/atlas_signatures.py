"""Signatures of the atlas, which are all that data see, and their screens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from numbers import Integral, Real
from pathlib import Path
from typing import TYPE_CHECKING

from zpfit.analysis.atlas.evidence import DRAWS
from zpfit.analysis.atlas.joint_sigma import DESCENTS
from zpfit.analysis.atlas.ranking import ranked, screen_record
from zpfit.analysis.atlas.screen import ScreenOptions
from zpfit.analysis.atlas.signatures import SignatureTable
from zpfit.analysis.atlas.survival import gains
from zpfit.analysis.records import AtlasScreenRecord
from zpfit.api.executors import ExecutorChoice, chosen
from zpfit.api.sources import escaped, folder_of, progress_of
from zpfit.errors import InvalidInput, UnknownName, WrongSuffix, WrongType
from zpfit.inference.progress import Progress
from zpfit.io.arrays import FloatArray
from zpfit.io.writing import check_writable, make_folder, make_room, write_text, write_whole
from zpfit.likelihood.spec import LikelihoodSpec
from zpfit.runs.atlas_file import CHARGES, output_file
from zpfit.runs.atlas_screen import (
    ScreenResult,
    columns_of,
    read_screen,
    screen_table,
    write_screen,
)
from zpfit.runs.figure_file import FigureChoice, FigureStyle, figure_style, read_style

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

_IMAGES = (".png", ".pdf")
"""Suffixes of figures."""
_MAY_BE_ZERO = ("kicks", "draws", "joint_descents")
"""Options of a screen that can be zero; other integers are 1 at least."""


@dataclass(frozen=True, repr=False)
class Signatures:
    """Distinct signatures of an atlas under one policy.

    Made by :meth:`zpfit.api.atlases.Atlas.signatures`.
    """

    table: SignatureTable
    """The signatures as arrays."""
    files: tuple[Path, ...] = ()
    """File that was written; none without ``output``."""

    @property
    def higgs(self) -> str:
        """Policy for the charge of the Higgs doublet."""
        return str(self.table.higgs)

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the integers of a signature."""
        return self.table.columns

    def __len__(self) -> int:
        return len(self.table)

    @property
    def frame(self) -> "pd.DataFrame":
        """One row for each signature, in an order that is the same for any Qmax.

        The integers of the signature, ``sets``, the number of charge sets that have it in some
        pairing, ``first``, the number of the first of them, and ``qmax``, its largest charge.
        """
        import pandas as pd

        table = self.table
        columns = dict(zip(table.columns, table.vectors.T, strict=True))
        counts = {"sets": table.sets, "first": table.first, "qmax": table.qmax}
        frame = pd.DataFrame(columns | counts)
        return frame.rename_axis("signature")

    def screen(
        self,
        likelihood: str | LikelihoodSpec,
        *,
        output: str | Path | None = None,
        executor: ExecutorChoice | None = None,
        seed: int = 1,
        evidence: bool = False,
        joint_sigma: bool = False,
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
            Name of a likelihood set, or a :class:`zpfit.Likelihood` with changes to it. Signatures
            of leptons need data that read no quarks.
        output
            NetCDF file for the result. Finished chunks are kept beside it, so that an interrupted
            screen continues when it is repeated.
        executor
            Where chunks are computed, in this process by default. Results do not depend on it.
        seed
            Settles all random numbers.
        evidence
            Add ln Z of every signature, see :mod:`zpfit.analysis.atlas.evidence`.
        joint_sigma
            Add the joint sigma of every signature, see :mod:`zpfit.analysis.atlas.joint_sigma`.
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
            The likelihood reads couplings of quarks that the table does not have, or lacks an
            entry to leave out; or an option is out of its range.
        WrongType
            The seed or an option is not a number of its kind.
        NoAnomalies
            The likelihood has no anomaly that a joint sigma could meet.
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
        asked = {
            "draws": DRAWS if evidence else 0,
            "joint_descents": DESCENTS if joint_sigma else 0,
        }
        if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
            raise WrongType("seed", seed, "an integer of at least 0")
        chosen_options = _options(asked | dict(options or {}))
        target = output_file(output, force=force)
        found = screen_table(
            self.table,
            LikelihoodSpec(set=likelihood) if isinstance(likelihood, str) else likelihood,
            chosen(executor),
            progress_of(progress),
            options=chosen_options,
            seed=seed,
            target=target,
        )
        if target is not None:
            write_screen(self.table, found, target)
        return Screen(self, found, () if target is None else (target,))

    def __repr__(self) -> str:
        return f"<Signatures: {len(self):,}, policy {self.higgs}>"

    def _repr_html_(self) -> str:
        return f"{escaped(repr(self))}{self.frame.head(20).to_html()}"


@dataclass(frozen=True, repr=False)
class Screen:
    """Least chi2 of every signature on a set of data.

    Made by :meth:`Signatures.screen` and :meth:`read`.
    """

    signatures: Signatures
    _result: ScreenResult
    files: tuple[Path, ...] = ()
    """File of the screen; none without ``output``."""

    @classmethod
    def read(cls, path: str | Path) -> "Screen":
        """Read the file of a screen.

        Parameters
        ----------
        path
            File that :meth:`Signatures.screen` or ``zpfit atlas screen`` has written.

        Raises
        ------
        MissingFile
            There is no such file.
        UnreadableFile
            The file cannot be read, or holds no screen.
        """
        table, result = read_screen(Path(path))
        return cls(Signatures(table), result, (Path(path),))

    @property
    def likelihood(self) -> str:
        """Name of the likelihood: the set, and the changes to it."""
        return self._result.likelihood

    @property
    def data(self) -> LikelihoodSpec:
        """Choice of data."""
        return self._result.data

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
        ``nested`` and ``scanned`` (see :class:`zpfit.analysis.atlas.screen.Screened`),
        ``log_z`` and ``log_z_error`` if the screen has evidence, ``joint_sigma`` if it has that,
        and ``chi2_NAME`` of each term.
        """
        found = self._result.screened
        terms = {f"chi2_{name}": row for name, row in found.terms.items()}
        return self.signatures.frame.assign(**columns_of(found), **terms)

    @property
    def ranking(self) -> "pd.DataFrame":
        """The rows of :attr:`frame`, lowest chi2 first, with the charges of an example.

        ``delta_chi2`` and ``delta_chi2_dark_photon`` are chi2 of the references minus that of the
        signature. ``Q_1`` to ``nu_3`` are the charges of the set ``first``.
        """
        frame, table = self.frame, self.signatures.table
        gains = {
            "delta_chi2": self.without - frame["chi2"],
            "delta_chi2_dark_photon": self.dark_photon - frame["chi2"],
        }
        charges = {f"{name}_{i + 1}": table.charges[:, j, i] for j, name, i in CHARGES}
        return frame.assign(**gains, **charges).iloc[ranked(self._result.screened)]

    def record(self, best: int = 20) -> AtlasScreenRecord:
        """Return the references, the best signatures, and what chance alone may give.

        Parameters
        ----------
        best
            Number of signatures, at least 1.

        Raises
        ------
        InvalidInput
            ``best`` is below 1.
        """
        if best < 1:
            raise InvalidInput([f"best: {best} is too small; give at least 1"])
        found = self._result
        return screen_record(
            self.signatures.table,
            found.likelihood,
            found.measurements,
            found.references,
            found.screened,
            best,
        )

    def write_ranking(self, output: str | Path, *, force: bool = False) -> Path:
        """Write :attr:`ranking` as a CSV file.

        Parameters
        ----------
        output
            The file, .csv.
        force
            Replace an existing file.

        Raises
        ------
        WrongSuffix
            The name does not end with ``.csv``.
        FilesExist
            The file exists and ``force`` is false.
        UnwritablePath
            The file cannot be written.
        """
        target = folder_of(output, "output")
        if target.suffix != ".csv":
            raise WrongSuffix(target, ".csv")
        make_room(target.parent, (target.name,), force=force)
        write_text(target, self.ranking.to_csv())
        return target

    def plot(self, figure: FigureChoice = None) -> "Figure":
        """Return the distribution of the least chi2, and the least chi2 up to each Qmax.

        Parameters
        ----------
        figure
            Description of the figure, see :class:`zpfit.Figure`.
        """
        return self._drawn(figure_style(figure))

    def plot_map(self, figure: FigureChoice = None) -> "Figure":
        """Return the map of signatures: directions of charges, coloured by their gain.

        Parameters
        ----------
        figure
            Description of the figure, see :class:`zpfit.Figure`.
        """
        return self._drawn(figure_style(figure), as_map=True)

    def draw(
        self, output: str | Path, style: Sequence[str | Path] = (), *, as_map: bool = False
    ) -> Path:
        """Draw the figure of :meth:`plot` into a file; an existing one is replaced.

        Parameters
        ----------
        output
            File, .png or .pdf.
        style
            Files that describe figures, and styles of matplotlib.
        as_map
            Draw the figure of :meth:`plot_map`.

        Raises
        ------
        InvalidInput
            A description of the figure does not fit.
        WrongSuffix
            The output is neither .png nor .pdf.
        UnwritablePath
            The file cannot be written.
        """
        from zpfit.plots.style import pdf, png

        target, chosen = folder_of(output, "output"), read_style(style)
        if target.suffix not in _IMAGES:
            raise WrongSuffix(target, " or ".join(_IMAGES))
        make_folder(target.parent)
        check_writable(target)
        with chosen.context():
            figure = self._drawn(chosen, as_map=as_map)
            write_whole(target, png(figure, dpi=200) if target.suffix == ".png" else pdf(figure))
        return target

    @property
    def gain(self) -> FloatArray:
        """How far each signature lies below both references, shape (n,)."""
        return gains(self._result.screened, self._result.references)

    def _drawn(self, style: FigureStyle, *, as_map: bool = False) -> "Figure":
        from zpfit.plots.atlas import atlas_figure
        from zpfit.plots.atlas_map import MapPanel, map_figure

        table, record = self.signatures.table, self.record(1)
        with style.context():
            if as_map:
                vectors = table.vectors.astype(float)
                panel = MapPanel("", table.higgs, vectors, self.gain)
                return map_figure([panel], record["title"], style.spec)
            qmax = table.qmax.astype(float)
            return atlas_figure(record, self._result.screened.chi2, qmax, style.spec)

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
    WrongType
        A value is not a number of its kind.
    InvalidInput
        A value is out of range.
    """
    usual = ScreenOptions()
    known = [field.name for field in fields(ScreenOptions)]
    for name, value in changes.items():
        if name not in known:
            raise UnknownName("option of a screen", str(name), known)
        whole = isinstance(getattr(usual, name), int)
        if isinstance(value, bool) or not isinstance(value, Integral if whole else Real):
            raise WrongType(f"options.{name}", value, "an integer" if whole else "a number")
        if whole and value < (least := 0 if name in _MAY_BE_ZERO else 1):
            raise InvalidInput([f"options.{name}: {value} is too small; give at least {least}"])
    draws = int(changes.get("draws", 0))
    if draws & (draws - 1):
        raise InvalidInput([f"options.draws: {draws} is no power of two, which Sobol points need"])
    return replace(usual, **changes)  # type: ignore[arg-type]
