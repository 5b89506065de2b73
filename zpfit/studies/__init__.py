"""Published analyses repeated with zpfit."""
