"""Figures in words, for the terminal and for the report. Imports no torch, since `--help` names the figures."""

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .evaluate import RealImages
    from .figures import Figure

FEW_IMAGES = 2000

SENTENCES = {
    "fid": "distance between real and generated features as Gaussians; lower is better, biased for few images",
    "kid": "the same question without that bias; within its interval of 0 nothing tells them apart",
    "precision": "share of generated images that look like real ones",
    "recall": "share of real images that the generator could have made",
    "density": "how much generated images crowd where real ones do; near 1 as among real ones",
    "coverage": "share of real images with a generated one nearby; 0.97 among real ones",
    "intra_fid": "FID within each class, averaged",
    "inception_score": "how clear and how varied images look to the network's own classes; higher is better",
    "copies": "share of generated images nearer to a training image than 19 of 20 unseen real images are",
    "label_accuracy": "share of generated images whose label a classifier of real images reads",
}


def number(value: float) -> str:
    """About four digits."""
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.2f}"


def interval(figure: "Figure") -> str:
    """ "1.2 to 1.4", or nothing where there is none."""
    return "" if math.isnan(figure.low) else f"{number(figure.low)} to {number(figure.high)}"


def details(figure: "Figure", of_real: float | None) -> list[tuple[str, str]]:
    """What else there is to say of a figure: values with their meaning. of_real: label accuracy on real images."""
    from .labels import LabelFidelity
    from .memorisation import Copies

    match figure.detail:
        case dict() as per_class:
            return [(number(value), label) for label, value in per_class.items()]
        case Copies() as copies:
            return [(number(copies.control_share), "the same among unseen real images: the control")]
        case LabelFidelity() as fidelity:
            lines = [(number(fidelity.chance), "by always reading the commonest label")]
            if of_real is not None:
                lines.insert(0, (number(of_real), "on real images that the classifier had not seen"))
            return lines
    return []


def footnotes(figures: dict[str, "Figure"], network: str, reference: str) -> list[str]:
    """What the figures are of, and how far to trust them."""
    if not figures:
        return []
    n_fake, n_real = next((figure.n_fake, figure.n_real) for figure in figures.values())
    lines = [f"{n_fake} generated images, by the features of {network}, against {n_real} {reference}."]
    if min(n_fake, n_real) < FEW_IMAGES and "fid" in figures:
        lines.append(
            f"With fewer than {FEW_IMAGES} images FID is too high by an unknown amount: go by KID, and compare FIDs of "
            "equal numbers only."
        )
    return lines


def reference_name(real: "RealImages") -> str:
    """What the images compared with are to the run."""
    if real.held_out is not None and len(real.reference) == len(real.held_out):
        return "held-out images"
    return "images that were trained on" if real.trained_on is not None else "images of --data"
