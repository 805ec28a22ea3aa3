"""The computations of one step of training."""
