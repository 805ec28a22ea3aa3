"""One self-contained page about a run."""

from .page import Picture, RunPage, render

__all__ = ["Picture", "RunPage", "render"]
