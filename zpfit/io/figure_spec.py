"""The description of a figure: the block ``figure`` of a file, or a file of its own."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from zpfit.errors import suggestion
from zpfit.io.schema import AlsoAs, Names, Number, Positive, StrictModel

WIDTHS: Mapping[str, float] = {"prl": 3.375, "prl-two": 7.0, "beamer": 5.0}
"""Widths in inches: one and two columns of Physical Review Letters, and the text of a slide."""
_SMALLEST, _LARGEST = 1.5, 40.0
"""Sides of a figure in inches."""


def _fits(inches: float) -> float:
    if not _SMALLEST <= inches <= _LARGEST:
        raise ValueError(f"{inches:g} inches; give {_SMALLEST:g} to {_LARGEST:g}")
    return inches


def _width(given: Any) -> Any:
    """Return the inches that the name of a width stands for."""
    if isinstance(given, str) and given not in WIDTHS:
        known = suggestion(given, list(WIDTHS))
        raise ValueError(f"unknown width {given!r}; {known}, or give inches")
    return WIDTHS[given] if isinstance(given, str) else given


def _is_colour(colour: str) -> str:
    from matplotlib.colors import is_color_like  # slow to import, and colours are rarely given

    if not is_color_like(colour):
        raise ValueError(f"{colour!r} is no colour; give a name such as red, or '#CC3311'")
    return colour


def _is_probability(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"{level:g} is no confidence level; give a number between 0 and 1")
    return level


Inches = Annotated[Positive, AfterValidator(_fits)]
Width = Annotated[Inches, BeforeValidator(_width), AlsoAs("string")]
Colour = Annotated[str, AfterValidator(_is_colour)]
Level = Annotated[float, AfterValidator(_is_probability)]


class AxisLook(StrictModel):
    """Look of the axis of one parameter."""

    label: str | None = None
    """Label with its unit; formulas stand between dollar signs."""
    scale: Literal["linear", "log"] | None = None
    """Scale of an axis; the axis of a logarithmic prior of either sign has its own."""
    lower: Number | None = None
    """Lower end; by default what the figure shows."""
    upper: Number | None = None
    """Upper end."""

    @model_validator(mode="after")
    def _in_order(self) -> "AxisLook":
        if self.lower is not None and self.upper is not None and self.lower >= self.upper:
            raise ValueError(f"lower ({self.lower:g}) must be below upper ({self.upper:g})")
        if self.scale == "log" and self.lower is not None and self.lower <= 0:
            raise ValueError(f"lower ({self.lower:g}) must be positive on a logarithmic axis")
        return self


class FigureSpec(StrictModel):
    """Description of a figure; every key is optional.

    Examples
    --------
    >>> spec = FigureSpec(width="prl", hide=("kloe_2015",))
    >>> spec.size(5.0, 2.0)
    (3.375, 2.0)
    """

    width: Width | None = None
    """Width: one (``prl``) or two columns of a letter, a slide, or inches."""
    height: Inches | None = None
    """Height in inches; by default it follows from the content."""
    aspect: Annotated[float, Field(ge=0.1, le=10)] | None = None
    """Height over width, instead of ``height``."""
    title: str | None = None
    """Title instead of that of the result; an empty text leaves it out."""
    axes: dict[str, AxisLook] = Field(default_factory=dict)
    """Scale, range and label of the axis of a parameter."""
    parameters: Names = ()
    """Parameters or couplings of a corner plot, in this order; by default all."""
    levels: Annotated[tuple[Level, ...], Field(strict=False, max_length=6)] = ()
    """Probabilities inside the contours of a corner plot, and of the lines of a profile."""
    union: bool | None = None
    """Draw the excluded regions of a plane as one grey area with the outlines of the strongest
    limits. By default for more than eight regions."""
    colours: dict[str, Colour] = Field(default_factory=dict)
    """Colour of an entry, group, run or data set."""
    names: dict[str, str] = Field(default_factory=dict)
    """Label of a run, folder or combination in place of what tells its title apart."""
    hide: Names = ()
    """Entries or runs that are not drawn. They still count: ``likelihood.drop`` removes data."""
    highlight: Names = ()
    """Entries or groups drawn in bold colour over the others."""
    groups: dict[str, Names] = Field(default_factory=dict)
    """Entries drawn as one region, by the label of the region."""
    labels: Literal["inside", "outside", "legend"] | None = None
    """Place of the labels of regions: inside them, beside the plane, or in a legend."""
    bands: Names = ()
    """Measurements drawn as the band that they allow."""
    lines: Names = ()
    """Entries drawn as their edge alone."""

    @model_validator(mode="after")
    def _one_height(self) -> "FigureSpec":
        if self.height is not None and self.aspect is not None:
            raise ValueError("height and aspect are both given; drop one of them")
        return self

    def size(self, width: float, height: float, *, scaled: bool = False) -> tuple[float, float]:
        """Return width and height in inches.

        Parameters
        ----------
        width, height
            Default size.
        scaled
            True if the default height is in proportion to the width.
        """
        own = self.width or width
        if self.height is not None:
            return own, self.height
        if self.aspect is not None:
            return own, self.aspect * own
        return own, height * own / width if scaled else height

    def titled(self, title: str) -> str:
        """Return the title of the figure, given that of the result."""
        return title if self.title is None else self.title

    def changed(self, other: "FigureSpec") -> "FigureSpec":
        """Return this description with the keys of another one, which prevail.

        Examples
        --------
        >>> first = FigureSpec(width="prl", title="A plane")
        >>> first.changed(FigureSpec(width="beamer")).model_dump(exclude_unset=True)
        {'width': 5.0, 'title': 'A plane'}
        """
        given = {**self.as_record(), **other.as_record()}
        if "height" in other.model_fields_set:
            given.pop("aspect", None)
        if "aspect" in other.model_fields_set:
            given.pop("height", None)
        return FigureSpec.model_validate(given)

    def as_record(self) -> dict[str, Any]:
        """Return the keys that are given, in the form of JSON."""
        return self.model_dump(mode="json", exclude_unset=True)


def described_by(record: Mapping[str, Any], spec: FigureSpec | None) -> FigureSpec:
    """Return the description of a figure that a record holds, changed by another one.

    Examples
    --------
    >>> described_by({"figure": {"width": 5}}, FigureSpec(height=4)).size(3, 3)
    (5.0, 4.0)
    """
    own = FigureSpec.model_validate(record.get("figure", {}))
    return own if spec is None else own.changed(spec)
