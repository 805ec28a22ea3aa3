"""One self-contained page about a run."""

from .page import Picture, RunPage, render_page

__all__ = ["Picture", "RunPage", "render_page"]
