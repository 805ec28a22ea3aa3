"""A clean copy of a set, every image through a pipeline of albumentations."""
