import os
import zipfile
from pathlib import Path

import pytest

from stylegan_ada.datasets.sources import common_top, open_source
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


def test_a_label_file_stops_the_looking_through() -> None:
    assert common_top(["s/labels.csv", "s/images/1.png"]) == "s/"
    assert common_top(["labels.csv", "images/1.png"]) == ""
    assert common_top(["images/1.png"]) == "images/"
    assert common_top(["1.png", "s/2.png"]) == ""
    assert common_top([]) == ""


def test_paths_in_a_zip_stay_in_it(tmp_path: Path) -> None:
    with open_source(_zip(tmp_path / "s.zip", "../../out.png", "/etc/in.png", "w\\in.png")) as source:
        assert sorted(source.names) == ["../../out.png", "etc/in.png", "w/in.png"]
        assert source.read("../../out.png") == b"../../out.png"
    assert os.listdir(tmp_path) == ["s.zip"]


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
