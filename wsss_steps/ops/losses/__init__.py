"""Losses: one file per kind, so that a new one disturbs none that exists."""
