"""A drive that fails, and a permission that is missing, stop with the file's name: to go on would lose the file."""

import builtins
import errno
import io
import os
import tarfile
import zipfile
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import pytest
from PIL import Image

from stylegan_ada.datasets import load_dataset
from stylegan_ada.errors import RunFailed, UserError


def _png(seed: int) -> bytes:
    stream = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 8), dtype=np.uint8)
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Beside each other: a folder of images without suffix, the same as a zip and a tar, and a folder with labels."""
    for name in ("set/1", "set/2", "csv/1.png", "csv/2.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(_png(int(Path(name).stem)))
    (tmp_path / "csv/labels.csv").write_text("file,label\n1.png,x\n2.png,x\n")
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive, tarfile.open(tmp_path / "set.tar", "w") as tar:
        for name in ("1", "2"):
            archive.write(tmp_path / "set" / name, name)
            tar.add(tmp_path / "set" / name, name)
    return tmp_path


@pytest.mark.parametrize(
    ("source", "failing"),
    [("set", "set/2"), ("set.zip", "set.zip"), ("set.tar", "set.tar"), ("csv", "labels.csv"), ("csv", "csv/2.png")],
)
@pytest.mark.parametrize(("number", "kind"), [(errno.EIO, RunFailed), (errno.EACCES, UserError)])
def test_it_stops_and_another_day_all_is_there(
    place: Path, monkeypatch: pytest.MonkeyPatch, source: str, failing: str, number: int, kind: type
) -> None:
    real = io.open

    def fails(file: Path | str, *args: int | str | None, **options: Any) -> Any:
        if isinstance(file, (str, os.PathLike)) and str(file).endswith(failing):
            raise OSError(number, os.strerror(number), str(file))
        return real(file, *args, **options)

    with monkeypatch.context() as patch:
        for module, name in ((builtins, "open"), (io, "open"), (tarfile, "bltn_open"), (zipfile.io, "open")):
            patch.setattr(module, name, fails)
        with pytest.raises(UserError, match="put that right, or take the file away") as caught:
            load_dataset(str(place / source))
        assert type(caught.value) is kind
        assert failing.rpartition("/")[2] in str(caught.value)
    assert len(load_dataset(str(place / source))) == 2


def test_a_drive_that_fails_within_a_zip(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once its list of files is read."""
    real = zipfile.ZipFile.open

    def fails(archive: ZipFile, member: Any, *args: Any, **options: Any) -> Any:
        if getattr(member, "filename", member) == "2":
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return real(archive, member, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "open", fails)
        with pytest.raises(RunFailed, match=r"cannot read '2' \(Input/output error\): put that right"):
            load_dataset(str(place / "set.zip"))
    assert len(load_dataset(str(place / "set.zip"))) == 2
