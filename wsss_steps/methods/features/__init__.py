"""Features of image patches from which superpixels are discovered."""
