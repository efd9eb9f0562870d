"""Weakly supervised semantic segmentation in steps: one module (a room) per Snakemake rule, files in, files out."""
