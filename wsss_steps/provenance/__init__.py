"""What an artifact was made with and from: digests, stamps, lineage. Free of torch."""
