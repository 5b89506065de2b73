"""Tables of pandas with the fits of a campaign, whatever way they are stored."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from zpfit.analysis.records import CampaignFit
from zpfit.errors import UnknownName
from zpfit.io.extras import import_extra
from zpfit.runs.campaign_parts import BEST_FIT, EXTRA, read_parts

if TYPE_CHECKING:
    import pandas as pd

_NAME, _NUMBER, _REASONS = "name", "number", "shortcomings"
"""Columns of the index, of the order, and of lists."""


def fits_in_parts(output: Path, columns: Sequence[str] | None = None) -> "pd.DataFrame":
    """Return the fits in the parts of a campaign, in the order of the campaign file.

    Parameters
    ----------
    output
        Folder of the campaign.
    columns
        Columns to read; all by default.

    Raises
    ------
    UnknownName
        There is no such column.
    MissingExtra
        pyarrow is not installed.
    UnreadableFile
        A part is damaged.
    """
    import pandas as pd

    pa = import_extra("pyarrow", EXTRA)
    wanted = None if columns is None else [_NAME, _NUMBER, *columns]
    parts = list(read_parts(output, wanted))
    if not parts:
        return pd.DataFrame(columns=[*(columns or ())])
    table = pa.concat_tables(parts, promote_options="default").sort_by(_NUMBER)
    frame: pd.DataFrame = table.to_pandas().set_index(_NAME)
    if _REASONS in frame.columns:
        frame[_REASONS] = frame[_REASONS].map(list)  # arrays have no truth value
    return _chosen(frame, columns)


def columns_of(rows: Sequence[CampaignFit], columns: Sequence[str] | None) -> "pd.DataFrame":
    """Return fits of run folders with the columns of :func:`fits_in_parts` that they have.

    Parameters
    ----------
    rows
        Fits of a record.
    columns
        Columns to return; all by default.

    Raises
    ------
    UnknownName
        There is no such column.
    """
    import pandas as pd

    flat = [
        {key: value for key, value in row.items() if key != "best_fit"}
        | {BEST_FIT + name: value for name, value in row["best_fit"].items()}
        for row in rows
    ]
    frame = pd.DataFrame(flat)
    return _chosen(frame.set_index(_NAME) if flat else frame, columns)


def _chosen(frame: "pd.DataFrame", columns: Sequence[str] | None) -> "pd.DataFrame":
    if columns is None:
        return frame
    for name in columns:
        if name not in frame.columns:
            raise UnknownName("column", name, frame.columns)
    return frame[[*columns]]
