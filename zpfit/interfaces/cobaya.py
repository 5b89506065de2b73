"""zpfit's likelihood in cobaya (arXiv:2005.05290).

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
    """ln L of a model and data of zpfit, couplings and derived quantities among its outputs."""

    run_file: str | None = None
    """A run file, a run folder or the name of a packaged run; its free parameters are ours."""
    set: str | None = None
    """Name of a likelihood set, in place of the run file's."""
    model: str | None = None
    """As ``--model`` of ``zpfit evaluate`` takes it, in place of the run file's."""
    changes: Mapping[str, Any] | None = None
    """Keys of the run file with other values, or with texts as ``--set`` takes them."""

    _point: PointLikelihood

    def initialize(self) -> None:
        """Read the run file and everything it names."""
        try:
            self._point = point_likelihood(self.run_file, self.set, self.model, self.changes)
        except ZpfitError as error:
            raise LoggedError(self.log, "%s", error) from error

    def get_requirements(self) -> dict[str, None]:
        """Parameters that must be given."""
        return dict.fromkeys(self._point.required)

    def get_can_support_params(self) -> list[str]:
        """Parameters that may be given."""
        return list(self._point.optional)

    def get_can_provide_params(self) -> list[str]:
        """Couplings and derived quantities that an input may list as derived."""
        return list(self._point.derived_names)

    def logp(self, _derived: dict[str, float] | None = None, **params_values: float) -> float:
        """ln L at a point."""
        try:
            log_likelihood = self._point.log_likelihood(params_values)
            if _derived is not None:
                _derived.update(self._point.derived(params_values))
        except ZpfitError as error:
            raise LoggedError(self.log, "%s", error) from error
        return log_likelihood
