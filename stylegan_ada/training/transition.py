"""From learning without labels to learning with them."""


def label_weight(images_seen: int, transition: tuple[float, float]) -> float:
    """How much labels count after so many images: 0 up to the window's start, 1 from its end on, linear between.

    transition: start and end in thousands of images. Shahbazi et al. 2022, arXiv 2201.06578.
    """
    start, end = (1000 * kimg for kimg in transition)
    return float(images_seen >= end) if start == end else min(max((images_seen - start) / (end - start), 0.0), 1.0)
