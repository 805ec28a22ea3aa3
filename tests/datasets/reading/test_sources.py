import os
import zipfile
from pathlib import Path

import pytest

from stylegan_ada.datasets.reading.formats import images_of
from stylegan_ada.datasets.reading.sources import common_top, open_source, require_images
from stylegan_ada.errors import UserError


def _files(root: Path, *names: str) -> str:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return str(root)


def _zip(path: Path, *names: str) -> str:
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, name.encode())
    return str(path)


MESSY = ("b/2.JPG", "a/1.png", "a/.hidden.png", "__MACOSX/a/1.png", ".git/x.png", "a/notes.txt", "a/deep/3.tiff")


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_names_are_sorted_images_that_can_be_read(tmp_path: Path, kind: str) -> None:
    place = _files(tmp_path / "s", *MESSY) if kind == "folder" else _zip(tmp_path / "s.zip", *MESSY)
    with open_source(place) as source:
        assert source.names == ["a/1.png", "a/deep/3.tiff", "b/2.JPG"]
        assert source.read("b/2.JPG") == b"b/2.JPG"
        with source.open("a/1.png") as stream:
            assert stream.read(3) == b"a/1"


def test_a_single_top_folder_is_looked_through(tmp_path: Path) -> None:
    place = _zip(tmp_path / "s.zip", "top/readme.txt", "top/x/a/1.png", "top/x/b/1.png")
    with open_source(place) as source:
        assert source.names == ["a/1.png", "b/1.png"]
        assert source.read("b/1.png") == b"top/x/b/1.png"


@pytest.mark.parametrize(
    ("files", "top"),
    [
        (["s/labels.csv", "s/images/1.png"], "s/"),
        (["labels.csv", "images/1.png"], ""),
        (["images/1.png"], "images/"),
        (["1.png", "s/2.png"], ""),
        ([], ""),
    ],
)
def test_a_label_file_stops_the_looking_through(files: list[str], top: str) -> None:
    assert common_top(files, {name for name in files if name.endswith(".png")}) == top


def test_paths_in_a_zip_stay_in_it(tmp_path: Path) -> None:
    with open_source(_zip(tmp_path / "s.zip", "../../out.png", "/etc/in.png", "w\\in.png")) as source:
        assert sorted(source.names) == ["../../out.png", "etc/in.png", "w/in.png"]
        assert source.read("../../out.png") == b"../../out.png"
    assert os.listdir(tmp_path) == ["s.zip"]


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_what_systems_leave_behind_is_no_image(tmp_path: Path, kind: str) -> None:
    own = ("a/1.png", "b/Copy of 1.png", "thumb/1.png")
    left = ("a/@eaDir/1.png/SYNOFILE_THUMB_M.jpg", "#recycle/2.png", "$RECYCLE.BIN/3.png", "Thumbs.db", "_thumbs/1.png")
    left += ("lost+found/1.png", "System Volume Information/1.png", ".ipynb_checkpoints/1.png", "a/thumbnails/1.png")
    place = _files(tmp_path / "s", *own, *left) if kind == "folder" else _zip(tmp_path / "s.zip", *own, *left)
    with open_source(place) as source:
        assert source.names == list(own)
        assert not source.rest.files


@pytest.mark.parametrize("kind", ["folder", "zip"])
def test_what_has_no_known_suffix_is_judged_by_content(tmp_path: Path, kind: str) -> None:
    png, dicom = b"\x89PNG\r\n\x1a\n", bytes(128) + b"DICM"
    files = {
        **{"IM0001": dicom, "a/1.2.840.113619": dicom, "b/SCAN.IMA": dicom, "c/photo": png, "c/photo.jpg_large": png},
        **{"DICOMDIR": dicom, "notes": b"text", "a.xyz": b"text", "d/scan#0001": png, "e/x.heic": b"x", "e/y.txt": png},
    }
    if kind == "folder":
        for name, content in files.items():
            (tmp_path / "s" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "s" / name).write_bytes(content)
        os.mkfifo(tmp_path / "s" / "pipe")  # to read from it would wait for ever
    else:
        with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
            for name, content in files.items():
                archive.writestr(name, content)
    with open_source(str(tmp_path / ("s" if kind == "folder" else "s.zip"))) as source:
        assert source.names == ["IM0001", "a/1.2.840.113619", "b/SCAN.IMA", "c/photo", "c/photo.jpg_large"]


def test_files_of_known_suffixes_are_not_opened_for_the_listing() -> None:
    read: list[str] = []
    names = ["a.PNG", "b.jfif", "c.txt", "d.heic", "e.nii.gz", "f", "g.mp4", "h.mat"]
    assert images_of(names, lambda name: read.append(name) or b"") == {"a.PNG", "b.jfif"}
    assert read == ["f"]


def test_arrays_beside_images_are_features_of_those() -> None:
    assert images_of(["a/1.npy", "b/1.png"], lambda name: b"") == {"a/1.npy", "b/1.png"}
    assert images_of(["x.npy", "b/1.png", "b/1.npy", "bc/2.npy"], lambda name: b"") == {"b/1.png", "bc/2.npy"}


def test_what_there_is_instead_of_images_is_said(tmp_path: Path) -> None:
    place = _files(tmp_path / "s", "a/IMG_1.HEIC", "a/IMG_2.heic", "b/scan.nii.gz", "readme.txt")
    with open_source(place) as source, pytest.raises(UserError) as raised:
        require_images(source)
    assert "4 files are no images that can be read: 2 .heic, 1 .nii.gz, 1 .txt" in str(raised.value)
    assert ".heic: convert them to PNG or TIFF" in str(raised.value)


def test_links_are_followed_once(tmp_path: Path) -> None:
    _files(tmp_path / "real", "1.png")
    _files(tmp_path / "s", "b/2.png")
    (tmp_path / "s" / "a").symlink_to(tmp_path / "real")
    (tmp_path / "s" / "b" / "loop").symlink_to(tmp_path / "s")
    (tmp_path / "s" / "b" / "nowhere.png").symlink_to(tmp_path / "gone.png")
    with open_source(str(tmp_path / "s")) as source:
        assert source.names == ["a/1.png", "b/2.png", "b/nowhere.png"]
        assert source.identity()


def test_identity_follows_the_files(tmp_path: Path) -> None:
    def identity(place: str) -> str:
        with open_source(place) as source:
            return source.identity()

    place = _files(tmp_path / "s", "a/1.png", "b/1.png")
    seen = {identity(place)}
    assert identity(place) in seen
    os.utime(tmp_path / "s/a/1.png", ns=(1, 1))
    seen.add(identity(place))
    (tmp_path / "s/b/2.png").write_bytes(b"")
    seen.add(identity(place))
    (tmp_path / "s/labels.csv").write_bytes(b"file,label")
    seen.add(identity(place))
    assert len(seen) == 4
    first = identity(_zip(tmp_path / "1.zip", "a.png"))
    assert identity(_zip(tmp_path / "2.zip", "a.png")) == first
    assert identity(_zip(tmp_path / "1.zip", "b.png")) != first


def test_errors(tmp_path: Path) -> None:
    (tmp_path / "solar-cells").mkdir()
    (tmp_path / "file.txt").write_text("")
    (tmp_path / "bad.zip").write_bytes(b"no zip")
    for place, word in {
        tmp_path / "solar-cels": f"did you mean '{tmp_path}/solar-cells'",
        tmp_path / "gone" / "x": "sample:elpv",
        tmp_path / "file.txt": "is a file",
        tmp_path / "bad.zip": "cannot read the zip",
        "sample:elvp": "did you mean 'elpv'",
    }.items():
        with pytest.raises(UserError, match=word) as raised, open_source(str(place)):
            pass
        assert "\n" not in str(raised.value)


def test_paths_of_a_zip_may_begin_with_the_folder_itself(tmp_path: Path) -> None:
    with open_source(_zip(tmp_path / "a.zip", "./set/a/1.png", "./set/b/2.png", "./set/./b/3.png")) as source:
        assert source.names == ["a/1.png", "b/2.png", "b/3.png"]
        assert source.read("b/3.png") == b"./set/./b/3.png"
