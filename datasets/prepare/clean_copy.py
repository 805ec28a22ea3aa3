"""A clean copy of a set: every image through a pipeline of albumentations, labels kept."""

import json
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from ..._version import __version__
from ...config.preparation import Preparation
from ...errors import UserError
from ...libraries.albumentations_files import import_albumentations, write_pipeline
from ...pictures.grids import before_after_sheet
from ...progress import Progress
from ..labels.chosen import choose_or_propose
from ..reading.decode import Header
from ..reading.opening import open_image, open_picture, read_headers
from ..reading.parallel import map_readable
from ..reading.sources import Source, open_source
from ..reading.unreadable import Unreadable
from .file_names import label_rows, target_names, write_label_rows
from .preparer import Preparer

IMAGES = "images"
SHOWN = 8  # images of the sheet


@dataclass(frozen=True)
class Prepared:
    """written: how many images. failed: (file, reason) of those left out. warnings: a line each."""

    written: int
    failed: Sequence[tuple[str, str]]
    warnings: Sequence[str]


def prepare(
    source: str,
    folder: Path,
    *,
    size: tuple[int, int],
    pipeline: Any,
    name: str,
    progress: Progress | None = None,
) -> Prepared:
    """Writes the images of a source, prepared, and notes about it into an empty folder.

    pipeline: an albumentations.Compose that makes uint8 images of `size` (height, width); name: for the notes, the
    preset's or the file's. images/ holds a PNG for each, in the folders of the source, and labels.csv where the source
    has a label file. Beside it lie pipeline.yaml, prepare.json and before-after.png. The same source gives the same
    bytes. Images that cannot be read, are smaller than `size` or fail in the pipeline are left out and named.
    UserError, before anything is written, where the pipeline cannot do with the first image of each mode what is asked
    for, where labels are wrong, or no image can be prepared.
    """
    with open_source(source) as opened:
        chosen, _ = choose_or_propose(opened, Preparation(use_labels=bool(opened.label_files)))
        rows = label_rows(chosen.labelling) if chosen.labelling else None
        preparation = Preparer(pipeline, size)
        headers, failed = _headers(chosen.source, preparation, size)
        targets = target_names([*headers, *failed])
        remarks = [*chosen.notes, *chosen.warnings, *preparation.try_on(opened, headers)]
        images = folder / IMAGES

        def write(name: str) -> None:
            image = preparation.image(opened, name)
            path = images / targets[name]
            path.parent.mkdir(parents=True, exist_ok=True)
            image.save(path)

        written = {}
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # heard when the pipeline was tried
            for done, (file, found) in enumerate(map_readable(write, list(headers)), start=1):
                if isinstance(found, Unreadable):
                    failed[file] = str(found)
                else:
                    written[file] = targets[file]
                if progress:
                    progress(done, len(headers))
        if not written:
            raise _nothing(opened, failed)
        if rows:
            write_label_rows(images / "labels.csv", rows, written)
        _sheet(opened, images, written).save(folder / "before-after.png")
    write_pipeline(pipeline, folder / "pipeline.yaml")
    notes = {
        "source": source,
        "size": list(size),
        "pipeline": name,
        "written": len(written),
        "failed": dict(sorted(failed.items())),
        "versions": {"stylegan_ada": __version__, "albumentations": import_albumentations().__version__, **_opencv()},
    }
    (folder / "prepare.json").write_text(json.dumps(notes, indent=2) + "\n", encoding="utf-8")
    for transform in preparation.aliasing(headers):
        remarks.append(f"{transform} aliases when it shrinks: write `interpolation: 3` (area) beside it")
    return Prepared(len(written), sorted(failed.items()), remarks)


def _headers(source: Source, preparation: Preparer, size: tuple[int, int]) -> tuple[dict[str, Header], dict[str, str]]:
    """The headers of the images that can be prepared, and why others cannot. UserError where none can."""
    headers, failed = read_headers(source)
    for name, header in list(headers.items()):
        if preparation.too_small(header):
            wanted = "x".join(map(str, size))
            failed[name] = f"{header.height}x{header.width} pixels: would be enlarged to {wanted}"
            del headers[name]
    if not headers:
        raise _nothing(source, failed)
    return headers, failed


def _nothing(source: Source, failed: dict[str, str]) -> UserError:
    name, reason = next(iter(failed.items()))
    return UserError(f"no image of {source.place!r} can be prepared (first: {name!r}: {reason}): give others")


def _sheet(source: Source, images: Path, written: dict[str, str]) -> Image.Image:
    """The before-and-after sheet of images evenly spaced in the set."""
    names = sorted(written)
    pairs = []
    for name in names[:: max(1, -(-len(names) // SHOWN))]:
        with open_picture(source, name) as (stream, picture), Image.open(images / written[name]) as after:
            pairs.append((name, open_image(stream, picture), after.copy()))
    return before_after_sheet(pairs)


def _opencv() -> dict[str, str]:
    import cv2

    return {"opencv": cv2.__version__}
