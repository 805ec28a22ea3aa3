"""Reading pixels from files: sources, formats, decoding. Each unreadable file comes with its reason."""
