"""The on-disk form of every artifact: one writer, one reader, a version. The only modules that open HDF5.

Every writer fills a temporary file (or folder) beside its target and renames it when it is whole, so an artifact that
exists is complete. Every reader checks kind and version and says what it expected and what it found.
"""
