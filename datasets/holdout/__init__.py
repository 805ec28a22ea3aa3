"""Splitting a set into training and held-out images, so that no picture is on both sides."""
