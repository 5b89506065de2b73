"""The logger of the package."""

import logging

LOGGER = logging.getLogger("zpfit")
"""Logger of all modules; it is silent until a program adds a handler."""

LOGGER.addHandler(logging.NullHandler())
LOGGER.propagate = False  # cobaya and other programs print every record that reaches the root
