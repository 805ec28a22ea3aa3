"""One self-contained page about a run."""

from .page import Page, Picture, render

__all__ = ["Page", "Picture", "render"]
