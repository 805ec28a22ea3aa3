"""Images as pictures for people: single files and grids."""
