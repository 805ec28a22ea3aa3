"""A look at a set before it is trained on: what there is, what is wrong with it, what to do."""
