"""Command lines: those that a page shows, to make the same by hand, and its own beside a training."""

import shlex
import sys
from pathlib import Path

from ..projection.latent_sets import LATENTS_FILE

PROGRAM = "stylegan-ada"


def of_seeds(run: Path, first: int, count: int, label: str | None, truncation_psi: float) -> str:
    """Makes the images of a wall."""
    words = [PROGRAM, "generate", "images", str(run), "--seeds", f"{first}-{first + count - 1}"]
    words += ["--psi", f"{truncation_psi:g}"] if truncation_psi != 1 else []
    words += ["--label", label] if label is not None else []
    return shlex.join([*words, "--out", "images"])


def of_tray(run: Path) -> str:
    """Makes the images of the tray's latents."""
    return shlex.join([PROGRAM, "generate", "images", str(run), "--latents", LATENTS_FILE, "--out", "images"])


def of_set(run: Path, per_class: int | None, count: int | None, truncation_psi: float) -> str:
    """Makes a set in another folder."""
    amount = ["--per-class", str(per_class)] if per_class else ["--count", str(count)]
    return shlex.join(
        [PROGRAM, "generate", "dataset", str(run), *amount, "--psi", f"{truncation_psi:g}", "--out", "DIR"]
    )


def of_page_beside(run: Path) -> list[str]:
    """Serves the page of a run that is being trained."""
    # -P: a folder that is called like the package is not taken for it
    return [sys.executable, "-P", "-m", "stylegan_ada", "explore", str(run), "--device", "cpu", "--with-parent"]
