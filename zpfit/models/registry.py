"""Models that are part of zpfit, by name, each with the options it takes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from zpfit.io.schema import StrictModel
from zpfit.models.base import Model
from zpfit.models.effective import Effective
from zpfit.models.froggatt_nielsen import FroggattNielsen
from zpfit.models.gauge import GaugeOptions
from zpfit.models.nhdm_u1 import NHDMOptions, NHiggsDoubletU1
from zpfit.models.sm_u1 import StandardModelU1


class NoOptions(StrictModel):
    """Options of a model that has none."""


@dataclass(frozen=True)
class BuiltIn:
    """How to build a model."""

    options: type[StrictModel]
    build: Callable[[Any], Model]
    """From an instance of ``options``."""


BUILT_IN = {
    "effective": BuiltIn(NoOptions, lambda _: Effective()),
    "sm_u1": BuiltIn(GaugeOptions, StandardModelU1),
    "nhdm_u1": BuiltIn(NHDMOptions, NHiggsDoubletU1),
    "froggatt_nielsen": BuiltIn(GaugeOptions, FroggattNielsen),
}
