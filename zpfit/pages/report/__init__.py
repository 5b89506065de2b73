"""A page about finished work: reads folders of runs, comparisons and campaigns, and never fits."""

from zpfit.io.extras import require

require("report", "jinja2", "markupsafe", "plotly")
