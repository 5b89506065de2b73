"""Numbers and units in the words of all tables and messages."""

from zpfit.analysis.certify.bracket import above, below, is_met
from zpfit.analysis.levels import in_percent
from zpfit.physics.couplings import TABLE

__all__ = ["above", "below", "in_percent", "is_met", "unit_of"]


def unit_of(name: str) -> str:
    """Return the unit of the mass or of a coupling; empty if it has none.

    Parameters
    ----------
    name
        Name of a row of the table of couplings.

    Examples
    --------
    >>> unit_of("m_Zp"), unit_of("C_Ve")
    ('MeV', '')
    """
    return {row.name: row.unit for row in TABLE}.get(name, "")
