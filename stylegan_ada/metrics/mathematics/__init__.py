"""Pure functions of features, as arrays of numpy."""
