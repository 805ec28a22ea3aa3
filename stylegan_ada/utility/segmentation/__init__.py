"""Whether synthetic images with masks help a network that marks pixels."""
