"""Upper ends: searches for points that meet what a proof could not exclude."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from zpfit.analysis.certify.proof import Proof
from zpfit.analysis.certify.structure import COUPLINGS, Structure
from zpfit.analysis.joint_sigma import (
    AnomalyConstraints,
    JointSigma,
    improve_joint_sigma,
    joint_sigma_or_none,
)
from zpfit.inference.posterior import Posterior
from zpfit.inference.priors import LogUniform, SignedLogUniform
from zpfit.inference.problem import Problem
from zpfit.inference.progress import SILENT, Progress
from zpfit.inference.search.minmax import MinMax, improve_near
from zpfit.inference.search.strata import search_space
from zpfit.inference.settings import JointSigmaSpec
from zpfit.io.arrays import FloatArray
from zpfit.models.effective import MASS
from zpfit.models.gauge import Z_Q
from zpfit.physics.constants import MUON_MASS
from zpfit.physics.magnetic_moment import delta_a
from zpfit.physics.nucleons import nuclear_coupling

_TARGETS: Final = (*COUPLINGS, "C_Amu")
_RATIOS: Final = tuple(10.0 ** np.linspace(-1.5, 1.5, 7))
"""Values tried for parameters on which couplings depend non-linearly, such as tan(beta)."""
_LINEAR: Final = ("z_", "n_", "eps", "C_")
"""Beginnings of names of parameters in which couplings are linear at leading order."""


NO_POINT: Final = JointSigma(np.inf, np.empty(0))
"""Stands for a search that found no point."""


class Points:
    """Searches for points below a level, from undecided boxes and from everywhere.

    Parameters
    ----------
    problem : Problem
        Model, priors and likelihood.
    structure : Structure
        Input of the proofs.
    known : JointSigma, optional
        Result of a search from everywhere, which is not repeated.
    progress : Progress
        Receives a stage for each search.
    """

    def __init__(
        self,
        problem: Problem,
        structure: Structure,
        known: JointSigma | None = None,
        progress: Progress = SILENT,
    ) -> None:
        self._problem, self._structure, self._progress = problem, structure, progress
        self._rng = np.random.default_rng(problem.settings.seed)
        self._everywhere = known
        self._compiled = False

    def below(self, proof: Proof, level: float) -> JointSigma:
        """Return a point below a level, or the best one found.

        A search from everywhere takes some seconds. It is made once, if undecided boxes lead to
        no point below the level.

        Parameters
        ----------
        proof : Proof
            Proof that failed.
        level : float
            Level in standard errors.
        """
        found = self._near(proof)
        if found.sigma < level:
            return found
        if self._everywhere is None:
            self._everywhere = self._search()
        return min(found, self._everywhere, key=lambda one: one.sigma)

    def _near(self, proof: Proof) -> JointSigma:
        """Return the best point of a search from the undecided boxes."""
        if not len(proof.undecided):
            return NO_POINT
        self._compile()
        self._progress.stage("Searching near open boxes")
        posterior, limits = self._problem.posterior, self._problem.settings.joint_sigma
        starts = parameters_near(posterior, couplings_of(proof.undecided, self._structure))
        return upper_end(posterior, starts, proof.sigma, limits, self._rng)

    def _compile(self) -> None:
        """Evaluate the likelihood at a point, which compiles it or loads it from the cache."""
        if not self._compiled:
            self._progress.stage("Compiling the likelihood, once")
            posterior = self._problem.posterior
            posterior.pulls_and_ratios(np.full((1, posterior.dimension), 0.5))
            self._compiled = True

    def _search(self) -> JointSigma:
        """Return the point that a comparison finds."""
        self._progress.stage("Searching the whole prior")
        posterior, settings = self._problem.posterior, self._problem.settings
        # The generator of a comparison of this run alone.
        rng = np.random.default_rng(settings.seed).spawn(1)[0].spawn(4)[0]
        found, _ = joint_sigma_or_none(posterior, rng, settings.joint_sigma)
        return found or NO_POINT


def couplings_of(boxes: FloatArray, structure: Structure) -> dict[str, FloatArray]:
    """Return mass and couplings at the centres of boxes, shape (n, 5, 2).

    C_Amu, which boxes lack, is the one that makes the muon's moment largest.
    """
    centre = boxes.mean(axis=2).T
    found = dict(zip((MASS.name, *COUPLINGS), centre, strict=True))
    if structure.relation.universal_axial:
        return {**found, "C_Amu": found["C_Ae"]}
    k_v = delta_a(MUON_MASS, found[MASS.name], 1.0, 0.0)
    k_a = -delta_a(MUON_MASS, found[MASS.name], 0.0, 1.0)
    difference = found["C_Ve"] - found["C_Ae"] - found["C_nue"] + found["C_numu"]
    return {**found, "C_Amu": difference * k_v / (k_a - k_v)}


def parameters_near(posterior: Posterior, target: Mapping[str, FloatArray]) -> FloatArray:
    """Return points of the unit cube whose couplings are close to given ones.

    Parameters
    ----------
    posterior : Posterior
        Model and priors.
    target : mapping of str to numpy.ndarray, shape (n,)
        Mass and couplings.

    Returns
    -------
    numpy.ndarray, shape (k, d)
        One point for each target and each value of non-linear parameters.
    """
    free = [name for name in posterior.priors.free if name != MASS.name]
    ratios = [name for name in free if not name.startswith(_LINEAR)]
    points = []
    for index in range(len(target[MASS.name])):
        one = {name: float(values[index]) for name, values in target.items()}
        for ratio in _RATIOS if ratios else (1.0,):
            start = {MASS.name: one[MASS.name], **dict.fromkeys(ratios, ratio)}
            points.append(_solved(posterior, start, one, [n for n in free if n not in ratios]))
    return np.array(points)


def _solved(
    posterior: Posterior, start: dict[str, float], target: Mapping[str, float], linear: list[str]
) -> FloatArray:
    """Return the point at which linear parameters give the couplings best."""
    wanted = np.array([*(target[name] for name in _TARGETS), 0.0])
    quarks = Z_Q.name in linear
    steps = np.array([1e-6 * _size(posterior, name) for name in linear])
    values = np.zeros(len(linear))
    for _ in range(3):
        rows = np.vstack([values, values + np.diag(steps)])
        batch = {name: np.full(len(rows), value) for name, value in start.items()}
        batch |= dict(zip(linear, rows.T, strict=True))
        c = posterior.model.couplings(posterior.priors.complete(batch, len(rows)))
        # A free charge of the quarks can hide them from Caesium.
        nucleus = nuclear_coupling(c, protons=55, neutrons=78) if quarks else np.zeros(len(rows))
        found = np.stack([*(getattr(c, name) * np.ones(len(rows)) for name in _TARGETS), nucleus])
        jacobian = found[:, 1:] - found[:, :1]
        values = values + steps * np.linalg.lstsq(jacobian, wanted - found[:, 0], rcond=1e-10)[0]
    return _on_unit_cube(posterior, {**start, **dict(zip(linear, values, strict=True))})


def _size(posterior: Posterior, name: str) -> float:
    return max(map(abs, posterior.priors.support(name)))


def _on_unit_cube(posterior: Posterior, point: Mapping[str, float]) -> FloatArray:
    """Return coordinates of the nearest point that the priors allow."""
    u = []
    for name, prior in posterior.priors.free.items():
        low, high = prior.support()
        value = min(max(point[name], low), high)
        if isinstance(prior, SignedLogUniform | LogUniform) and abs(value) < prior.lower:
            value = float(np.copysign(prior.lower, value))
        u.append(prior.cdf(value))
    return np.clip(np.nan_to_num(u, posinf=0.5), 0, 1)


def upper_end(
    posterior: Posterior,
    points: FloatArray,
    level: float,
    limits: JointSigmaSpec,
    rng: np.random.Generator,
) -> JointSigma:
    """Return the best point that a search from given ones finds, with its joint sigma.

    The likelihood itself checks the point: every constraint is met, those that proofs leave
    out included.

    Parameters
    ----------
    posterior : Posterior
        Model, priors and likelihood.
    points : numpy.ndarray, shape (n, d)
        Starts on the unit cube.
    level : float
        Level in standard errors at which the search aims first.
    limits : JointSigmaSpec
        Largest pulls of the other measurements.
    rng : numpy.random.Generator
        Generator of kicks.

    Returns
    -------
    JointSigma
        Its ``sigma`` is infinite if no point was found.
    """
    space, objective = search_space(posterior), AnomalyConstraints(posterior, limits)
    best = MinMax(np.inf, points[0])
    for share in (1.0, 1.05):
        found, _ = improve_near(objective, share * level, points, space, rng)
        best = best.or_lower(found)
        if best.level <= level:
            break
    if not np.isfinite(best.level):
        return JointSigma(best.level, best.u)
    return improve_joint_sigma(posterior, best.u[None], rng, limits)
