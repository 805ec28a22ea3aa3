"""`python train.py ...` is `stylegan-ada train ...`."""

import sys
from pathlib import Path

# Python puts this folder first on the path, where datasets/ would hide a foreign package of that name
here = Path(__file__).resolve().parent
sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != here]

from stylegan_ada.cli import main  # noqa: E402 - only importable the right way once the path is mended

if __name__ == "__main__":
    main(["train", *sys.argv[1:]])
