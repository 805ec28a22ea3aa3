"""A small network from pixels, trained from scratch: what it predicts, and how well."""
