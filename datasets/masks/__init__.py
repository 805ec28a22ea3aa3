"""Masks of images: which go with which, what their values stand for, and bringing them to the images' size."""
