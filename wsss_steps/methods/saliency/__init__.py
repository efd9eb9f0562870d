"""Saliency maps of the training images, before it is known of which class the salient things are.

A method has `maps(entries, source, device, *, <its settings>)`, which gives the ids of the images that are left out for
lack of a map, and an iterator over the maps (H, W) of all entries in their order: 8-bit numbers, or floats in [0, 1].
`source` is what the method reads: a folder of maps, the weights of a detector, or a store of features.
"""
