"""An invisible width that any model may have, and the parameters that a run adds to a model."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Self

import numpy as np

from zpfit.errors import InvalidInput
from zpfit.io.arrays import FloatArray
from zpfit.models.base import LeptonRelation, Model, Parameter, Values
from zpfit.models.python_model import UserModel
from zpfit.physics.couplings import Couplings

WIDTH_DARK = Parameter(
    "width_dark",
    r"\Gamma_\mathrm{dark}",
    "MeV",
    (0.0, 1e4),
    0.0,
    meaning="width into an invisible dark sector",
)
BR_DARK = Parameter(
    "br_dark",
    r"\mathrm{BR}_\mathrm{dark}",
    "",
    (0.0, 1 - 1e-9),
    0.0,
    meaning="branching ratio into an invisible dark sector",
)
DARK_PARAMETERS = (WIDTH_DARK, BR_DARK)


class WithDarkWidth(Model):
    """A model whose Z' decays to a dark sector as well.

    Parameters
    ----------
    model : Model
        The model without the dark sector.
    parameter : Parameter
        :data:`WIDTH_DARK` or :data:`BR_DARK`, perhaps with another default.

    Examples
    --------
    >>> from zpfit.models.effective import Effective
    >>> model = WithDarkWidth(Effective(), BR_DARK)
    >>> point = {p.name: np.zeros(1) for p in model.parameters}
    >>> c = model.couplings(point | {"m_Zp": np.array([17.0]), "C_Ve": np.array([1e-4]),
    ...                              "br_dark": np.array([0.25])})
    >>> c.br_ee.round(12), c.br_inv.round(12)
    (array([0.75]), array([0.25]))
    """

    name = ""

    def __init__(self, model: Model, parameter: Parameter) -> None:
        self.name = model.name
        self._model, self._dark = model, parameter

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The model's parameters, and the dark width or branching ratio."""
        return (*self._model.parameters, self._dark)

    @property
    def optional(self) -> tuple[Parameter, ...]:
        """Optional parameters of the model itself."""
        return self._model.optional

    def extended(self, names: Collection[str]) -> Self:
        """Return the model with those of :attr:`optional` that are among ``names``."""
        return type(self)(self._model.extended(names), self._dark)

    @property
    def description(self) -> str:
        """The model's description, and the dark sector."""
        what = "width" if self._dark.name == WIDTH_DARK.name else "branching ratio"
        return f"{self._model.description} A dark sector adds an invisible {what}."

    @property
    def reference(self) -> str:
        """The model's reference."""
        return self._model.reference

    @property
    def formulas(self) -> tuple[str, ...]:
        """The model's formulas, and the dark width."""
        if self._dark.name == WIDTH_DARK.name:
            return self._model.formulas
        return (
            *self._model.formulas,
            "width_dark = br_dark / (1 - br_dark) times all other widths",
        )

    def couplings(self, values: Values) -> Couplings:
        """Return couplings at n points."""
        c = self._model.couplings(self._inner(values))
        dark = values[self._dark.name]
        if self._dark.name == WIDTH_DARK.name:
            return c.with_rows(width_dark=dark)
        return c.with_dark_branching(dark)

    def conditions(self, values: Values) -> dict[str, FloatArray]:
        """Return the conditions of the model, and that a dark width is below the mass."""
        inner = self._inner(values)
        found = self._model.conditions(inner)
        if self._dark.name != WIDTH_DARK.name:
            return found
        mass = inner["m_Zp"] if "m_Zp" in inner else self._model.couplings(inner).m_Zp
        with np.errstate(divide="ignore", invalid="ignore"):
            return {**found, "dark width below the mass": values[WIDTH_DARK.name] / mass}

    def derived(self, values: Values) -> dict[str, FloatArray]:
        """Return the derived quantities of the model."""
        return self._model.derived(self._inner(values))

    def _inner(self, values: Values) -> dict[str, FloatArray]:
        """Return the values of the model's own parameters."""
        return {name: column for name, column in values.items() if name != self._dark.name}

    def embed(self, smaller: Model, values: Values) -> dict[str, FloatArray] | None:
        """Return the parameters of a smaller model, which may have the same dark parameter."""
        name = self._dark.name
        dark = np.zeros_like(next(iter(values.values())))
        if isinstance(smaller, WithDarkWidth):
            if smaller._dark.name != name:  # noqa: SLF001 - of this class
                return None
            dark, smaller, values = values[name], smaller._model, self._inner(values)  # noqa: SLF001
        found = self._model.embed(smaller, values)
        return None if found is None else {**found, name: dark}

    def lepton_relation(self, supports: Mapping[str, tuple[float, float]]) -> LeptonRelation | None:
        """Return the relations of the model, or None where a dark width may be open."""
        own = dict(supports)
        if own.pop(self._dark.name) != (0.0, 0.0):
            return None
        return self._model.lepton_relation(own)


def with_dark_default(model: Model, width: float | None, branching: float | None) -> Model:
    """Return a model with a dark width (MeV) or branching ratio that runs may change, if given."""
    if width is not None:
        return WithDarkWidth(model, replace(WIDTH_DARK, default=width))
    if branching is not None:
        return WithDarkWidth(model, replace(BR_DARK, default=branching))
    return model


def optional_parameters(model: Model) -> tuple[Parameter, ...]:
    """Return the parameters that :func:`with_given` can add to a model, in their order.

    A model may have a dark width or a dark branching ratio. Python models return
    ``width_dark`` themselves.
    """
    has_one = any(own.name in {p.name for p in DARK_PARAMETERS} for own in model.parameters)
    dark = () if has_one or isinstance(model, UserModel) else DARK_PARAMETERS
    chosen = {parameter.name for parameter in model.parameters}
    return tuple(p for p in (*model.optional, *dark) if p.name not in chosen)


def with_given(model: Model, names: Collection[str]) -> Model:
    """Return the model with the optional parameters among ``names``.

    Raises
    ------
    InvalidInput
        Both the dark width and the dark branching ratio are given.

    Examples
    --------
    >>> from zpfit.models.effective import Effective
    >>> [p.name for p in with_given(Effective(), ["C_Ve", "C_Vu", "br_dark"]).parameters][-2:]
    ['C_Vu', 'br_dark']
    """
    given = [p for p in optional_parameters(model) if p.name in names]
    dark = [p for p in given if p in DARK_PARAMETERS]
    if len(dark) > 1:
        raise InvalidInput(["width_dark and br_dark are both given; drop one of them"])
    model = model.extended(names)
    return WithDarkWidth(model, dark[0]) if dark else model
