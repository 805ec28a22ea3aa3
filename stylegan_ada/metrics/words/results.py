"""Metric results in words, for the terminal and for the report. Imports no torch."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..evaluate import RealImages
    from ..mathematics.attribute_agreement import AttributeAgreement
    from ..mathematics.pixel_statistics import PixelFigure
    from ..results import MetricResult

FEW_IMAGES = 2000
PIXEL_HEADINGS = ("pixels", "generated", "real", "ratio")  # of `pixel_table`


def number(value: float) -> str:
    """The value to about four digits."""
    return f"{value:.4f}" if abs(value) < 10 else f"{value:.2f}"


def interval(result: "MetricResult") -> str:
    """ "1.2 to 1.4", or nothing where there is none."""
    return "" if math.isnan(result.low) else f"{number(result.low)} to {number(result.high)}"


def details(result: "MetricResult", of_real: float | None) -> list[tuple[str, str]]:
    """Further values of a result, with their meaning. of_real: label accuracy on real images."""
    from ..mathematics.label_classifier import LabelFidelity
    from ..mathematics.memorisation import Copies
    from ..results import RealOnReal

    match result.detail:
        case dict() as per_class:
            return [(number(value), label) for label, value in per_class.items()]
        case Copies() as copies:
            return [(number(copies.control_share), "the same among unseen real images: the control")]
        case LabelFidelity() as fidelity:
            lines = [(number(fidelity.chance), "by always naming the commonest label")]
            if of_real is not None:
                lines.insert(0, (number(of_real), "on real images that the classifier had not seen"))
            return lines
        case RealOnReal() as real:
            return [
                *map(_of_attribute, real.attributes),
                (number(real.accuracy), f"by a network that learned from real images, on {real.unseen}"),
                (number(real.chance), f"by chance; tested on {real.tested}"),
            ]
        case tuple() as agreements:
            return [*map(_of_attribute, agreements)]
    return []


def _of_attribute(one: "AttributeAgreement") -> tuple[str, str]:
    """The value and the meaning of one attribute's."""
    if one.kind == "number":
        return number(one.agreement), (
            f"{one.name}: correlation (of unseen real images {number(one.of_real)}), mean absolute error "
            f"{number(one.error)} ({number(one.error_of_real)})"
        )
    return number(one.agreement), f"{one.name} (unseen real images {number(one.of_real)}, chance {number(one.chance)})"


def footnotes(results: dict[str, "MetricResult"], network: str, reference: str, classes: tuple[str, ...]) -> list[str]:
    """Notes on what the results are of, and how far to trust them. classes: of the images, () without labels."""
    if not results:
        return []
    n_fake, n_real = next((result.n_fake, result.n_real) for result in results.values())
    lines = [f"{n_fake} generated images, by the features of {network}, against {n_real} {reference}."]
    if classes:
        lines.append("The generated images have their labels in the shares of these real ones.")
    if min(n_fake, n_real) < FEW_IMAGES and "fid" in results:
        lines.append(
            f"With fewer than {FEW_IMAGES} images FID is too high by an unknown amount: go by KID, and compare FIDs of "
            "equal numbers only."
        )
    return lines


def reference_name(real: "RealImages") -> str:
    """The name of the images compared with, by what they are to the run."""
    if real.held_out is not None and len(real.reference) == len(real.held_out):
        return "held-out images"
    return "images that were trained on" if real.trained_on is not None else "images of another set"


def pixel_table(figures: Mapping[str, "PixelFigure"]) -> list[tuple[str, str, str, str, str]]:
    """A row for each: its name, the generated images' value, the real ones', the ratio, and the meaning."""
    from ..mathematics.pixel_statistics import FIGURES

    return [
        (name, number(one.generated), number(one.real), _ratio(one), FIGURES[name]) for name, one in figures.items()
    ]


def _ratio(figure: "PixelFigure") -> str:
    return "real is 0" if figure.ratio is None else f"{figure.ratio:.2f}"
