"""Weakly supervised semantic segmentation in steps: one module per Snakemake rule, files in, files out."""
