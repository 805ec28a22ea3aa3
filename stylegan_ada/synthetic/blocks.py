"""Blocks of candidates on disk: judged, those that passed encoded. A block's file is there whole or not at all."""

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..files import atomic_path
from ..pictures.files import as_picture, encode
from ..pictures.masks import encode_mask
from .filters import KEPT, Judgement
from .plan import Recipe


def encode_image(image: NDArray[np.uint8], recipe: Recipe) -> bytes:
    """[H, W, C] of `TrainedGenerator.sample` -> a file of the recipe's format, without loss unless that is JPEG."""
    if recipe.format != "jpg":
        return encode(image)
    file = io.BytesIO()
    as_picture(image).save(file, "JPEG", quality=recipe.quality)
    return file.getvalue()


def write_block(
    path: Path, images: NDArray[np.uint8], masks: NDArray[np.uint8], judgement: Judgement, recipe: Recipe
) -> None:
    """images: uint8 [n, H, W, C], all candidates of the block; masks: [n, H, W, K]."""
    kept = judgement.verdicts == KEPT
    files = [encode_image(image, recipe) if one else b"" for image, one in zip(images, kept, strict=True)]
    files += [encode_mask(mask) if one and mask.size else b"" for mask, one in zip(masks, kept, strict=True)]
    arrays: dict[str, Any] = {"score." + name: values for name, values in judgement.scores.items()}
    with atomic_path(path) as temporary:
        np.savez(
            temporary,
            verdicts=judgement.verdicts,
            features=judgement.features,
            thumbnails=judgement.thumbnails,
            files=np.frombuffer(b"".join(files), np.uint8),
            ends=np.cumsum([len(file) for file in files]),
            **arrays,
        )


def read_judgement(path: Path) -> Judgement:
    """The judgement of a block that was written, without its images."""
    with np.load(path, allow_pickle=False) as arrays:
        scores = {name.removeprefix("score."): arrays[name] for name in arrays if name.startswith("score.")}
        return Judgement(
            verdicts=arrays["verdicts"],
            scores=scores,
            features=arrays["features"],
            thumbnails=arrays["thumbnails"],
        )


def read_files(path: Path) -> list[tuple[bytes, bytes]]:
    """The encoded candidates of a block that was written, each with its mask; b"" for those that did not pass, and for
    masks where there are none."""
    with np.load(path, allow_pickle=False) as arrays:
        content, ends, count = arrays["files"].tobytes(), arrays["ends"].tolist(), len(arrays["verdicts"])
    parts = [content[first:last] for first, last in zip([0, *ends], ends, strict=False)]
    masks = parts[count:] or [b""] * count  # blocks that were begun before there were masks lack them
    return [*zip(parts[:count], masks, strict=True)]
