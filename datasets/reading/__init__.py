"""From files to pixels: sources, formats, decoding. Each file says what it could not be read for."""
