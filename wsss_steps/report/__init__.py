"""Tables of results, sheets of pictures, and artifacts in numbers and pictures."""
