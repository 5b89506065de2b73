"""Choice of data for the Python API."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from zpfit.errors import InvalidInput
from zpfit.io.document import Document
from zpfit.io.validation_messages import problems_of
from zpfit.likelihood.limit_file import AddedLimit
from zpfit.likelihood.spec import LikelihoodSpec


class Likelihood(LikelihoodSpec):
    """A named set of data entries and changes to it.

    It may take the place of the ``likelihood`` of a run file in a dict. Names are looked up when
    the run is loaded.

    Parameters
    ----------
    set : str, optional
        Name of a set of entries; without one, only the added entries count.
    add : iterable of str, Path, mapping or AddedLimit
        Further entries: their names, or limit files (``.lmt``) by their paths or by mappings with
        the keys of :class:`zpfit.likelihood.limit_file.AddedLimit`.
    drop : iterable of str
        Entries of the set to leave out.
    soft : iterable of str
        Exclusions to make soft, whatever the set says; ``"all"`` means all but those in ``hard``.
    hard : iterable of str
        Exclusions to make hard, whatever the set says; ``"all"`` means all but those in ``soft``.
    nuisances : mapping of str to float, optional
        Standard deviations of the priors of nuisance parameters; the default is 1.

    Raises
    ------
    InvalidInput
        An argument has the wrong type.

    Examples
    --------
    >>> data = Likelihood("today_leptons_cs", drop=["a_e_cs_2023"], soft=["kloe_2015"])
    >>> data
    Likelihood(set='today_leptons_cs', drop=('a_e_cs_2023',), soft=('kloe_2015',))
    >>> import zpfit
    >>> problem = zpfit.load({"model": "effective", "likelihood": data})
    >>> problem.posterior.likelihood.name
    'today_leptons_cs -a_e_cs_2023 kloe_2015:soft'
    """

    def __init__(
        self,
        set: str | None = None,  # noqa: A002 - the key of run files
        add: Iterable[str | Path | Mapping[str, Any] | AddedLimit] = (),
        drop: Iterable[str] = (),
        soft: Iterable[str] = (),
        *,
        hard: Iterable[str] = (),
        nuisances: Mapping[str, float] | None = None,
    ) -> None:
        given = {"add": add, "drop": drop, "soft": soft, "hard": hard}
        content: dict[str, Any] = {"set": set, "nuisances": dict(nuisances or {})}
        content |= {key: _listed(value) for key, value in given.items()}
        try:
            super().__init__(**content)
        except ValidationError as error:
            document = Document(Path("Likelihood"), content, {})
            raise InvalidInput(problems_of(LikelihoodSpec, document, error)) from error

    def __repr_args__(self) -> Iterable[tuple[str | None, Any]]:
        """Return the arguments that differ from their defaults."""
        for name, field in type(self).model_fields.items():
            value = getattr(self, name)
            if value != field.get_default(call_default_factory=True):
                yield name, value


def _listed(values: Any) -> Any:
    """Return an iterable as a list of plain data; validation reports a text or a number."""
    if isinstance(values, str) or not isinstance(values, Iterable):
        return values
    return [str(value) if isinstance(value, Path) else value for value in values]
