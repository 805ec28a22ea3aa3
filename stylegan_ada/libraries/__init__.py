"""Files of other packages, opened so that nothing phones home: the only places that import these packages."""
