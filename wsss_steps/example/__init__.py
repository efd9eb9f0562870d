"""The embedded data set: scenes that are drawn, and images with masks for a saliency detector."""
