"""The messages and files of a run while it goes on."""
