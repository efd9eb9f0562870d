"""What a run will need, from one on a slice of its images: parts of the command `estimate`. Free of torch."""
