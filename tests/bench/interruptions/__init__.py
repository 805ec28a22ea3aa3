"""Interruptions that are harder than life: `python -m tests.bench.interruptions --out DIR [--minutes N]`."""
