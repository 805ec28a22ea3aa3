"""Whether synthetic images help a classifier: the same one trained with and without them, tested on unseen images."""
