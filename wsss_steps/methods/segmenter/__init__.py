"""Segmentation networks trained on seeds."""
