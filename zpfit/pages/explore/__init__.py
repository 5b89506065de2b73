"""The explorer: a local page with sliders for the parameters of a model."""

from zpfit.io.extras import require

require("explore", "markupsafe", "plotly", "starlette", "uvicorn")
