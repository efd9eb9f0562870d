"""What the Snakefile imports: the configuration, its checks, and what follows from it. Free of torch."""
