"""Fluxes of CERN's wide-band neutrino beams at CHARM-II, thinned from a published figure.

Rows are energy in GeV and neutrinos per GeV and 1e13 protons on target, in 1e9.
Source: the figure of the West Area Neutrino Facility's beams in "Hadroproduction
experiments for precise neutrino beam calculations", as digitised for the dark-neutrino
study of CHARM-II, arXiv:1812.08768; of its points these are kept, which in logarithms
interpolate all the others to 5 %. The tables start where the digitisation starts, at
4.0 and 4.7 GeV, and end where the flux has become negligible. Recoils from 3 GeV on
need little below. The wrong-sign components are left out, as cross-sections are
corrected for them.
"""

Rows = tuple[tuple[float, float], ...]

NEUTRINO_BEAM: Rows = (
    (4.01, 0.609),
    (4.8, 0.705),
    (5.42, 0.988),
    (6.12, 1.12),
    (7.12, 1.59),
    (7.38, 1.9),
    (8.5, 2.28),
    (10.0, 3.61),
    (11.3, 4.5),
    (15.0, 4.98),
    (18.8, 4.18),
    (23.7, 2.5),
    (49.9, 0.285),
    (69.0, 0.173),
    (82.1, 0.109),
    (96.5, 0.0585),
    (120.0, 0.0313),
    (163.0, 0.00875),
    (200.0, 0.00299),
)
"""nu_mu in the neutrino beam."""

ANTINEUTRINO_BEAM: Rows = (
    (4.7, 0.493),
    (6.62, 0.916),
    (7.34, 1.32),
    (8.12, 1.61),
    (8.55, 2.0),
    (10.5, 3.04),
    (12.4, 3.78),
    (16.7, 3.58),
    (19.8, 2.78),
    (29.2, 0.923),
    (29.9, 0.786),
    (43.3, 0.208),
    (55.6, 0.115),
    (59.4, 0.0919),
    (65.6, 0.079),
    (79.4, 0.044),
    (88.1, 0.0289),
    (91.9, 0.0222),
    (96.7, 0.0191),
    (100.0, 0.015),
    (120.0, 0.00623),
    (137.0, 0.003),
    (151.0, 0.00136),
)
"""nubar_mu in the antineutrino beam."""
