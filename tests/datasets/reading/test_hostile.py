"""One hostile or unlucky input each; test_fuzz.py has them at random."""

import errno
import fcntl
import io
import json
import os
import re
import shutil
import struct
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset
from stylegan_ada.datasets.inspect.inspection import inspect_source
from stylegan_ada.datasets.reading import decode, sources
from stylegan_ada.datasets.reading.sources import FolderSource
from stylegan_ada.errors import RunFailed, UserError, first_line, shown


def _refusal(place: Path | str, **options: object) -> str:
    with pytest.raises(UserError) as raised:
        load_dataset(str(place), Preparation(**{"size": 8, **options}))
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 1000
    return str(raised.value)


def _zip(folder: Path, **options: int) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", **options) as archive:
        for path in sorted(folder.rglob("*.*")):
            archive.write(path, path.relative_to(folder).as_posix())
    return stream.getvalue()


def _csv(folder: Path, text: str | bytes) -> Path:
    (folder / "labels.csv").write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return folder


def _lines(folder: Path, label: str = "") -> str:
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.[pb][nm][gp]"))]
    return "file,label,group\n" + "".join(f"{name},{label or name[:3]},g\n" for name in names)


def _bomb(side: int) -> bytes:
    """A PNG of one-bit pixels, all black: a few kB in two layers, for its rows are packed a thousandfold."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    rows = zlib.compress(bytes(side * (1 + (side + 7) // 8)), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


@pytest.mark.filterwarnings("default")
def test_a_picture_that_would_fill_the_memory_is_skipped(folder: Path) -> None:
    (folder / "cat/bomb.png").write_bytes(_bomb(30_000))
    [(name, reason)] = load_dataset(str(folder), Preparation(size=8)).skipped
    assert name == "cat/bomb.png"
    assert "900000000 pixels" in reason
    [unreadable] = inspect_source(str(folder)).unreadable
    assert unreadable.file == "cat/bomb.png"


def test_large_files_are_refused_unread(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "MOST_IMAGE", 300)
    monkeypatch.setattr(sources, "MOST_LABELS", 1_000_000)
    (folder / "cat/large.png").write_bytes(b"\0" * 301)
    packed = tmp_path / "set.zip"
    packed.write_bytes(_zip(folder, compression=zipfile.ZIP_DEFLATED))
    for place in (folder, packed):
        [(name, reason)] = load_dataset(str(place), Preparation(size=8)).skipped
        assert name == "cat/large.png"
        assert "MiB, more than" in reason
    _csv(folder, _lines(folder) + "\n" * 1_000_000)
    assert "labels.csv" in _refusal(folder)
    packed.write_bytes(_zip(folder, compression=zipfile.ZIP_DEFLATED))
    assert "MiB, more than" in _refusal(packed)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_expand_without_bound_are_refused(folder: Path, tmp_path: Path, method: int) -> None:
    packed = tmp_path / "set.zip"
    packed.write_bytes(_zip(folder, compression=method))
    assert "zip it again" in _refusal(packed)


@pytest.mark.parametrize(
    ("mark", "offset", "value"),
    [
        (b"PK\1\2", 16, b"\0\0\0\0"),  # CRC
        (b"PK\3\4", 0, b"XXXX"),  # a local header that is none
        (b"PK\3\4", 30, b"?"),  # another name there
        (b"PK\1\2", 6, b"\xff"),  # a zip of version 25.5
        (b"PK\1\2", 8, b"\1"),  # encrypted
        (b"PK\1\2", 42, b"\xff\xff\xff\x7f"),  # an offset behind the end
        (b"PK\1\2", 10, b"\x63"),  # an unknown method
    ],
)
def test_damaged_zips(folder: Path, tmp_path: Path, mark: bytes, offset: int, value: bytes) -> None:
    """The member that is damaged is the label file, the only one whose name starts with l."""
    data = bytearray(_zip(_csv(folder, _lines(folder))))
    names = {b"PK\1\2": 46, b"PK\3\4": 30}
    [at] = [m.start() for m in re.finditer(re.escape(mark), data) if data[m.start() + names[mark] :][:6] == b"labels"]
    data[at + offset : at + offset + len(value)] = value
    packed = tmp_path / "set.zip"
    packed.write_bytes(data)
    assert "set.zip" in _refusal(packed)


def test_a_zip_whose_names_are_no_text(tmp_path: Path, folder: Path) -> None:
    (folder / "cat/ü.png").write_bytes((folder / "cat/0.png").read_bytes())
    packed = tmp_path / "set.zip"
    packed.write_bytes(_zip(folder).replace("ü".encode(), b"\xff\xff"))
    assert "cannot read the zip" in _refusal(packed)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (lambda f: _lines(f) + '"' + "x" * 140_000 + '",a,g\n', "not a table"),
        (lambda f: _lines(f) + "\0.png,a,g\n", "not there"),
        (lambda f: _lines(f) + "x" * 100_000 + ".png,a,g\n", "not there"),
        (lambda f: _lines(f, "9" * 5000), "no name of a class"),
        (lambda f: _lines(f, "x" * 256), "no name of a class"),
        (lambda f: "x" * 100_000 + "\n" + _lines(f), "must start with"),
        (lambda f: _lines(f, "\ud800"), "not UTF-8"),
        (lambda f: b"", "must start with"),
        (lambda f: _lines(f).encode()[:-40], "lacks|not there|no label"),
    ],
)
def test_label_tables(folder: Path, text: Callable[[Path], str | bytes], words: str) -> None:
    assert re.search(words, _refusal(_csv(folder, text(folder))))


@pytest.mark.parametrize(
    ("label", "words"),
    [("9" * 5000, "not JSON"), ("9" * 4000, "no name of a class"), ('"\\ud800"', "no name of a class")],
)
def test_label_json(folder: Path, label: str, words: str) -> None:
    names = [path.relative_to(folder).as_posix() for path in sorted(folder.rglob("*.[pb][nm][gp]"))]
    entries = ",".join(f"[{json.dumps(name)},{label}]" for name in names)
    (folder / "dataset.json").write_text('{"labels": [' + entries + "]}")
    assert words in _refusal(folder)


def test_a_label_may_hold_any_line_end_but_names_stay_whole(folder: Path) -> None:
    (folder / "cat/0.png").rename(folder / "cat/a\u2028b\nc.png")
    text = _lines(folder).replace("cat/a\u2028b\nc.png", '"cat/a\u2028b\nc.png"')
    assert "cat/a\u2028b\nc.png" in load_dataset(str(_csv(folder, text)), Preparation(size=8)).names


def test_a_table_that_changes_while_it_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels and groups are of one reading."""
    _csv(folder, _lines(folder))
    read = sources.FolderSource.read

    def read_and_change(source: sources.FolderSource, name: str) -> bytes:
        data = read(source, name)
        _csv(folder, "group,other\nx\n")
        return data

    monkeypatch.setattr(sources.FolderSource, "read", read_and_change)
    assert load_dataset(str(folder), Preparation(size=8)).groups == ("g",) * 6


def test_a_file_that_goes_while_the_set_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read_header = decode.read_header

    def read_and_go(stream: io.BufferedReader, page: int) -> decode.Header:
        (folder / "cat/2.png").unlink(missing_ok=True)
        return read_header(stream, page)

    monkeypatch.setattr("stylegan_ada.datasets.reading.decode.read_header", read_and_go)
    found = load_dataset(str(folder), Preparation(size=8))
    assert found.skipped == (("cat/2.png", "No such file or directory"),)


def test_pipes_and_devices_are_not_waited_for(folder: Path) -> None:
    os.mkfifo(folder / "cat/pipe.png")
    (folder / "cat/zero.png").symlink_to("/dev/zero")
    (folder / "cat/self.png").symlink_to(folder / "cat/self.png")
    (folder / "cat/empty.png").touch()
    skipped = dict(load_dataset(str(folder), Preparation(size=8)).skipped)
    assert sorted(skipped) == ["cat/empty.png", "cat/pipe.png", "cat/self.png", "cat/zero.png"]
    assert skipped["cat/pipe.png"] == skipped["cat/zero.png"] == "no plain file"


def test_names_that_are_no_text(folder: Path) -> None:
    shutil.copy(folder / "cat/0.png", os.fsencode(folder / "cat") + b"/\xff.png")
    [(name, reason)] = load_dataset(str(folder), Preparation(size=8)).skipped
    assert shown(name) == r"cat/\udcff.png"
    assert "not UTF-8" in reason
    os.rename(folder / "dog", os.fsencode(folder) + b"/\xfe")
    assert r"'\udcfe' is no name of a class" in _refusal(folder)


def test_folders_without_end(tmp_path: Path) -> None:
    here = os.getcwd()
    deep = tmp_path / "deep"
    deep.mkdir()
    try:
        os.chdir(deep)
        for _ in range(150):
            os.mkdir("a")
            os.chdir("a")
    finally:
        os.chdir(here)
    assert "deep" in _refusal(deep)
    assert "cannot open" in _refusal("a" * 5000)
    assert "there is no" in _refusal("a\0b")


def test_shown_is_one_line_for_a_terminal() -> None:
    assert shown("a\nb\x1b[2J\u202e\x85ü<b>") == r"a\nb\x1b[2J\u202e\x85ü<b>"
    assert shown("\udcff\u2028") == r"\udcff\u2028"
    assert first_line(ValueError("a\x1b\nb")) == r"a\x1b"


def test_room_is_looked_for_before_packing(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type(shutil.disk_usage("/"))
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**9, 10**9, 6 * 3 * 8 * 8))
    calls: list[int] = []
    with pytest.raises(RunFailed, match=r"need 0\.0 MB.*room for 0\.0 MB.*STYLEGAN_ADA_CACHE"):
        load_dataset(str(folder), Preparation(size=8), progress=lambda done, total: calls.append(done))
    assert not calls
    assert not list((cache / "datasets").iterdir())


def test_a_disk_that_fills_says_what_is_needed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("stylegan_ada.datasets.packing.cache._ArrayFile.write", full)
    with pytest.raises(RunFailed, match=r"No space left on device.*need 0\.0 MB"):
        load_dataset(str(folder), Preparation(size=8))


def test_what_a_killed_packer_left_is_cleaned(folder: Path, cache: Path) -> None:
    """But not what is new, or still held by a process, or not of this cache."""
    place = cache / "datasets"
    place.mkdir(parents=True)
    key = "0123456789abcdef" * 2
    names = {kind: place / f".{key}.{number}.npy" for number, kind in enumerate(("old", "new", "held"))}
    names["levels"] = place / f".{key}-levels.5.npy"
    names["meta"] = place / f".{key}.77.json"
    names["other"] = place / ".mine.npy"
    for kind, path in names.items():
        path.touch()
        if kind != "new":
            os.utime(path, (time.time() - 3600,) * 2)
    with names["held"].open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        load_dataset(str(folder), Preparation(size=8))
    assert {kind for kind, path in names.items() if path.exists()} == {"new", "held", "other"}


def test_a_packer_holds_its_file(folder: Path, cache: Path) -> None:
    """Checked by another opening of it, as another process has."""

    def look(done: int, total: int) -> None:
        [path] = (cache / "datasets").glob(".*.npy")
        with path.open("rb") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)

    assert len(load_dataset(str(folder), Preparation(size=8), progress=look)) == 6


def test_images_without_pixels(folder: Path) -> None:
    data = bytearray(next(folder.rglob("*.bmp")).read_bytes())
    data[22:26] = struct.pack("<i", 0)  # its height
    (folder / "cat/flat.bmp").write_bytes(data)
    [(name, _)] = load_dataset(str(folder)).skipped
    assert name == "cat/flat.bmp"
    assert np.array(load_dataset(str(folder)).images).shape == (6, 3, 8, 8)


class _FailingDrive(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:
        raise OSError(errno.EIO, "Input/output error")


@pytest.mark.parametrize("where", ["open", "header", "pixels"])
def test_a_drive_that_fails_now_and_then_loses_no_image(
    folder: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    opened = FolderSource.open
    times: list[str] = []

    def fail(source: FolderSource, name: str) -> BinaryIO:
        if name == "cat/1.png":
            times.append(name)
            if where == "open":
                raise OSError(errno.EIO, "Input/output error")
            if where == "header" or len(times) > 1:
                return _FailingDrive()
        return opened(source, name)

    monkeypatch.setattr(FolderSource, "open", fail)
    for use in (lambda: load_dataset(str(folder), Preparation(size=8)), lambda: inspect_source(str(folder))):
        times.clear()
        with pytest.raises(RunFailed, match=r"^cannot read 'cat/1.png' \(Input/output error\): put that right"):
            use()
    monkeypatch.undo()
    found = load_dataset(str(folder), Preparation(size=8))
    assert (len(found), found.skipped) == (6, ())


def test_a_file_that_may_not_be_read_is_not_skipped(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = FolderSource.open

    def refuse(source: FolderSource, name: str) -> BinaryIO:
        if name == "cat/1.png":
            raise PermissionError(errno.EACCES, "Permission denied")
        return opened(source, name)

    monkeypatch.setattr(FolderSource, "open", refuse)
    with pytest.raises(UserError, match=r"^cannot read 'cat/1.png' \(Permission denied\)") as caught:
        load_dataset(str(folder), Preparation(size=8))
    assert not isinstance(caught.value, RunFailed)
    monkeypatch.undo()
    assert len(load_dataset(str(folder), Preparation(size=8))) == 6
