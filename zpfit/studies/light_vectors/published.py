"""Published limits on g' of B-L and on the dark photon, beside those of zpfit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from zpfit.analysis.exclusion.along import excluded_intervals
from zpfit.analysis.exclusion.slice import Slice
from zpfit.studies.light_vectors.planes import VECTORS, slice_of_entries

_BAUER = "Bauer, Foldenauer and Jaeckel, arXiv:1803.05466, Fig. 13"
_DARKCAST = "DarkCast's recast (arXiv:1801.04847), as FORESEE tabulates it"
_NA64 = "NA64, arXiv:2207.09979"
_INDEPENDENT = "independent calculation from the same data, not published"


@dataclass(frozen=True)
class Published:
    """Published limits on g' of B-L by one experiment."""

    entry: str
    """Entry that zpfit computes the limit from."""
    source: str
    points: tuple[tuple[float, float], ...]
    """Mass in MeV and g'."""
    remark: str
    edge: Literal["lower", "upper"] = "lower"
    """Edge of the excluded region: an upper limit is the lower edge."""


PUBLISHED = (
    Published(
        "nue_texono_2010",
        _BAUER,
        ((2.6853, 4.5695e-6), (11.402, 1.5614e-5), (34.253, 4.9013e-5), (110.50, 1.5240e-4),
         (265.29, 3.6023e-4)),
        "level not stated; here two-sided 2 standard errors",
    ),
    Published(
        "nue_borexino_2011",
        _BAUER,
        ((1.9448, 4.7107e-6), (10.935, 2.6943e-5), (32.573, 8.1733e-5), (97.026, 2.4696e-4),
         (309.42, 7.9958e-4)),
        "treatment of neutrino flavours not stated; here with oscillations",
    ),
    Published(
        "nue_charm2_nubar_1993",
        _BAUER,
        ((1.9347, 6.3168e-5), (11.351, 6.4040e-5), (34.273, 6.8118e-5), (98.054, 9.2780e-5),
         (280.68, 1.9530e-4)),
        "published for both beams and without the error of the flux; here one beam, 6 %, 2 "
        "standard errors",
    ),
    Published(
        "na64_invisible_2019",
        _NA64,
        ((10.530, 1.0990e-5), (14.457, 1.4712e-5), (29.966, 2.8810e-5), (108.49, 1.0681e-4),
         (297.11, 3.5477e-4)),
        "recast of the dark photon with 2.84e11 electrons; the publication has 3.22e11 and an "
        "analysis of its own",
    ),
    Published(
        "na64_invisible_2023_annihilation",
        _NA64,
        ((10.530, 1.0990e-5), (14.457, 1.4712e-5), (29.966, 2.8810e-5), (108.49, 1.0681e-4),
         (297.11, 3.5477e-4)),
        "here 9.37e11 electrons, and above 150 MeV annihilation of positrons",
    ),
    Published(
        "na48_2015",
        _DARKCAST,
        ((9.0814, 5.0692e-4), (17.023, 4.1150e-4), (30.105, 2.6497e-4), (49.928, 4.7204e-4),
         (99.799, 1.0546e-3)),
        "the same digitised curve",
    ),
    Published(
        "charm_1985",
        _DARKCAST,
        ((2.0176, 3.4109e-7), (5.0917, 2.1657e-7), (9.881, 1.5535e-7), (19.859, 1.1092e-7),
         (51.626, 6.95e-8)),
        "the same digitised curve",
    ),
    Published(
        "charm_1985",
        _DARKCAST,
        ((2.0176, 3.4352e-5), (5.0917, 1.2632e-5), (9.881, 6.0784e-6), (19.859, 2.7939e-6),
         (51.626, 9.519e-7)),
        "the same digitised curve",
        "upper",
    ),
    Published(
        "nucal_pi0_1991",
        _DARKCAST,
        ((1.9730, 1.4674e-7), (5.0706, 9.0479e-8), (10.116, 6.4746e-8), (19.722, 4.6406e-8),
         (49.53, 3.0997e-8)),
        "the same digitised curve",
    ),
    Published(
        "coherent_csi_2021",
        _INDEPENDENT,
        ((1.001, 4.7e-5), (10.0, 4.8e-5), (50.0, 6.5e-5), (100.0, 9.7e-5), (999.0, 8.2e-4)),
        "there the decay of the muon is cut 8 microseconds after the pulse",
    ),
    Published(
        "conus_plus_2025",
        _INDEPENDENT,
        ((1.001, 1.5e-5), (10.0, 2.0e-5), (30.0, 4.1e-5)),
        "given to two digits",
    ),
)  # fmt: skip
"""Published numbers; curves were digitised by others, most of them from figures."""
N_EFF_FLOOR = 8.5
"""MeV, least mass of a dark photon by Ibe et al., arXiv:1912.12152, with 2.99 +- 0.17."""


_SIGMA_90 = 1.645
"""Standard errors of a two-sided interval of 90 %."""


@dataclass(frozen=True)
class Agreement:
    """A published limit beside that of zpfit."""

    published: Published
    label: str
    ratios: tuple[float, ...]
    """Limit of zpfit over the published one at each mass."""
    ratios_90: tuple[float, ...] | None
    """The same where a measurement excludes beyond 1.645 standard errors; None for searches."""


def compare_published() -> list[Agreement]:
    """Return the ratio of the limits of zpfit on B-L to the published ones."""
    return [_agreement(one) for one in PUBLISHED]


def _agreement(published: Published) -> Agreement:
    chosen = slice_of_entries(VECTORS[0], [published.entry])
    [(_, _, entry)] = chosen.assembled.entries
    ratios_90 = None
    if chosen.assembled.likelihood.measurements:
        ratios_90 = _ratios(published, slice_of_entries(VECTORS[0], [published.entry], _SIGMA_90))
    label = entry.label or published.entry
    return Agreement(published, label, _ratios(published, chosen), ratios_90)


def _ratios(published: Published, chosen: Slice) -> tuple[float, ...]:
    found = excluded_intervals(chosen, [mass for mass, _ in published.points])
    return tuple(
        getattr(intervals[-1], published.edge) / value
        for intervals, (_, value) in zip(found, published.points, strict=True)
    )


def n_eff_floor(masses: Sequence[float] = tuple(np.linspace(7.5, 9.5, 81))) -> float:
    """Return the least mass in MeV of a dark photon that N_eff = 2.99 +- 0.17 allows at 2 sigma.

    Examples
    --------
    >>> round(n_eff_floor(), 2)
    8.38
    """
    [photon] = [vector for vector in VECTORS if vector.model == "dark_photon"]
    found = excluded_intervals(slice_of_entries(photon, ["n_eff_2018"]), masses)
    return float(next(mass for mass, one in zip(masses, found, strict=True) if not one))
