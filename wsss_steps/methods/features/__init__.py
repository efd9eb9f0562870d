"""Features of image patches, for superpixels and unsupervised saliency.

A method has `extractor(weights, device, *, <its settings>)`, which loads what it needs and returns a function from an
image (H, W, 3) uint8 to one item of a features store: `features` float16 (h, w, d) and `extent` float32 (2,).
`weights` is a file, or None if the method needs none or downloads its own.
"""
