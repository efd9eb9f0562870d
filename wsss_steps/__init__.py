"""Steps of a weakly supervised semantic segmentation workflow: one module (a room) per Snakemake rule, files in, files out."""
