"""The atlas of anomaly-free charge sets: :func:`atlas` with its :class:`Atlas`."""

from collections.abc import Sequence
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING

from zpfit.analysis.atlas.charge_sets import SPECIES, ChargeSet, ChargeSets
from zpfit.analysis.atlas.enumeration import enumerate_sets
from zpfit.analysis.atlas.flags import FLAGS, count_flags, least_powers, quark_flavour
from zpfit.analysis.atlas.signatures import signatures
from zpfit.analysis.atlas.survival import Survival, gain_of_sets, survival_of
from zpfit.api.atlas_sets import FLAVOURS, AtlasSet, policy_of
from zpfit.api.atlas_signatures import Screen, Signatures
from zpfit.api.sources import escaped, progress_of
from zpfit.errors import InvalidInput, UnknownName, WrongType
from zpfit.inference.progress import Progress
from zpfit.runs.atlas_file import output_file, read_atlas, write_atlas, write_signatures

__all__ = ["Atlas", "Survival", "atlas", "numbered_set"]

if TYPE_CHECKING:
    import pandas as pd

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

    def __getitem__(self, number: int) -> AtlasSet:
        """Return one set by its number.

        Raises
        ------
        WrongType
            The number is no integer.
        InvalidInput
            No set has this number.
        """
        if not isinstance(number, Integral) or isinstance(number, bool):
            raise WrongType("number", number, "the number of a set, an integer")
        return AtlasSet(int(number), self._sets.row(int(number)), self.neutrinos)

    @property
    def frame(self) -> "pd.DataFrame":
        """One row for each set, by number: charges ``Q_1`` to ``nu_3``, flags and labels.

        ``quark_flavour`` is one of :data:`~zpfit.api.atlas_sets.FLAVOURS`; ``least_powers``
        is the smallest sum of the Froggatt-Nielsen powers of leptons with z_H = 0.
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
    ) -> AtlasSet | None:
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
    ) -> Signatures:
        """Return what data can see of the sets: the distinct signatures under one policy.

        Parameters
        ----------
        higgs
            "zero": z_H = 0, and masses of leptons from powers of a flavon. "renormalisable": z_H*,
            and sets whose leptons get their masses without flavons.
        flavour
            Least safe flavour structure of quarks that is kept, one of
            :data:`~zpfit.api.atlas_sets.FLAVOURS`.
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
        target = output_file(output, force=force)
        table = signatures(self._sets, policy, flavour=FLAVOURS[flavour], quarks=quarks)
        if target is not None:
            title = f"Signatures of the charge sets up to {self.qmax}, policy {policy}"
            write_signatures(table, target, title)
        return Signatures(table, () if target is None else (target,))

    def survival(self, screen: Screen) -> Survival:
        """Count the signatures and charge sets of a screen that survive.

        Without couplings of its own every set is the Standard Model or a dark photon. One survives
        if its chi2 is lower than both of theirs by more than a bar.

        Parameters
        ----------
        screen
            Screen of all signatures of this list under one policy.

        Raises
        ------
        InvalidInput
            The screen is that of another list.

        Examples
        --------
        >>> import zpfit
        >>> atlas = zpfit.atlas(1)
        >>> screen = atlas.signatures("zero").screen("paper_2021_cs", options={"gain": 100})
        >>> found = atlas.survival(screen)
        >>> found.sets, found.signatures, found.surviving[9] <= found.surviving_sets[9]
        (38, 33, True)
        """
        of_sets = gain_of_sets(self._sets, screen.signatures.table, screen.gain)
        return survival_of(self._sets, screen.gain, of_sets)

    def __repr__(self) -> str:
        kind = "with" if self.neutrinos else "without"
        text = f"{len(self):,} charge sets up to {self.qmax} {kind} right-handed neutrinos"
        return f"<Atlas: {text}>"

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
    target = output_file(output, force=force)
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
