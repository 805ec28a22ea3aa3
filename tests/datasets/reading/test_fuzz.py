"""Damaged and hostile sets: whatever lies in a folder or a zip, it is loaded, skipped by name, or refused in one line.

A short form by default; STYLEGAN_ADA_FUZZ=10000 runs that many cases, other ones each time.
"""

import io
import json
import os
import tarfile
import tempfile
import zipfile
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset
from stylegan_ada.datasets.inspect.inspection import inspect_source
from stylegan_ada.errors import UserError, shown

CASES = int(os.environ.get("STYLEGAN_ADA_FUZZ", 0))
FUZZ = settings(
    max_examples=CASES // 6 or 70,
    derandomize=not CASES,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
MEMORY = "/dev/shm" if os.path.isdir("/dev/shm") else None  # a disk would take ten times as long
NAMES = ("a/0.png", "a/1.png", "b/0.jpg", "b/1.tif", "b/2.webp", "b/3.bmp", "a/2.gif", "a/3.jp2", "b/4.ppm", "b/5.avif")
CSV = "file,label,group\n" + "".join(f"{name},{name[0]},g{index}\n" for index, name in enumerate(NAMES))
JSON = json.dumps({"labels": [[name, index % 2] for index, name in enumerate(NAMES)]})


def _images() -> dict[str, bytes]:
    files = {}
    for index, name in enumerate(NAMES):
        stream = io.BytesIO()
        kind = Image.registered_extensions()[Path(name).suffix]
        Image.effect_noise((9, 8), 40 + index).convert("RGB").save(stream, kind)
        files[name] = stream.getvalue()
    return files


IMAGES = _images()
BYTES = [b"\0", b'"', b",", b"\n", b"\r", b"\xff", b"\xed\xa0\x80", b"\xc2\x85", b"\xe2\x80\xa8", b"[", b"{", b"]"]
LONG = [b"9" * 5000, b"[" * 3000, b"x" * 140_000]
WORDS = [b"-1", b"1e999", b"NaN", b"\\ud800", b"\\n", b"file", b"group"]
PIECES = st.binary(max_size=6) | st.sampled_from([*BYTES, *LONG, *WORDS])


@st.composite
def mutated(draw: st.DrawFn, whole: bytes) -> bytes:
    """`whole`, with up to four places overwritten, lengthened, cut out or repeated, and perhaps cut off."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        end = at + draw(st.integers(0, 12))
        data[at:end] = draw(PIECES) if draw(st.booleans()) else bytes(data[at:end]) * draw(st.integers(0, 3))
    return bytes(data[: draw(st.integers(0, len(data)))]) if draw(st.integers(0, 3)) == 0 else bytes(data)


NAME_PARTS = st.text(st.sampled_from("a.\n\r\t\x1b\x85\u2028\u202e<>&'\"\\ü/ \udcff"), min_size=1, max_size=6).filter(
    lambda text: not text.startswith("/")
)
STRANGE = st.builds(lambda stem, suffix: stem + suffix, NAME_PARTS, st.sampled_from([".png", "/0.png", ".csv"]))


def _try(source: Path) -> None:
    for use in (
        lambda: load_dataset(str(source), Preparation(size=8)),
        lambda: load_dataset(str(source), Preparation(use_labels=False)),
        lambda: inspect_source(str(source)),
    ):
        try:
            use()
        except UserError as error:
            line = str(error)
            assert line
            assert line == shown(line), line
            assert len(line) < 2000


def _try_files(files: dict[str, bytes]) -> None:
    """Tried as a folder."""
    with tempfile.TemporaryDirectory(dir=MEMORY) as temporary:
        place = Path(temporary, "set")
        place.mkdir()
        os.environ["STYLEGAN_ADA_CACHE"] = str(Path(temporary, "cache"))
        for name, data in files.items():
            path = place / name
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(data)
            except OSError:  # a name that is a folder already
                continue
        _try(place)
        assert sorted(os.listdir(temporary)) in (["cache", "set"], ["set"])


def _try_zip(data: bytes) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as temporary:
        os.environ["STYLEGAN_ADA_CACHE"] = str(Path(temporary, "cache"))
        Path(temporary, "set.zip").write_bytes(data)
        _try(Path(temporary, "set.zip"))
        assert sorted(os.listdir(temporary)) in (["cache", "set.zip"], ["set.zip"])


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """_try_files sets the cache's folder: a fixture is not made anew for each case."""
    monkeypatch.setenv("STYLEGAN_ADA_CACHE", "")


@given(
    st.sampled_from([("labels.csv", CSV), ("dataset.json", JSON)]).flatmap(
        lambda pair: st.tuples(st.just(pair[0]), mutated(pair[1].encode()))
    )
)
@FUZZ
def test_label_files(case: tuple[str, bytes]) -> None:
    _try_files({**IMAGES, case[0]: case[1]})


@given(st.sampled_from(NAMES).flatmap(lambda name: st.tuples(st.just(name), mutated(IMAGES[name]))))
@FUZZ
def test_image_bytes(case: tuple[str, bytes]) -> None:
    _try_files({**IMAGES, case[0]: case[1]})


def _tiff(array: np.ndarray, **how: object) -> bytes:
    stream = io.BytesIO()
    tifffile.imwrite(stream, array, **how)
    return stream.getvalue()


def _array(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array)
    return stream.getvalue()


NOISE = np.random.default_rng(0).integers(0, 256, (24, 20, 4)).astype(np.uint8)
GRAY, COLOR, DEEP = NOISE[:, :, 0], NOISE[:, :, :3], NOISE.astype(np.uint16) * 257
TILES = {"tile": (16, 16), "photometric": "minisblack"}
COMPRESSIONS = ("lzw", "packbits", "zlib", "zstd", "lzma", "lerc", "jpeg2000", "jpegxl", "jpegxr", "png")
TIFFS = [
    *(_tiff(DEEP[:, :, 0], compression=compression) for compression in COMPRESSIONS),
    *(_tiff(COLOR, compression=compression, photometric="rgb") for compression in ("webp", "jpeg", "jpegxl", "lerc")),
    *(
        _tiff(DEEP[:, :, 0], compression=compression, predictor=True, **TILES)
        for compression in ("lzw", "zstd", "lzma")
    ),
    *(_tiff(GRAY / np.float32(255), compression="zlib", predictor=3, byteorder=order, **TILES) for order in "<>"),
    _tiff(DEEP[:, :, :3].transpose(2, 0, 1), planarconfig="separate", photometric="rgb", compression="lzw"),
    _tiff(DEEP, photometric="separated"),
    _tiff(DEEP[:, :, 0] >> 4, bitspersample=12, photometric="minisblack"),
    _tiff(DEEP[:, :, 0].astype(np.int64), bigtiff=True, extratags=[(42113, "s", 0, "-9999", True)]),
    _tiff(GRAY > 99),
    _tiff(DEEP[:, :, 0] >> 4, compression="jpeg", bitspersample=12),
]
PNGS = [imagecodecs.png_encode(DEEP[:, :, :samples].copy()) for samples in (1, 2, 3, 4)]
ARRAYS = [
    *(_array(GRAY.astype(dtype)) for dtype in (np.uint8, np.uint16, np.int32, np.float16, ">f8", bool)),
    _array(np.asfortranarray(DEEP)),
]


@given(
    st.one_of(
        st.tuples(st.just("a/c.tif"), st.sampled_from(TIFFS).flatmap(mutated)),
        st.tuples(st.just("a/c.png"), st.sampled_from(PNGS).flatmap(mutated)),
        st.tuples(st.just("a/c.npy"), st.sampled_from(ARRAYS).flatmap(mutated)),
    )
)
@FUZZ
def test_deep_files(case: tuple[str, bytes]) -> None:
    """With and without images beside it: a .npy there is no image."""
    _try_files({case[0]: case[1], "b/0.png": IMAGES["a/0.png"]})
    _try_files({case[0]: case[1]})


def _tar(shards: bool) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        files = {"labels.csv": CSV.encode(), **IMAGES} if not shards else {}
        for key, name in enumerate(IMAGES if shards else ()):
            about = json.dumps({"label": name[0]}).encode()
            files |= {f"{key}{Path(name).suffix}": IMAGES[name], f"{key}.cls": b"%d" % (key % 2), f"{key}.json": about}
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return stream.getvalue()


TARS = [_tar(shards=False), _tar(shards=True)]


@given(st.sampled_from(TARS).flatmap(mutated), st.integers(0, 30), st.integers(0, 511), st.binary(max_size=12))
@FUZZ
def test_tars(data: bytes, block: int, at: int, piece: bytes) -> None:
    """Changed anywhere, and in one of the blocks of 512 bytes, most of which are headers."""
    place = 512 * block + at
    data = data[:place] + piece + data[place + len(piece) :] if place < len(data) else data
    with tempfile.TemporaryDirectory(dir=MEMORY) as temporary:
        os.environ["STYLEGAN_ADA_CACHE"] = str(Path(temporary, "cache"))
        Path(temporary, "set.tar").write_bytes(data)
        _try(Path(temporary, "set.tar"))
        assert sorted(os.listdir(temporary)) in (["cache", "set.tar"], ["set.tar"])


def _zip(label_file: str | None, method: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in IMAGES.items():
            archive.writestr(name, data)
        if label_file:
            archive.writestr(label_file, CSV if label_file == "labels.csv" else JSON)
    return stream.getvalue()


ZIPS = [
    _zip(label_file, method)
    for label_file in (None, "labels.csv", "dataset.json")
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
]


@st.composite
def mutated_zip(draw: st.DrawFn) -> bytes:
    """A zip with bytes changed, most often in a header, where a flipped byte is another method, size, flag or name."""
    data = bytearray(draw(st.sampled_from(ZIPS)))
    heads = [at for mark in (b"PK\1\2", b"PK\3\4", b"PK\5\6") for at in range(len(data)) if data.startswith(mark, at)]
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.sampled_from(heads)) + draw(st.integers(4, 60))
        if draw(st.integers(0, 3)) == 0:
            at = draw(st.integers(0, len(data) - 1))
        if at < len(data):
            data[at] = draw(st.integers(0, 255))
    return bytes(data[: draw(st.integers(0, len(data)))]) if draw(st.integers(0, 9)) == 0 else bytes(data)


@given(mutated_zip())
@FUZZ
def test_zips(data: bytes) -> None:
    _try_zip(data)


@given(st.lists(st.tuples(STRANGE, st.sampled_from([b"", b"no image", *IMAGES.values()])), min_size=1, max_size=6))
@FUZZ
def test_names(files: list[tuple[str, bytes]]) -> None:
    _try_files({name: data for name, data in files if ".." not in name})
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in dict(files).items():
            archive.writestr(name.encode("utf-8", "replace").decode(), data)
    _try_zip(stream.getvalue())
