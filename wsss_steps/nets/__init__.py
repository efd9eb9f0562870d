"""Network modules: no losses, no files."""
