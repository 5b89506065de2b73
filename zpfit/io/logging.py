"""The logger of the package, silent until a program adds a handler."""

import logging

LOGGER = logging.getLogger("zpfit")
LOGGER.addHandler(logging.NullHandler())
LOGGER.propagate = False  # other programs, such as cobaya, print all that reaches the root
