"""What people do with a finished run: segment photographs, export the network, hand labels to other programs."""
