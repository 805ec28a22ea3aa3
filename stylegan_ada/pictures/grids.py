"""Pictures of many images."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .files import as_picture

SMALLEST_CELL = 64  # pixels: smaller images are enlarged by a whole factor
MOST_ROWS = 16
CELL = 192  # pixels, the side of a cell
LINE = 18  # pixels, the height of a line of text


def image_grid(rows: Sequence[np.ndarray], names: Sequence[str] = ()) -> Image.Image:
    """rows: uint8 [columns, H, W, C] each, C 1 to 4; names: one per row, or none. Returns an RGB picture, in which
    transparent pixels are white."""
    height, width = rows[0].shape[1:3]
    scale = max(1, -(-SMALLEST_CELL // max(height, width)))
    font = ImageFont.load_default(size=14)
    margin = max((int(font.getlength(name)) for name in names), default=-8) + 8
    columns = max(len(row) for row in rows)
    picture = Image.new("RGB", (margin + columns * width * scale, len(rows) * height * scale), "white")
    draw = ImageDraw.Draw(picture)
    for y, row in enumerate(rows):
        top = y * height * scale
        if names:
            draw.text((4, top + height * scale // 2), names[y], fill="black", font=font, anchor="lm")
        for x, image in enumerate(row):
            cell = as_picture(image).resize((width * scale, height * scale), Image.Resampling.NEAREST)
            picture.paste(cell, (margin + x * width * scale, top), cell if cell.has_transparency_data else None)
    return picture


def pair_grid(generated: np.ndarray, training: np.ndarray, columns: int = 8) -> Image.Image:
    """Pairs, both uint8 [N, H, W, C]: each generated image above its training image."""
    rows = [
        images[first : first + columns]
        for first in range(0, len(generated), columns)
        for images in (generated, training)
    ]
    return image_grid(rows, ["generated", "training"] * (len(rows) // 2))


def fit(image: Image.Image, side: int) -> Image.Image:
    """RGB, its longer side `side` pixels. Small images are enlarged to blocks of pixels, so that they can be seen as
    they are."""
    ratio = side / max(image.size)
    size = (max(1, round(image.width * ratio)), max(1, round(image.height * ratio)))
    return image.convert("RGB").resize(size, Image.Resampling.NEAREST if ratio > 1 else Image.Resampling.LANCZOS)


def before_after_sheet(pairs: Sequence[tuple[str, Image.Image, Image.Image]]) -> Image.Image:
    """An RGB picture with a column for each (name, before, after), every image fitted into a square cell."""
    font = ImageFont.load_default(size=12)
    margin = int(font.getlength("before")) + 12
    sheet = Image.new("RGB", (margin + len(pairs) * (CELL + 4), LINE + 2 * (CELL + 4)), "white")
    draw = ImageDraw.Draw(sheet)
    for row, word in enumerate(("before", "after")):
        draw.text((4, LINE + row * (CELL + 4) + CELL // 2), word, fill="black", font=font, anchor="lm")
    for column, (name, *images) in enumerate(pairs):
        left = margin + column * (CELL + 4)
        draw.text((left, 3), name[-28:], fill="black", font=font)
        for row, image in enumerate(images):
            sheet.paste(fit(image, CELL), (left, LINE + row * (CELL + 4)))
    return sheet
