"""Models by name."""

from zpfit.errors import UnknownName
from zpfit.models.base import Model
from zpfit.models.effective import Effective

_MODELS: tuple[Model, ...] = (Effective(),)


def model_names() -> list[str]:
    """All names, sorted."""
    return sorted(model.name for model in _MODELS)


def find_model(name: str, place: str = "") -> Model:
    """The model of that name.

    Raises:
        UnknownName: there is none.
    """
    for model in _MODELS:
        if model.name == name:
            return model
    raise UnknownName("model", name, model_names(), place)
