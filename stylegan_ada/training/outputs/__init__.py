"""What a run tells and leaves while it goes on."""
