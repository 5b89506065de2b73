"""zpfit's likelihood inside other programs, each in a module of its name."""
