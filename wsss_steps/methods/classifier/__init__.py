"""Classifiers trained on image tags."""
