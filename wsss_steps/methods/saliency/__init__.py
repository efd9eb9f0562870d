"""Class-agnostic saliency maps of the training images.

A method has `maps(entries, source, device, *, <its settings>)`, which returns the ids of the images left out because
their map is missing, and an iterator over the maps (H, W) of all entries in their order: 8-bit numbers, or floats in
[0, 1]. `source` is what the method reads: a folder of maps, the weights of a detector, or a store of features.
"""
