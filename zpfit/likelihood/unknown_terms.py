"""Remarks on terms that a model cannot predict, and on data that are missing."""

from collections.abc import Iterator

from zpfit.likelihood.likelihood import Likelihood
from zpfit.likelihood.measurements import Measurement
from zpfit.physics.charged_current import CHARGED_CURRENT
from zpfit.physics.couplings import QUARK_NAMES, Couplings
from zpfit.physics.nuclear_lattice import NUCLEAR

_READ = frozenset(QUARK_NAMES)
"""Inputs by which an observable depends on quarks."""
_KAON_TO_PION = "k_pi_ee"
"""Start of the names of entries with limits on K -> pi X."""


def unknown_terms(likelihood: Likelihood, c: Couplings) -> tuple[str, ...]:
    """Return a remark on terms that depend on what the model behind some couplings does not give.

    Most couplings that a model does not give are zero. A few quantities, such as the mixing with
    the Z, are unknown then: a model of effective couplings may have any. Their terms are evaluated
    without mixing, so that they add the same chi2 as no Z' does, and models with and without them
    can be compared. See ``needs`` of :func:`zpfit.physics.observables.observable`.

    Parameters
    ----------
    likelihood : Likelihood
    c : Couplings
        The model's couplings at any points.

    Returns
    -------
    tuple of str
        One line that names the terms; empty if every term is known.

    Examples
    --------
    >>> unknown_terms(Likelihood("nothing", (), ()), Couplings.of(m_Zp=17.0))
    ()
    """
    lacking = {name: [n for n in needs if not c.gives(n)] for name, needs in needs_of(likelihood)}
    missing = {name: names for name, names in lacking.items() if names}
    if not missing:
        return ()
    quantities = ", ".join(dict.fromkeys(name for names in missing.values() for name in names))
    names = ", ".join(missing)
    meaning = f"which counts as zero; these terms are as without a Z': {names}"
    return (f"the model does not give {quantities}, {meaning}",)


def leptons_alone(likelihood: Likelihood, c: Couplings) -> tuple[str, ...]:
    """Return a remark on data about quarks, if the model behind some couplings has no quarks.

    Parameters
    ----------
    likelihood : Likelihood
    c : Couplings
        The model's couplings at any points.

    Returns
    -------
    tuple of str
        One line; empty if the model has quark couplings or no measurement depends on them.
    """
    if any(c.gives(name) for name in QUARK_NAMES):
        return ()
    terms = _with_quarks(likelihood)
    if not terms:
        return ()
    charged = [t.name for t in terms if t.observable.name in CHARGED_CURRENT]
    breaks = f"it breaks the charged current ({', '.join(charged)}), and " if charged else ""
    seen = "searches and measurements with quarks do not see it"
    return (f"the model has no quark couplings: a Z' of leptons alone; {breaks}{seen}",)


def missing_kaons(likelihood: Likelihood) -> tuple[str, ...]:
    """Return a remark on the kaon decays that no entry holds, if excited nuclei are among the data.

    Parameters
    ----------
    likelihood : Likelihood

    Returns
    -------
    tuple of str
        One line; empty without data on excited nuclei.
    """
    if not any(term.observable.name in NUCLEAR for term in likelihood.measurements):
        return ()
    held = any(exclusion.name.startswith(_KAON_TO_PION) for exclusion in likelihood.exclusions)
    decays = "K_L -> pi0 pi0 X; arXiv:2602.19479"
    if not held:
        decays = f"K -> pi X, for which {_KAON_TO_PION}_bnl_1987 is an option; {decays}"
    meaning = (
        "they reach axial couplings of light quarks of 1e-5 to 1e-4, the size that nuclei need"
    )
    return (f"kaon decays to non-conserved currents are missing ({decays}): {meaning}",)


def depends_on_the_model(likelihood: Likelihood) -> bool:
    """Return True if a term needs what a model may lack, or depends on quarks."""
    return bool(_with_quarks(likelihood)) or any(needs for _, needs in needs_of(likelihood))


def _with_quarks(likelihood: Likelihood) -> list[Measurement]:
    return [t for t in likelihood.measurements if not _READ.isdisjoint(t.observable.reads)]


def needs_of(likelihood: Likelihood) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the name of each term and the couplings that it needs."""
    for term in likelihood.measurements:
        yield term.name, term.observable.needs
    for exclusion in likelihood.exclusions:
        yield exclusion.name, exclusion.needs
