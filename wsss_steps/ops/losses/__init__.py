"""Losses: one file per kind, so that a new one changes no digest of an existing one."""
