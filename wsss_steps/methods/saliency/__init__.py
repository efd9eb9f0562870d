"""Class-agnostic saliency maps of the training images.

A method has `maker(entries, source, device, *, <its settings>)`, which checks what it reads and returns the ids of the
images left out because their map is missing, and a function from an image and its arrays in stores (see
`methods/per_image.py`) to its map (H, W): 8-bit numbers, or floats in [0, 1]. `source` is what the method reads: a
folder of maps, the weights of a detector, or a store of features.
"""
