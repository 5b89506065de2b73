"""Likelihood of zpfit in cobaya (Torrado and Lewis, arXiv:2005.05290).

In an input file::

    likelihood:
      zpfit.interfaces.cobaya.ZpfitLikelihood:
        run_file: quickstart

``zpfit export quickstart --to cobaya`` writes one with parameters and priors.
"""

from collections.abc import Mapping
from typing import Any

from zpfit.errors import MissingExtra, ZpfitError
from zpfit.interfaces.point_likelihood import PointLikelihood, point_likelihood

try:
    from cobaya.likelihood import Likelihood
    from cobaya.log import LoggedError
except ImportError as error:
    raise MissingExtra("cobaya", "cobaya", str(error)) from error


class ZpfitLikelihood(Likelihood):  # type: ignore[misc]  # cobaya comes without types
    """Likelihood of a model and data, with couplings and derived quantities as outputs."""

    run_file: str | None = None
    """Run file, run folder or packaged run; its free parameters are those of the likelihood."""
    set: str | None = None
    """Name of a likelihood set; replaces that of the run file."""
    model: str | None = None
    """Name of a model, or a YAML mapping with its options; replaces that of the run file."""
    changes: Mapping[str, Any] | None = None
    """Keys of the run file, such as ``likelihood.drop``, with their new values."""

    _point: PointLikelihood

    def initialize(self) -> None:
        """Read the run file, the model and the data."""
        try:
            self._point = point_likelihood(self.run_file, self.set, self.model, self.changes)
        except ZpfitError as error:
            raise LoggedError(self.log, "%s", error) from error

    def get_requirements(self) -> dict[str, None]:
        """Return the parameters that cobaya must provide."""
        return dict.fromkeys(self._point.required)

    def get_can_support_params(self) -> list[str]:
        """Return the parameters that cobaya may provide."""
        return list(self._point.optional)

    def get_can_provide_params(self) -> list[str]:
        """Return the couplings and derived quantities that an input file may list as derived."""
        return list(self._point.derived_names)

    def logp(self, _derived: dict[str, float] | None = None, **params_values: float) -> float:
        """Return ln L at a point and fill ``_derived``."""
        try:
            log_likelihood = self._point.log_likelihood(params_values)
            if _derived is not None:
                _derived.update(self._point.derived(params_values))
        except ZpfitError as error:
            raise LoggedError(self.log, "%s", error) from error
        return log_likelihood
