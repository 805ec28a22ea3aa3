"""How images are to be packed."""

from dataclasses import dataclass

from ..config_data import AUTO, CHANNELS, FITS, PAGES, check_background
from ..errors import UserError, nearest


@dataclass(frozen=True, kw_only=True)
class Options:
    """What was asked of `load_dataset`, checked."""

    size: tuple[int, int] | str | None  # (height, width), or "auto"
    fit: str
    channels: int | None
    use_labels: bool
    deep: bool | None = None  # whether to keep more than 8 bits; None: where all images have them
    window: tuple[float, float] | None = None  # of such images; None: their lowest and highest value
    background: str = "white"
    pages: str = "first"


def check_options(
    size: int | tuple[int, int] | str | None,
    use_labels: bool,
    fit: str,
    channels: int | None,
    deep: bool | None = None,
    window: tuple[float, float] | None = None,
    background: str = "white",
    pages: str = "first",
) -> Options:
    """The options of `load_dataset`. UserError if one of them is impossible."""
    if isinstance(size, int):
        size = (size, size)
    if isinstance(size, str) and size != AUTO:
        raise UserError(f"size {size!r} is impossible: give a height and a width, or {AUTO!r}")
    if isinstance(size, tuple) and min(size) < 1:
        raise UserError(f"size {size[0]}x{size[1]} is impossible: give a height and a width of 1 pixel or more")
    if fit not in FITS:
        raise UserError(f"no fit {fit!r}: {nearest(fit, FITS)}")
    if channels not in (None, *CHANNELS.values()):
        raise UserError(f"{channels} channels are impossible: choose 1 (gray), 3 (colour) or 4 (colour and alpha)")
    if pages not in PAGES:
        raise UserError(f"no pages {pages!r}: {nearest(pages, PAGES)}")
    check_background(background)
    return Options(
        size=size,
        fit=fit,
        channels=channels,
        use_labels=use_labels,
        deep=deep,
        window=window,
        background=background,
        pages=pages,
    )
