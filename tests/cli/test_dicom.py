"""Nothing that identifies a patient leaves a DICOM file."""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file

MARK = "MARKED^Person"
TAGS = (
    "PatientName",
    "PatientID",
    "StudyDescription",
    "InstitutionName",
    "ImageComments",
    "WindowCenterWidthExplanation",
)


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """A CT slice, shifted, in 16 files whose tags hold the mark; one that is cut off, and one with it for a number."""
    folder = tmp_path / "scans"
    folder.mkdir()
    file = pydicom.dcmread(get_testdata_file("CT_small.dcm", download=False))
    stored = file.pixel_array
    for tag in TAGS:
        setattr(file, tag, MARK)
    file.add_new(0x00091001, "LO", MARK)
    for index in range(16):
        file.PixelData = np.roll(stored, 8 * index, axis=1).tobytes()
        file.save_as(folder / f"{index:02}.dcm")
    (folder / "cut.dcm").write_bytes((folder / "00.dcm").read_bytes()[:9000])
    file.RescaleSlope = "1234567890123"
    file.save_as(folder / "slope.dcm")
    (folder / "slope.dcm").write_bytes((folder / "slope.dcm").read_bytes().replace(b"1234567890123", MARK.encode()))
    return folder


def holds_mark(path: Path) -> bool:
    content = path.read_bytes()
    if path.suffix == ".zip" or zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            content += b"".join(archive.read(name) for name in archive.namelist())
    marks = [MARK[:6].encode(), MARK[:6].encode("utf-16-le"), b"Person"]
    return any(mark in content for mark in marks)


def test_no_tag_is_in_what_is_written_or_said(
    command: Callable[..., Any], scans: Path, small: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert holds_mark(scans / "00.dcm")
    monkeypatch.setenv("STYLEGAN_ADA_CACHE", str(tmp_path / "cache"))
    run = tmp_path / "run"
    said = [
        command("data", "inspect", scans, "--sheet", tmp_path / "sheet.png"),
        command("train", "--data", scans, "--out", run, "--kimg", "0.016", *small),
        command("generate", "images", run, "--out", tmp_path / "made", "--count", "2"),
        command("report", run, "--out", tmp_path / "page.html"),
        command("export", run, "--format", "safetensors", "--out", tmp_path / "out.safetensors"),
    ]
    assert [result.code for result in said] == [0] * len(said), [result.err for result in said]
    assert "2 files" in said[0].out
    for result in said:
        assert MARK[:6] not in result.out + result.err
    written = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_relative_to(scans)]
    names = {path.name for path in written}
    assert {"page.html", "out.safetensors", "generator.safetensors", "sheet.png"} <= names
    assert any(path.is_relative_to(tmp_path / "cache") for path in written)
    assert [path for path in written if holds_mark(path)] == []
