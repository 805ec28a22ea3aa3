"""The masks of generated images: their files, the areas that they mark, COCO's annotations of them."""

import io
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from ..errors import UserError
from ..files import write_text
from ..pictures.masks import MARKED, marked_kinds, values_of
from .filters import KEPT, MASK_AREA, Judgement

AREA = "area_"  # before a kind's name, in the manifest: the share of the image that it marks
ANNOTATIONS = "annotations.json"


def areas(masks: NDArray[np.uint8]) -> NDArray[np.float64]:
    """[N, K]: the share of each image that masks [N, H, W, K] mark, of each kind, as their files have it: a pixel is of
    the kind that has most of it."""
    kinds = marked_kinds(masks)
    return np.stack([(kinds == kind).mean(axis=(1, 2)) for kind in range(1, masks.shape[3] + 1)], axis=1)


def with_areas(
    judgement: Judgement, masks: NDArray[np.uint8], kinds: Sequence[str], within: tuple[float, float]
) -> Judgement:
    """The judgement of a block with the areas of its masks as scores. Those whose marked area, of all kinds together,
    is not in `within` are rejected."""
    of_kinds = areas(masks)
    marked = (masks.max(axis=3) >= MARKED).mean(axis=(1, 2))
    verdicts = judgement.verdicts.copy()
    verdicts[(verdicts == KEPT) & ~((marked >= within[0]) & (marked <= within[1]))] = MASK_AREA
    scores = {f"{AREA}{kind}": of_kinds[:, index] for index, kind in enumerate(kinds)}
    return replace(judgement, verdicts=verdicts, scores=judgement.scores | scores)


def parse_area(text: str | None) -> tuple[float, float]:
    """ "0.01:0.5" or "0.01:" -> the least and the most share of an image that its mask may mark."""
    if text is None:
        return 0.0, 1.0
    low, colon, high = text.partition(":")
    try:
        found = float(low or 0), float(high or 1)
    except ValueError:
        found = (1.0, 0.0)
    if not colon or not 0 <= found[0] <= found[1] <= 1:
        raise UserError(f"`mask_area` {text}: give LOW:HIGH, shares of the image from 0 to 1, such as 0.01:0.5")
    return found


def check_coco() -> None:
    """Raises UserError unless COCO's annotations can be written."""
    try:
        import pycocotools.mask  # noqa: F401 - only whether it is there
    except ImportError:
        raise UserError("`masks_as` coco needs the package pycocotools: install stylegan-ada[coco]") from None


def write_coco(path: Path, files: Sequence[str], masks: Sequence[bytes], kinds: Sequence[str]) -> None:
    """An annotation for each kind of each image that has it, with run lengths. masks: files of `encode_mask`."""
    from pycocotools import mask as coco

    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, (file, content) in enumerate(zip(files, masks, strict=True), start=1):
        codes = np.asarray(Image.open(io.BytesIO(content)))
        images.append({"id": number, "file_name": file, "height": codes.shape[0], "width": codes.shape[1]})
        for category, value in enumerate(values_of(kinds).values(), start=1):
            plane = np.asfortranarray(codes == value, np.uint8)
            if plane.any():
                runs = coco.encode(plane)
                annotations.append(
                    {
                        "id": len(annotations) + 1,
                        "image_id": number,
                        "category_id": category,
                        "segmentation": {"size": runs["size"], "counts": runs["counts"].decode()},
                        "area": int(plane.sum()),
                        "bbox": coco.toBbox(runs).tolist(),
                        "iscrowd": 0,
                    }
                )
    categories = [{"id": number, "name": kind} for number, kind in enumerate(kinds, start=1)]
    whole = {"images": images, "annotations": annotations, "categories": categories}
    write_text(path, json.dumps(whole) + "\n")
