"""The choice of a set's images, and their labels: classes, splits, groups."""
