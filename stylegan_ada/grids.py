"""Pictures of many images: a row per class, the classes' names at the left."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .sampling import TrainedGenerator

SMALLEST_CELL = 64  # pixels: smaller images are enlarged by a whole factor
MOST_ROWS = 16


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


def as_picture(image: np.ndarray) -> Image.Image:
    """uint8 [H, W, C] -> L, LA, RGB, or RGBA. Of 4 channels the colours are multiplied by alpha, and are divided by it
    for the picture."""
    height, width, channels = image.shape
    if channels == 4:
        # Pillow's RGBa has the colours multiplied; a generator's may exceed alpha, where nothing could be so bright
        content = np.minimum(image, image[:, :, 3:]).tobytes()
        return Image.frombytes("RGBa", (width, height), content).convert("RGBA")
    return Image.fromarray(image[:, :, 0] if channels == 1 else image, {1: "L", 2: "LA", 3: "RGB"}[channels])


def sample_grid(generator: TrainedGenerator, columns: int = 8, truncation_psi: float = 1.0) -> Image.Image:
    """A row per class (the first 16), or 8 rows when unlabelled.

    The image in row i and column j is that of seed i * columns + j, in every grid of so many columns.
    """
    names = list(generator.classes[:MOST_ROWS]) or [""] * 8
    seeds = list(range(len(names) * columns))
    labels = [name for name in names for _ in range(columns)] if generator.classes else None
    images = generator.pictures(seeds, labels, truncation_psi)
    rows = [images[first : first + columns] for first in range(0, len(images), columns)]
    return image_grid(rows, names if generator.classes else ())


def pair_grid(generated: np.ndarray, training: np.ndarray, columns: int = 8) -> Image.Image:
    """Pairs, both uint8 [N, H, W, C]: each generated image above its training image."""
    rows = [
        images[first : first + columns]
        for first in range(0, len(generated), columns)
        for images in (generated, training)
    ]
    return image_grid(rows, ["generated", "training"] * (len(rows) // 2))
