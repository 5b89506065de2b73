"""Distributions of the momentum transfer in neutrino tridents at three experiments.

The Z' replaces the contact interaction of the Standard Model by a propagator. The rate
therefore depends only on the distribution of the momentum transfer t = -q^2 from the
neutrinos, for each current of the muon. Each spectrum has
``w[k]`` at ``MOMENTUM_TRANSFER[k]``, as fitted to the 2 -> 4 cross-section in the static
Coulomb field of the target's nuclei at the beam's mean energy, so that

    sum_k w_k/(m^2 + t_k),    sum_k w_k/(m^2 + t_k)^2

follow the calculation to 5e-8 from m = 1 MeV to 1 GeV. They are normalised to the Standard
Model's cross-section, g_V^2 sum w_V + g_A^2 sum w_A = 1 to 1e-6 with g_V = 1/2 + 2
sin^2(theta_w) at 0.2312 and g_A = 1/2, and so are good in the contact limit too. The axial
current is not conserved: towards small t its spectrum falls with t, that of the vector
current with t^2.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

MOMENTUM_TRANSFER: Final = np.geomspace(3e-2, 50.7740243693299e6, 32)
"""t_k in MeV^2."""


@dataclass(frozen=True, eq=False)
class TridentSpectrum:
    """Dimensionless weights of the muon's vector and axial current.

    Instances are compared by identity, which avoids hashing the weights.
    """

    vector: tuple[float, ...]
    axial: tuple[float, ...]


CCFR = TridentSpectrum(
    vector=(
        5.7786291e-13,
        0.0,
        0.0,
        0.0,
        0.0,
        2.3484501e-11,
        1.9275613e-11,
        2.141361e-10,
        6.2631543e-10,
        2.7607278e-09,
        1.0511613e-08,
        4.1996474e-08,
        1.6475725e-07,
        6.467531e-07,
        2.5223079e-06,
        9.8209478e-06,
        3.7955917e-05,
        0.00014329881,
        0.00052386182,
        0.0017872622,
        0.0055008693,
        0.014698714,
        0.033444682,
        0.063965396,
        0.10491919,
        0.14518357,
        0.16744891,
        0.15309279,
        0.099561069,
        0.035542922,
        0.0037868161,
        6.4960068e-05,
    ),
    axial=(
        0.0,
        0.0,
        1.7903337e-07,
        2.9102135e-07,
        0.0,
        8.9259192e-07,
        1.0953761e-06,
        2.5445875e-06,
        4.8635251e-06,
        9.6413137e-06,
        1.9311916e-05,
        3.8223387e-05,
        7.6154393e-05,
        0.00015066648,
        0.0002976907,
        0.00058861841,
        0.0011642109,
        0.0022849634,
        0.0044661033,
        0.0085576044,
        0.015982942,
        0.028721584,
        0.049349162,
        0.078934077,
        0.11684445,
        0.15295762,
        0.17153209,
        0.15464642,
        0.099957713,
        0.035578174,
        0.0037924281,
        6.370625e-05,
    ),
)
"""CCFR, nu_mu of 160 GeV; Mishra et al., PRL 66, 3117 (1991)."""

CHARM2 = TridentSpectrum(
    vector=(
        0.0,
        0.0,
        0.0,
        1.4911903e-11,
        2.9880078e-12,
        0.0,
        4.0295887e-10,
        3.8630206e-10,
        3.979356e-09,
        1.1272668e-08,
        5.1899295e-08,
        1.9180806e-07,
        7.7572715e-07,
        2.9996954e-06,
        1.1831146e-05,
        4.574035e-05,
        0.0001760178,
        0.00065822076,
        0.0023657285,
        0.0078188495,
        0.022748323,
        0.055559422,
        0.10848183,
        0.1650013,
        0.18948999,
        0.154204,
        0.076132549,
        0.014372782,
        0.00029610979,
        1.744697e-05,
        0.0,
        0.0,
    ),
    axial=(
        6.3812089e-07,
        0.0,
        0.0,
        0.0,
        2.9823367e-06,
        1.2634122e-06,
        6.2965444e-06,
        1.0146826e-05,
        2.1651615e-05,
        4.1760055e-05,
        8.3841558e-05,
        0.00016593276,
        0.00032919478,
        0.00065041347,
        0.001288993,
        0.0025488918,
        0.0050149422,
        0.0097646606,
        0.018757465,
        0.03500564,
        0.062164725,
        0.10290777,
        0.15321833,
        0.19673864,
        0.20567376,
        0.15957359,
        0.077080226,
        0.014443292,
        0.00029466767,
        1.790578e-05,
        0.0,
        0.0,
    ),
)
"""CHARM-II, nu_mu of 20 GeV; Geiregat et al., PLB 245, 271 (1990)."""

NUTEV = TridentSpectrum(
    vector=(
        1.4838646e-12,
        0.0,
        0.0,
        0.0,
        0.0,
        1.4008414e-11,
        8.3194459e-11,
        1.4550257e-10,
        1.0296495e-09,
        3.159412e-09,
        1.4083374e-08,
        5.2504677e-08,
        2.1137846e-07,
        8.2204838e-07,
        3.2527924e-06,
        1.2574258e-05,
        4.8604566e-05,
        0.00018320743,
        0.00066700708,
        0.0022508272,
        0.0069361176,
        0.018392638,
        0.040808489,
        0.076945485,
        0.12096258,
        0.15834851,
        0.1701945,
        0.13851646,
        0.073439731,
        0.017686636,
        0.00066746434,
        4.3218015e-05,
    ),
    axial=(
        1.8683612e-07,
        0.0,
        0.0,
        0.0,
        8.7148991e-07,
        3.7423419e-07,
        1.8408222e-06,
        2.9789929e-06,
        6.3021444e-06,
        1.2234991e-05,
        2.4533322e-05,
        4.851565e-05,
        9.6115327e-05,
        0.00019079794,
        0.00037969878,
        0.00074754992,
        0.0014798662,
        0.0029015954,
        0.0056495196,
        0.010699067,
        0.020011988,
        0.035754935,
        0.059940651,
        0.094619961,
        0.13435263,
        0.16648688,
        0.17410253,
        0.13976873,
        0.073705276,
        0.017687606,
        0.00067534982,
        4.1387925e-05,
    ),
)
"""NuTeV, nu_mu of 120 GeV; Adams et al., hep-ex/9811012."""
