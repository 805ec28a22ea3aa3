"""Packed image sets on disk: KEY.npy (uint8 [N, C, H, W]), KEY-levels.npy (uint16, of images of more than 8 bits),
KEY-masks.npy (uint8 [N, K, H, W]) and KEY.json, written whole or not at all."""

import fcntl
import hashlib
import importlib.util
import json
import math
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ...config.preparation import Preparation
from ...errors import RunFailed, UserError
from ...files import atomic_path, cache_root
from ...folders import delete_left_behind, lock
from ...labels.attribute import Attribute, Row
from ...pixels import in_8_bits
from ..dataset import ImageDataset
from ..reading.sources import Source

DECODERS = ("gdcm", "pylibjpeg")  # of DICOM: files that were skipped for want of them are tried again
FORMAT_VERSION = 4
REMEDY = "set STYLEGAN_ADA_CACHE to a folder with room that you may write to"
TEMPORARY = re.compile(r"\.[0-9a-f]{32}(-levels|-masks)?\.\d+\.(npy|json)")  # as atomic_path names them
OF_NAME = 300  # bytes in KEY.json for an image, amply


@dataclass(frozen=True)
class Meta:
    """All that an ImageDataset knows beside its pixels."""

    labels: list[int] | None
    classes: tuple[str, ...]
    names: tuple[str, ...]
    skipped: tuple[tuple[str, str], ...]
    fingerprint: str
    groups: tuple[str, ...] | None
    window: tuple[float, float] | None  # None: 8 bits
    notes: tuple[str, ...]
    window_from: str | None
    attributes: tuple[Attribute, ...]
    rows: tuple[Row, ...]
    mask_kinds: tuple[str, ...]


def cache_folder() -> Path:
    """The folder for packed sets."""
    return cache_root() / "datasets"


def cache_key(source: Source, preparation: Preparation, masks: str | None = None) -> str:
    """The name of the cache entry that `source` has under `preparation`, found without decoding anything. masks: a
    digest of those that do not lie in it."""
    decoders = [name for name in DECODERS if importlib.util.find_spec(name) is not None]
    # `deep` was the field's name when sets were packed that are to be found again
    options = {"deep" if name == "beyond_8_bits" else name: value for name, value in asdict(preparation).items()}
    if not preparation.attributes:  # nor were there these
        del options["attributes"], options["split_names"]
    if preparation.masks is None:
        for name in ("masks", "mask_kinds", "ignore", "unmasked"):
            del options[name]
    identity = source.identity() if masks is None else [source.identity(), masks]
    content = json.dumps([FORMAT_VERSION, identity, options, decoders])
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def read_cache(key: str) -> ImageDataset | None:
    """The packed set of that key; None if there is none, or if it is cut off or damaged."""
    try:
        meta = json.loads(_meta_path(key).read_text(encoding="utf-8"))
        images = np.lib.format.open_memmap(_pixels_path(key), mode="r")
        labels, window = meta["labels"], meta["window"]
        levels = None if window is None else np.lib.format.open_memmap(_levels_path(key), mode="r")
        kinds = tuple(meta.get("mask_kinds", ()))  # which sets that were packed before there were masks lack
        masks = np.lib.format.open_memmap(_masks_path(key), mode="r") if kinds else None
        found = ImageDataset(
            images=images,
            labels=None if labels is None else np.array(labels, dtype=np.int64),
            classes=tuple(meta["classes"]),
            names=tuple(meta["names"]),
            skipped=tuple((name, reason) for name, reason in meta["skipped"]),
            fingerprint=meta["fingerprint"],
            groups=None if meta["groups"] is None else tuple(meta["groups"]),
            levels=levels,
            window=None if window is None else (window[0], window[1]),
            notes=tuple(meta["notes"]),
            window_from=meta["window_from"],
            # which sets without attributes that were packed before there were such lack
            attributes=tuple(Attribute(**one | {"values": tuple(one["values"])}) for one in meta.get("attributes", ())),
            rows=tuple(
                tuple(tuple(one) if isinstance(one, list) else one for one in row) for row in meta.get("rows", ())
            ),
            masks=masks,
            mask_kinds=kinds,
        )
        whole = images.dtype == np.uint8 and list(images.shape) == meta["shape"]
        if levels is not None:
            whole = whole and levels.dtype == np.uint16 and levels.shape == images.shape
        if masks is not None:
            whole = whole and masks.dtype == np.uint8
            whole = whole and masks.shape == (len(images), len(kinds), *images.shape[2:])
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        return None
    return found if whole else None


def write_cache(
    key: str,
    most_images: int,
    image_shape: tuple[int, int, int],
    images: Iterable[tuple[NDArray[Any], NDArray[np.uint8] | None]],
    describe: Callable[[str, str], Meta],
    beyond_8_bits: bool,
    kinds: int = 0,
) -> None:
    """Store a set whose number of images need not be known before the last of them, only that it is `most_images`
    at most.

    images: [C, H, W] each, uint8, or uint16 levels if `beyond_8_bits`, with a mask [kinds, H, W] if there are kinds.
    describe: called after the last one with digests of all pixels and of all masks, for the meta data. A reader, or
    another process that packs the same set, finds the whole file or none; two packers write the same bytes. UserError
    if the folder takes no files, RunFailed if it has no room for them.
    """
    mask_shape = (kinds, *image_shape[1:])
    pixels = math.prod(image_shape) * (3 if beyond_8_bits else 1) + math.prod(mask_shape)
    needed = most_images * (pixels + OF_NAME)
    try:
        cache_folder().mkdir(parents=True, exist_ok=True)
        delete_left_behind(cache_folder(), TEMPORARY)
        free = shutil.disk_usage(cache_folder()).free
    except OSError as error:
        raise UserError(f"cannot use {cache_folder()} ({error.strerror}): {REMEDY}") from None
    if free < needed:
        raise RunFailed(f"the packed images need {_mb(needed)}, {cache_folder()} has room for {_mb(free)}: {REMEDY}")
    remedy = f"the packed images need {_mb(needed)}, {REMEDY}"
    digest, mask_digest = hashlib.sha256(), hashlib.sha256()
    with ExitStack() as stack:
        in_8 = stack.enter_context(_array_file(_pixels_path(key), np.uint8, image_shape, remedy))
        in_16 = None
        if beyond_8_bits:
            in_16 = stack.enter_context(_array_file(_levels_path(key), np.uint16, image_shape, remedy))
        of_masks = None
        if kinds:
            of_masks = stack.enter_context(_array_file(_masks_path(key), np.uint8, mask_shape, remedy))
        for image, mask in images:
            digest.update(image.tobytes())
            in_8.write(image if in_16 is None else in_8_bits(image))
            if in_16 is not None:
                in_16.write(image)
            if of_masks is not None and mask is not None:
                mask_digest.update(mask.tobytes())
                of_masks.write(mask)
        meta = describe(digest.hexdigest(), mask_digest.hexdigest())
    shape = [in_8.count, *image_shape]
    with atomic_path(_meta_path(key), REMEDY) as temporary:
        temporary.write_text(json.dumps({**asdict(meta), "shape": shape}), encoding="utf-8")


class _ArrayFile:
    """A .npy of images that are stacked as they come."""

    def __init__(self, file: BinaryIO, dtype: DTypeLike, image_shape: tuple[int, int, int]):
        self._file, self._dtype, self._image_shape = file, np.dtype(dtype), image_shape
        self.count = 0
        self.write_header()

    def write(self, image: NDArray[Any]) -> None:
        self._file.write(image.tobytes())
        self.count += 1

    def write_header(self) -> None:
        self._file.seek(0)
        shape = (self.count, *self._image_shape)
        # numpy pads a header so that its first axis may grow without moving the data
        description = {"descr": np.lib.format.dtype_to_descr(self._dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_1_0(self._file, description)


def _mb(count: int) -> str:
    return f"{count / 1e6:,.1f} MB"


@contextmanager
def _array_file(path: Path, dtype: DTypeLike, image_shape: tuple[int, int, int], remedy: str) -> Iterator[_ArrayFile]:
    with atomic_path(path, remedy) as temporary, temporary.open("wb") as file:
        lock(file, fcntl.LOCK_EX)  # one that looks whether it was left behind lets go of it at once
        array = _ArrayFile(file, dtype, image_shape)
        yield array
        array.write_header()


def _pixels_path(key: str) -> Path:
    return cache_folder() / f"{key}.npy"


def _meta_path(key: str) -> Path:
    return cache_folder() / f"{key}.json"


def _levels_path(key: str) -> Path:
    return cache_folder() / f"{key}-levels.npy"


def _masks_path(key: str) -> Path:
    return cache_folder() / f"{key}-masks.npy"
