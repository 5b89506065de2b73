"""A local page on which a user moves a model's parameters and sees what the data say."""

from zpfit.io.extras import require

require("explore", "markupsafe", "plotly", "starlette", "uvicorn")
