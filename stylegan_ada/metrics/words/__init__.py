"""Measurements in words."""
