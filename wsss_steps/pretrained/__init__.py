"""Initial weights, by name or from a file."""
