"""Features of image patches, for superpixels and unsupervised saliency.

A method has `maker(*, <its settings>)`, which loads what it needs and returns a function from an image and its arrays
in stores (see `methods/per_image.py`) to one item of a features store: `features` float16 (h, w, d) and `extent`
float32 (2,). With a network, it also takes `device`, and `weights`: a file, or None if it downloads its own.
"""
