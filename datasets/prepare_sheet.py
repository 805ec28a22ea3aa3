"""A picture of some images before and after they were prepared."""

from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from .cells import fit

CELL = 192  # pixels, the side of a cell
LINE = 18  # pixels, the height of a line of text


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
