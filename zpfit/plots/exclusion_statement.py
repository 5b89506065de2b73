"""Text below an exclusion plot: at which level, and against what, its regions are excluded."""

from zpfit.analysis.exclusion.statement import statement
from zpfit.analysis.records import ExclusionMapRecord
from zpfit.plots.labels import wrapped

_DELTA_CHI2 = r"$\Delta\chi^2$"


def statement_lines(record: ExclusionMapRecord, size: float, width: float) -> list[str]:
    """Return the lines that state level and reference; none for older records without them.

    Parameters
    ----------
    record
        Record of the map.
    size
        Font size in points.
    width
        Length of a line in inches.
    """
    if "reference" not in record:
        return []
    reference = dict(record["reference"])
    if "within" in reference:
        labels = {region["name"]: region["label"] for region in record["regions"]}
        within = reference["within"].items()
        reference["within"] = {labels.get(name, name): sigma for name, sigma in within}
    sentences = statement(reference, _DELTA_CHI2, "no $Z'$", marked=True)
    return [line for one in sentences for line in wrapped(one, size, width).split("\n")]
