"""Any artifact as numbers and pictures: what `show` and `compare` print and draw. Free of torch."""
