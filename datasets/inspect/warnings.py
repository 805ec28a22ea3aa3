"""The warnings of `inspect_source`, a line each."""

from collections.abc import Callable, Collection, Mapping, Sequence

from ...config.preparation import Preparation
from .image_facts import ImageFacts

SMALL_CLASS = 50  # images
DARK = 64  # a quarter of the gray levels
DARK_SHARE = 0.05  # of the images: a few dark ones are no wonder


def class_warnings(classes: Mapping[str, int]) -> list[str]:
    words = {0: "no readable image", 1: "only one readable image"}
    warnings = [f"class {label!r} has {words[count]}" for label, count in classes.items() if count in words]
    small = {label: count for label, count in classes.items() if 1 < count < SMALL_CLASS}
    if small:
        least = min(small, key=small.__getitem__)
        warnings.append(
            f"{len(small)} classes have fewer than {SMALL_CLASS} images (smallest: {least!r}, {small[least]}): they "
            "may be learned badly, training with few images per class can collapse (see `transition` and `balance`)"
        )
    return warnings


def image_warnings(facts: Collection[ImageFacts], sizes: int, unreadable: int, preparation: Preparation) -> list[str]:
    headers = [image.header for image in facts]
    warnings = []
    if unreadable:
        warnings.append(f"{unreadable} files cannot be read and would be skipped")
    if sizes > 1:
        least = min(min(header.height, header.width) for header in headers)
        warnings.append(f"the images have {sizes} sizes: training needs `size`, at most {least}, or auto")
    gray = sum(header.gray for header in headers)
    if 0 < gray < len(headers):
        warnings.append(f"{gray} images are gray and {len(headers) - gray} in colour: all would be taken as colour")
    wide = sum(header.beyond_8_bits for header in headers)
    if 0 < wide < len(headers):
        warnings.append(
            f"{wide} images have more than 8 bits and {len(headers) - wide} have not: all would be brought to 8 bits, "
            "0 to 65535 to 0 to 255"
        )
    dark = [image.top for image in facts if image.top < DARK and wide < len(headers)]
    if len(dark) > DARK_SHARE * len(facts):
        warnings.append(
            f"{len(dark)} images use less than a quarter of the brightness range (99.9% of their pixels are at most "
            f"{max(dark)} of 255): stretch their contrast first (preset scan in docs/data.md)"
        )
    bands = [header.bands for header in headers if header.bands is not None]
    if bands:
        warnings.append(f"{len(bands)} images have {bands[0]}: the first {bands[0].own} would be taken (see `bands`)")
    frames = sum(header.frames > 1 for header in headers)
    if frames and preparation.pages == "first":
        warnings.append(f"{frames} files hold several pictures: the first of each would be taken")
    return warnings


def duplicate_warnings(
    duplicates: Sequence[Sequence[str]],
    class_of: Callable[[str], object] | None,
    group_of: Callable[[str], object] | None,
) -> list[str]:
    warnings = []
    if duplicates:
        extra = sum(len(copies) - 1 for copies in duplicates)
        warnings.append(f"{extra} images are exact copies of others: a hold-out keeps copies on one side")
    for word, key in (("class", class_of), ("group", group_of)):
        across = [copies for copies in duplicates if key and len(set(map(key, copies))) > 1]
        if across:
            warnings.append(f"{len(across)} images are in more than one {word} (first: {across[0][0]!r})")
    return warnings


def near_warnings(
    pairs: Sequence[Sequence[str]],
    class_of: Callable[[str], object] | None,
    group_of: Callable[[str], object] | None,
) -> list[str]:
    if not pairs:
        return []
    first = " and ".join(map(repr, pairs[0]))
    warnings = [
        f"{len(pairs)} pairs of images are nearly the same picture (first: {first}): a hold-out keeps such images on "
        "one side"
    ]
    for words, key, so in (
        ("classes", class_of, "one of the labels may be wrong"),
        ("groups", group_of, "these groups stay together, too"),
    ):
        across = [pair for pair in pairs if key and key(pair[0]) != key(pair[1])]
        if across:
            first = " and ".join(map(repr, across[0]))
            warnings.append(f"{len(across)} of these pairs are in two {words} (first: {first}): {so}")
    return warnings
