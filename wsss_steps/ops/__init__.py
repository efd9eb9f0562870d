"""Mathematics on tensors and arrays: pure functions, no files, no settings."""
