"""Single charge sets of the atlas: :class:`AtlasSet`."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zpfit.analysis.atlas.charge_sets import SPECIES, ChargeSet, ChargeSets, multisets
from zpfit.analysis.atlas.flags import FLAGS, QuarkFlavour, quark_flavour
from zpfit.analysis.atlas.pairings import (
    Pairing,
    chosen_pairing,
    model_content,
    pairings,
    run_content,
)
from zpfit.analysis.atlas.signatures import LEPTONS, HiggsPolicy
from zpfit.api.sources import escaped, folder_of
from zpfit.errors import UnknownName
from zpfit.io.library import Library
from zpfit.io.writing import make_room, write_text
from zpfit.io.yaml import dump_yaml

if TYPE_CHECKING:
    import pandas as pd

FLAVOURS = {"universal": QuarkFlavour.UNIVERSAL, "two_alike": QuarkFlavour.TWO_ALIKE}
FLAVOURS |= {"universal_doublets": QuarkFlavour.UNIVERSAL_DOUBLETS, "general": QuarkFlavour.GENERAL}
"""Names of the flavour structures of quarks, from the safest on."""
LIKELIHOOD = "today_cs"
"""Likelihood of the run file of a set."""


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
            "zero" or "renormalisable", see :meth:`zpfit.api.atlases.Atlas.signatures`.

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
        folder = folder_of(output, "output")
        contents = {
            folder / f"{self.name}.yaml": run,
            folder / "models" / f"{self.name}.yaml": self.model(higgs, pairing),
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


def _pairing_row(found: Pairing) -> dict[str, int]:
    families = ("e", "mu", "tau")
    left = {f"L_{name}": z for name, z in zip(families, found.L, strict=True)}
    right = {f"R_{name}": z for name, z in zip(families, found.e, strict=True)}
    powers = {f"n_{name}": n for name, n in zip(families, found.powers, strict=True)}
    signature = dict(zip(LEPTONS, found.signature, strict=True))
    return {**left, **right, "H": found.H, **signature, **powers}
