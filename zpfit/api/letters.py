"""Look-alike letters of names that users type."""

from zpfit.io.letters import with_one_mu

__all__ = ["with_one_mu"]
