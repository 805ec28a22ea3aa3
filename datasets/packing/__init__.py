"""A set decoded once, at one size, into a memory-mapped cache."""
