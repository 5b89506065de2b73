"""Files and plain data: YAML with line numbers, validation, names, writing, array types."""
