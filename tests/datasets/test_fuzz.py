"""Damaged and hostile sets: whatever lies in a folder or a zip, it is loaded, skipped by name, or refused in one line.

A short form by default; STYLEGAN_ADA_FUZZ=10000 runs that many cases, other ones each time.
"""

import io
import json
import os
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from stylegan_ada.datasets import load_dataset
from stylegan_ada.datasets.inspect import inspect_source
from stylegan_ada.errors import UserError, shown
from stylegan_ada.preparation import Preparation

CASES = int(os.environ.get("STYLEGAN_ADA_FUZZ", 0))
FUZZ = settings(
    max_examples=CASES // 4 or 100,
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
