"""Whether augmentations leak: small generators trained at several p, and a classifier of what shows in their images."""
