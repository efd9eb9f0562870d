"""Superpixels.

A method has `maker(*, <its settings>)`, which loads what it needs, and returns a function from an image and its arrays
in stores (see `methods/per_image.py`) to one item of a superpixels store: `superpixels` (H, W), 1..n, and
`seed_patches` (n,). If its settings class has `on_device`, it takes a `device`; with a setting `weights`, their file.
"""
