"""`python -m stylegan_ada` is `stylegan-ada`."""

from .cli import main

main()
