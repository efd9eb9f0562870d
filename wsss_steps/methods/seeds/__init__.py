"""Partial label maps (seeds)."""
