"""Networks of other programs, read as data: nothing of their files is executed."""

from .import_file import import_snapshot

__all__ = ["import_snapshot"]
