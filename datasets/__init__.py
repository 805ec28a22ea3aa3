"""Folders, zips and samples of labelled images, packed once into a memory-mapped cache."""

if __name__ != "stylegan_ada.datasets":
    raise ImportError(f"this is stylegan_ada.datasets, not {__name__!r}: run from another folder, or install the package")
