"""The on-disk form of every artifact: one writer and one reader each. Only these modules open HDF5.

Artifacts are written to a temporary file (or folder) beside the target, which is renamed when complete, so an artifact
that exists is complete. Readers of stores, weights and JSON check kind and version.
"""
