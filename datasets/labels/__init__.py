"""Which images are taken, and what they are labelled with: classes, splits, groups."""
