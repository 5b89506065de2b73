"""Descriptions of figures: :class:`Figure`."""

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from zpfit.errors import InvalidInput
from zpfit.io.document import Document, plain_data
from zpfit.io.figure_spec import FigureSpec
from zpfit.io.validation_messages import problems_of


class Figure(FigureSpec):
    """Description of a figure: its size, axes, colours and what it shows.

    The methods that draw take one as ``figure``, as well as a mapping of its keys or the path of a
    file. It may also stand under ``figure`` in a run or a slice. All keys are optional; see
    :class:`zpfit.io.figure_spec.FigureSpec` for each.

    Raises
    ------
    InvalidInput
        A key is unknown or a value does not fit.

    Examples
    --------
    >>> letter = Figure(width="prl", title="", highlight=["kloe_2015"])
    >>> letter
    Figure(width=3.375, title='', highlight=('kloe_2015',))
    >>> Figure(widht="prl")
    Traceback (most recent call last):
        ...
    zpfit.errors.InvalidInput: Figure: widht: unknown key; did you mean 'width'?
    """

    def __init__(self, **keys: Any) -> None:
        content = {key: plain_data(value) for key, value in keys.items()}
        try:
            super().__init__(**content)
        except ValidationError as error:
            document = Document(Path("Figure"), content, {})
            raise InvalidInput(problems_of(FigureSpec, document, error)) from error

    def __repr_args__(self) -> Any:
        """Return the keys that are given."""
        given = self.model_fields_set
        return [(name, getattr(self, name)) for name in type(self).model_fields if name in given]
