"""The atlas of anomaly-free charge sets: :func:`atlas` with its :class:`Atlas`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zpfit.analysis.atlas.charge_sets import (
    SPECIES,
    ChargeSet,
    ChargeSets,
    multisets,
)
from zpfit.analysis.atlas.enumeration import enumerate_sets
from zpfit.analysis.atlas.flags import FLAGS, QuarkFlavour, count_flags, least_powers, quark_flavour
from zpfit.analysis.atlas.pairings import (
    Pairing,
    chosen_pairing,
    model_content,
    pairings,
    run_content,
)
from zpfit.analysis.atlas.screen import ScreenOptions
from zpfit.analysis.atlas.signatures import LEPTONS, HiggsPolicy, SignatureTable, signatures
from zpfit.api.executors import ExecutorChoice, Kind
from zpfit.api.sources import escaped, progress_of
from zpfit.errors import FilesExist, InvalidInput, UnknownName, WrongType
from zpfit.inference.progress import Progress
from zpfit.io.library import Library
from zpfit.io.writing import make_folder, make_room, write_text
from zpfit.io.yaml import dump_yaml
from zpfit.runs.atlas_file import check_target, read_atlas, write_atlas, write_signatures
from zpfit.runs.atlas_screen import ScreenResult, columns_of, screen_table, write_screen

if TYPE_CHECKING:
    import pandas as pd

FLAVOURS = {"universal": QuarkFlavour.UNIVERSAL, "two_alike": QuarkFlavour.TWO_ALIKE}
FLAVOURS |= {"universal_doublets": QuarkFlavour.UNIVERSAL_DOUBLETS, "general": QuarkFlavour.GENERAL}
"""Names of the flavour structures of quarks, from the safest on."""
LIKELIHOOD = "today_cs"
"""Likelihood of the run file of a set."""
_SEARCHED = (2, 4, 6, 8, 10)
"""Values of Qmax up to which a set with a given number is looked for, one after the other."""


@dataclass(frozen=True, repr=False)
class Atlas:
    """All anomaly-free charge sets up to a largest charge. Made by :func:`atlas`."""

    _sets: ChargeSets
    files: tuple[Path, ...] = ()
    """File of the list; none if it is in memory only."""

    @property
    def qmax(self) -> int:
        """Largest absolute charge."""
        return self._sets.qmax

    @property
    def neutrinos(self) -> bool:
        """True if right-handed neutrinos may have charges."""
        return self._sets.neutrinos

    def __len__(self) -> int:
        return len(self._sets)

    def __getitem__(self, number: int) -> "AtlasSet":
        """Return one set by its number.

        Raises
        ------
        WrongType
            The number is no integer.
        InvalidInput
            No set has this number.
        """
        if not isinstance(number, int) or isinstance(number, bool):
            raise WrongType("number", number, "the number of a set, an integer")
        return AtlasSet(number, self._sets.row(number), self.neutrinos)

    @property
    def frame(self) -> "pd.DataFrame":
        """One row for each set, by number: charges ``Q_1`` to ``nu_3``, flags and labels.

        ``quark_flavour`` is one of :data:`FLAVOURS`; ``least_powers`` is the smallest sum of the
        Froggatt-Nielsen powers of leptons with z_H = 0.
        """
        import pandas as pd

        sets = self._sets
        rows = {name: sets.charges(name).astype("int8") for name in SPECIES}
        columns = {f"{name}_{i + 1}": rows[name][:, i] for name in SPECIES for i in range(3)}
        flags = {name: flag(sets) for name, flag in FLAGS.items()}
        label = pd.Categorical.from_codes(quark_flavour(sets), list(FLAVOURS), ordered=True)
        labels = {"quark_flavour": label, "least_powers": least_powers(sets)}
        return pd.DataFrame(columns | flags | labels).rename_axis("set")

    @property
    def counts(self) -> "pd.DataFrame":
        """Number of sets up to each Qmax, of all and by flag.

        The set without any charge counts as one from Qmax 1 on.
        """
        import pandas as pd

        return pd.DataFrame(count_flags(self._sets)).rename_axis("qmax").iloc[1:]

    def find(
        self,
        Q: Sequence[int],
        u: Sequence[int],
        d: Sequence[int],
        L: Sequence[int],
        e: Sequence[int],
        nu: Sequence[int] = (0, 0, 0),
    ) -> "AtlasSet | None":
        """Find the set with given charges, in any order of families, sign and normalisation.

        Parameters
        ----------
        Q, u, d, L, e, nu
            Three integer charges of each species; u, d, e and nu are right-handed.

        Returns
        -------
        AtlasSet or None
            None if an anomaly does not cancel, or if a charge exceeds Qmax.

        Raises
        ------
        InvalidInput
            Charges are not three integers.

        Examples
        --------
        >>> import zpfit
        >>> found = zpfit.atlas(1).find((0, 0, 0), (0, 0, 0), (0, 0, 0), (1, -1, 0), (1, -1, 0))
        >>> found.charges["L"], found.flags["leptophilic"]
        ((-1, 0, 1), True)
        """
        given = dict(zip(SPECIES, (Q, u, d, L, e, nu), strict=True))
        wanted = ChargeSet(**{name: _three(name, charges) for name, charges in given.items()})
        number = self._sets.find(wanted)
        return None if number is None else self[number]

    def signatures(
        self,
        higgs: str,
        *,
        flavour: str = "general",
        quarks: bool = False,
        output: str | Path | None = None,
        force: bool = False,
    ) -> "Signatures":
        """Return what data can see of the sets: the distinct signatures under one policy.

        Parameters
        ----------
        higgs
            "zero": z_H = 0, and masses of leptons from powers of a flavon. "renormalisable": z_H*,
            and sets whose leptons get their masses without flavons.
        flavour
            Least safe flavour structure of quarks that is kept, one of :data:`FLAVOURS`.
        quarks
            Add first-family quarks, for sets with two families of quarks alike at least.
        output
            NetCDF file for the table.
        force
            Replace an existing file.

        Raises
        ------
        UnknownName
            There is no such policy or flavour structure.
        FilesExist
            The file exists and ``force`` is false.
        WrongSuffix, UnwritablePath
            The file cannot be written.

        Examples
        --------
        >>> import zpfit
        >>> table = zpfit.atlas(2).signatures("renormalisable")
        >>> len(table), list(table.frame.columns[:5])
        (17, ['N_e', 'A_e', 'N_mu', 'A_mu', 'N_tau'])
        """
        policy = policy_of(higgs)
        if flavour not in FLAVOURS:
            raise UnknownName("flavour structure", flavour, FLAVOURS)
        target = _target(output, force=force)
        table = signatures(self._sets, policy, flavour=FLAVOURS[flavour], quarks=quarks)
        if target is not None:
            title = f"Signatures of the charge sets up to {self.qmax}, policy {policy}"
            write_signatures(table, target, title)
        return Signatures(table, () if target is None else (target,))

    def __repr__(self) -> str:
        kind = "with" if self.neutrinos else "without"
        text = f"{len(self):,} charge sets up to {self.qmax} {kind} right-handed neutrinos"
        return f"<Atlas: {text}>"

    def _repr_html_(self) -> str:
        return escaped(repr(self))


@dataclass(frozen=True, repr=False)
class Signatures:
    """Distinct signatures of an atlas under one policy. Made by :meth:`Atlas.signatures`."""

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
        target = _target(output, force=force)
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


@dataclass(frozen=True, repr=False)
class AtlasSet:
    """One charge set of an atlas."""

    number: int
    """Number in the list, the same for any Qmax."""
    _charges: ChargeSet
    neutrinos: bool
    """True if the number is one of the list with right-handed neutrinos."""

    @property
    def charges(self) -> dict[str, tuple[int, int, int]]:
        """Charges of each species in ascending order."""
        return {name: self._charges.species(name) for name in SPECIES}

    @property
    def higgs_charge(self) -> float:
        """Charge z_H* of the Higgs doublet for renormalisable Yukawa couplings."""
        return self._charges.triple_higgs_charge / 3

    @property
    def flags(self) -> dict[str, bool]:
        """Properties of the set by name."""
        return {name: bool(flag(self._alone())[0]) for name, flag in FLAGS.items()}

    @property
    def quark_flavour(self) -> str:
        """Flavour structure of the quarks, one of :data:`FLAVOURS`."""
        return list(FLAVOURS)[int(quark_flavour(self._alone())[0])]

    @property
    def name(self) -> str:
        """Name of the model of the set, such as ``atlas_17``."""
        return f"atlas_{'' if self.neutrinos else 'sm_'}{self.number}"

    def pairings(self, higgs: str) -> "pd.DataFrame":
        """Return all pairings of lepton charges with families under one policy.

        Parameters
        ----------
        higgs
            "zero" or "renormalisable", see :meth:`Atlas.signatures`.

        Returns
        -------
        DataFrame
            One row for each pairing, counted from 1, the one with the smallest sum of powers
            first: charges of e, mu and tau, the integers of the signature, and the power of the
            flavon in each mass. Empty if the policy does not admit the set.

        Raises
        ------
        UnknownName
            There is no such policy.
        """
        import pandas as pd

        rows = [_pairing_row(found) for found in pairings(self._charges, policy_of(higgs))]
        return pd.DataFrame(rows, index=pd.RangeIndex(1, len(rows) + 1, name="pairing"))

    def model(self, higgs: str, pairing: int = 1) -> dict[str, Any]:
        """Return the content of a model file for one pairing.

        Parameters
        ----------
        higgs
            "zero" or "renormalisable".
        pairing
            Row of :meth:`pairings`, from 1.

        Raises
        ------
        UnknownName
            There is no such policy.
        InvalidInput
            There is no such pairing.
        """
        return model_content(
            self._title(higgs, pairing), self._charges, self._pairing(higgs, pairing)
        )

    def write(
        self,
        output: str | Path,
        higgs: str,
        *,
        pairing: int = 1,
        likelihood: str = LIKELIHOOD,
        force: bool = False,
    ) -> tuple[Path, ...]:
        """Write a run file and the model file that it uses.

        Parameters
        ----------
        output
            Folder for the run file and, in it, for ``models/``.
        higgs
            "zero" or "renormalisable".
        pairing
            Row of :meth:`pairings`, from 1.
        likelihood
            Name of the likelihood set of the run.
        force
            Replace existing files.

        Returns
        -------
        tuple of Path
            The run file and the model file.

        Raises
        ------
        UnknownName
            There is no such policy, or no such likelihood set.
        InvalidInput
            There is no such pairing.
        FilesExist
            A file exists and ``force`` is false.
        UnwritablePath
            A file cannot be written.

        Examples
        --------
        >>> from tempfile import TemporaryDirectory
        >>> import zpfit
        >>> with TemporaryDirectory() as folder:
        ...     [path.name for path in zpfit.atlas(1)[4].write(folder, "zero")]
        ['atlas_4.yaml', 'atlas_4.yaml']
        """
        Library.beside().find("likelihood set", likelihood, "likelihood")
        title, chosen = self._title(higgs, pairing), self._pairing(higgs, pairing)
        run = run_content(title, self.name, self._charges, chosen, likelihood)
        contents = {
            Path(output) / f"{self.name}.yaml": run,
            Path(output) / "models" / f"{self.name}.yaml": self.model(higgs, pairing),
        }
        for path in contents:
            make_room(path.parent, (path.name,), force=force)
        for path, content in contents.items():
            write_text(path, dump_yaml(content))
        return tuple(contents)

    def _pairing(self, higgs: str, choice: int) -> Pairing:
        return chosen_pairing(self.number, self._charges, policy_of(higgs), choice)

    def _title(self, higgs: str, pairing: int) -> str:
        kind = "" if self.neutrinos else " without right-handed neutrinos"
        return f"Charge set {self.number} of the atlas{kind}, Higgs {higgs}, pairing {pairing}"

    def _alone(self) -> ChargeSets:
        """Return a list that holds this set alone."""
        import numpy as np

        qmax = max(self._charges.size, 1)
        numbers = [multisets(qmax).number(charges) for charges in self.charges.values()]
        return ChargeSets(qmax, self.neutrinos, np.array(numbers, dtype=np.uint16)[:, None])

    def __repr__(self) -> str:
        charges = ", ".join(f"{name} {row}" for name, row in self.charges.items())
        return f"<AtlasSet {self.number}: {charges}>"

    def _repr_html_(self) -> str:
        return escaped(repr(self))


def atlas(
    source: int | str | Path,
    *,
    neutrinos: bool = True,
    output: str | Path | None = None,
    progress: bool | Progress = True,
    force: bool = False,
) -> Atlas:
    """Enumerate all anomaly-free charge sets of the fermions of the Standard Model, or read them.

    Charges are integers, those of u, d, e and nu belong to the right-handed fields. Sets that
    differ by the order of the families within a species, by the sign of all charges or by a
    common factor count once.

    Parameters
    ----------
    source
        Largest absolute charge, from 1 to 12, or the file of an earlier enumeration.
    neutrinos
        Allow charges of three right-handed neutrinos. Lists with and without have numbers of their
        own.
    output
        NetCDF file for the list. An interrupted enumeration into a file continues when it is
        repeated.
    progress
        True logs the stages, False drops them; or an object of the Progress protocol.
    force
        Replace an existing file.

    Returns
    -------
    Atlas
        With ``frame``, ``counts``, ``signatures``, ``find``, and sets by their numbers.

    Raises
    ------
    InvalidInput, WrongType
        Qmax is out of range, the source is neither a number nor a path, or a file is given
        together with ``output`` or without right-handed neutrinos.
    FilesExist
        The file exists and ``force`` is false.
    MissingFile, UnreadableFile
        The file cannot be read, or holds no list of charge sets.
    WrongSuffix, UnwritablePath
        The file cannot be written.

    References
    ----------
    B. C. Allanach, J. Davighi, S. Melville, JHEP 02 (2019) 082, arXiv:1812.04602

    Examples
    --------
    >>> import zpfit
    >>> found = zpfit.atlas(2)
    >>> len(found), found[1].charges["nu"], int(found.counts.loc[1, "sm_only"])
    (358, (-1, 0, 1), 8)
    """
    if isinstance(source, (str, Path)):
        if output is not None or not neutrinos:
            raise InvalidInput(
                [f"{source}: a file is read as it is; leave out the other arguments"]
            )
        return Atlas(read_atlas(Path(source)), (Path(source),))
    target = _target(output, force=force)
    if target is None:
        return Atlas(enumerate_sets(source, neutrinos=neutrinos))
    write_atlas(target, source, progress_of(progress), neutrinos=neutrinos)
    return Atlas(read_atlas(target), (target,))


def numbered_set(number: int, *, neutrinos: bool = True) -> AtlasSet:
    """Return a set by its number, from a list that is just long enough.

    Parameters
    ----------
    number
        Number of the set.
    neutrinos
        Take the list with right-handed neutrinos.

    Raises
    ------
    InvalidInput
        The list up to Qmax 10 has no such number.
    """
    for qmax in _SEARCHED:
        found = enumerate_sets(qmax, neutrinos=neutrinos)
        if number < len(found):
            break
    return Atlas(found)[number]


def policy_of(higgs: str) -> HiggsPolicy:
    """Return the policy with a name.

    Raises
    ------
    UnknownName
        There is no such policy.
    """
    if higgs not in list(HiggsPolicy):
        raise UnknownName("Higgs policy", str(higgs), [policy.value for policy in HiggsPolicy])
    return HiggsPolicy(higgs)


def _target(output: str | Path | None, *, force: bool) -> Path | None:
    """Return the file to write, or None; an existing file needs ``force``."""
    if output is None:
        return None
    target = Path(output)
    make_folder(target.parent)
    check_target(target)
    if target.exists() and not force:
        raise FilesExist(target.parent, (target.name,))
    return target


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


def _three(name: str, charges: Sequence[int]) -> tuple[int, int, int]:
    """Return three integer charges.

    Raises
    ------
    InvalidInput
        They are not three integers.
    """
    rows = list(charges) if isinstance(charges, Sequence) else []
    if len(rows) != 3 or any(z != int(z) for z in rows):
        raise InvalidInput([f"{name}: {charges!r} is not a list of three integer charges"])
    first, second, third = map(int, rows)
    return first, second, third


def _pairing_row(found: Pairing) -> dict[str, int]:
    families = ("e", "mu", "tau")
    left = {f"L_{name}": z for name, z in zip(families, found.L, strict=True)}
    right = {f"R_{name}": z for name, z in zip(families, found.e, strict=True)}
    powers = {f"n_{name}": n for name, n in zip(families, found.powers, strict=True)}
    signature = dict(zip(LEPTONS, found.signature, strict=True))
    return {**left, **right, "H": found.H, **signature, **powers}
