"""The ADA pipe and its controller."""
