"""Refiners of class activation maps: from maps and image to maps of the same size and classes."""
