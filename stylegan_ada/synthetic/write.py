"""The files of a finished set: images in class folders or tar shards, manifest.csv, dataset.json."""

import csv
import hashlib
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..errors import UserError
from ..labels.attribute import NO_YES, YESNO, Row
from ..labels.label_space import LabelSpace
from ..labels.texts import value_text
from .blocks import read_files

SHARD = 1000  # images of a tar file
LONGEST = 200  # bytes of a folder's name: file systems take 255
COLUMNS = ("file", "seed", "label", "psi")  # of every manifest


@dataclass(frozen=True)
class SyntheticImage:
    """An image of the set. label: its kind's index, 0 when unlabelled; name: the kind's, "" when unlabelled; row: the
    whole label."""

    block_file: Path
    position: int
    seed: int
    label: int
    name: str
    row: Row
    truncation_psi: float
    scores: dict[str, float]


def class_folders(classes: Sequence[str]) -> list[str]:
    """A folder name for each class. The names come from a file that may be anybody's: none may lead elsewhere."""
    names: list[str] = []
    taken: set[str] = set()
    for name in classes:
        safe = re.sub(r'[\x00-\x1f/\\:*?"<>|]', "_", name).strip(". ") or "_"
        if len(safe.encode()) > LONGEST:
            safe = f"{safe[: LONGEST // 4]}-{hashlib.sha256(name.encode()).hexdigest()[:16]}"
        while safe.lower() in taken:
            safe += "_"
        taken.add(safe.lower())
        names.append(safe)
    return names


def attribute_columns(space: LabelSpace, others: Sequence[str] = COLUMNS) -> list[str]:
    """The manifest's columns of attributes, none where labels are classes. One that would have the name of another
    column has an underscore after it."""
    return [] if space.is_flat else [one.name + "_" * (one.name in others) for one in space.attributes]


def attribute_texts(space: LabelSpace, row: Row) -> list[str]:
    """The values in these columns, "" where one is unknown."""
    return [] if space.is_flat else [value_text(value) for value in row]


def attribute_values(space: LabelSpace, row: Row) -> dict[str, Any]:
    """The values by name, as JSON has them: numbers and yes or no as such, several values as a list, null where
    unknown."""
    return {
        attribute.name: value == NO_YES[1] if attribute.kind == YESNO and value is not None else value
        for attribute, value in zip(space.attributes, row, strict=True)
    }


def write_tree(
    folder: Path, items: Sequence[SyntheticImage], kinds: Sequence[str], suffix: str, with_masks: bool = True
) -> list[str]:
    """Images in folders of their kinds, in `folder` itself when unlabelled; where there are masks all of that in the
    folder `images`, and beside it, alike, in `masks`, which the caller may leave out. Returns each image's file,
    relative to `folder`."""
    folders = class_folders(kinds)
    files = []
    for item, content, mask in with_files(items):
        place = Path(folders[item.label] if kinds else "") / f"seed{item.seed:010d}"
        path = folder / ("images" if mask else "") / f"{place}.{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        if mask and with_masks:
            of_mask = folder / "masks" / f"{place}.png"
            of_mask.parent.mkdir(parents=True, exist_ok=True)
            of_mask.write_bytes(mask)
        files.append(path.relative_to(folder).as_posix())
    return files


def write_shards(folder: Path, space: LabelSpace, items: Sequence[SyntheticImage], suffix: str) -> list[str]:
    """WebDataset's tar files of at most SHARD images each: image, cls (the kind's index), json, and mask.png where
    there are masks. Returns each image's place, as shard/member. UserError without the package webdataset."""
    tar_writer = _tar_writer()
    files = []
    for first in range(0, len(items), SHARD):
        shard = folder / f"shard-{first // SHARD:06d}.tar"
        # without times and owners, so that the same set is the same file
        with open(shard, "wb") as stream, tar_writer(stream, encoder=False, mtime=0, user="", group="") as tar:
            for item, content, mask in with_files(items[first : first + SHARD]):
                key = f"{item.label:04d}-{item.seed:010d}"
                about: dict[str, Any] = {"label": item.name, "seed": item.seed, "psi": item.truncation_psi}
                if not space.is_flat:
                    about["attributes"] = attribute_values(space, item.row)
                sample = {"__key__": key, suffix: content, "cls": str(item.label).encode()}
                if mask:
                    sample["mask.png"] = mask
                tar.write(sample | {"json": json.dumps(about).encode()})
                files.append(f"{shard.name}/{key}.{suffix}")
    return files


def check_shards() -> None:
    """Raises UserError unless shards can be written."""
    _tar_writer()


def write_manifest(path: Path, space: LabelSpace, items: Sequence[SyntheticImage], files: Sequence[str]) -> None:
    """file, seed, label, psi, the attributes, and the scores of the filters."""
    columns = list(items[0].scores) if items else []
    with open(path, "w", newline="", encoding="utf-8") as file:
        manifest = csv.writer(file)
        manifest.writerow([*COLUMNS, *attribute_columns(space, (*COLUMNS, *columns)), *columns])
        for item, name in zip(items, files, strict=True):
            scores = [f"{item.scores[column]:.6g}" for column in columns]
            values = attribute_texts(space, item.row)
            manifest.writerow([name, item.seed, item.name, item.truncation_psi, *values, *scores])


def with_files(items: Sequence[SyntheticImage]) -> Iterator[tuple[SyntheticImage, bytes, bytes]]:
    """Each image with its file's content and its mask's, b"" without masks."""
    read = lru_cache(maxsize=64)(read_files)
    for item in items:
        yield item, *read(item.block_file)[item.position]


def _tar_writer() -> Callable[..., Any]:
    try:
        from webdataset import TarWriter
    except ImportError:
        raise UserError("`shards` needs the package webdataset: pip install webdataset") from None
    return TarWriter
