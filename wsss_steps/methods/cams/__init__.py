"""Class activation maps from a trained classifier."""
