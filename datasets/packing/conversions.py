"""A line on the conversions of a set's images, and how many images each was done to."""

from collections.abc import Iterable, Mapping

from ...config.preparation import Preparation
from ..reading.decode import Header
from ..reading.fitting import color_behind
from ..reading.picture_names import file_of

KINDS = {"1": "1-bit", "P": "palette", "PA": "palette", "CMYK": "CMYK", "YCbCr": "YCbCr", "LAB": "Lab"}


def conversions(
    headers: Mapping[str, Header], kept: Iterable[str], channels: int, preparation: Preparation, beyond_8_bits: bool
) -> str | None:
    """The line on the images `kept`; None if all are as their files have them."""
    kept = list(kept)
    own = [headers[name] for name in kept]
    target = {1: "gray", 3: "RGB", 4: "RGBA"}[channels]
    parts = []
    for kind in dict.fromkeys(KINDS.values()):
        of_kind = [header for header in own if KINDS.get(header.mode) == kind]
        if of_kind:
            parts.append(f"{len(of_kind)} {kind} converted to {target}")
    plain = [header for header in own if header.mode not in KINDS]
    colored = channels == 1 and sum(not header.gray for header in plain)
    gray = channels > 1 and sum(header.gray for header in plain)
    if colored or gray:
        parts.append(f"{colored or gray} {'colour' if colored else 'gray'} converted to {target}")
    transparent = sum(header.transparent for header in own)
    if transparent and channels < 4:
        parts.append(f"{transparent} with transparency laid on {color_behind(preparation.background)}")
    if channels == 4 and len(own) > transparent:
        parts.append(f"{len(own) - transparent} without transparency made opaque")
    cut = 0 if beyond_8_bits else sum(header.beyond_8_bits for header in own)
    if cut:
        parts.append(f"{cut} of more than 8 bits brought to 8")
    more = [header.bands for header in own if header.bands is not None]
    if more:
        parts.append(f"{len(more)} of {more[0]}, of which the first {more[0].own} are taken (`bands` chooses others)")
    turned = sum(header.turned for header in own)
    if turned:
        parts.append(f"{turned} turned or mirrored as EXIF says")
    several = {file_of(name) for name, header in zip(kept, own, strict=True) if header.frames > 1}
    if several:
        files = f"{len(several)} {'file holds' if len(several) == 1 else 'files hold'} several pictures"
        parts.append(f"{files}, of which {'the first is' if preparation.pages == 'first' else 'all are'} taken")
    return f"{len(own)} images: {', '.join(parts)}" if parts else None
