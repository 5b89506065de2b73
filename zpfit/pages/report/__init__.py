"""Reports: one HTML page about the folders of runs, comparisons and campaigns.

A report only reads folders; it fits nothing.
"""

from zpfit.io.extras import require

require("report", "jinja2", "markupsafe", "plotly")
