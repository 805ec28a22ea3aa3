import json
import zipfile
from pathlib import Path

import pytest

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets.labels.class_names import alike_warnings, class_order
from stylegan_ada.datasets.labels.labelling import Labelling, label_warnings, read_labels
from stylegan_ada.datasets.reading.sources import open_source
from stylegan_ada.errors import UserError

IMAGES = ("0/a.png", "0/b.png", "1/c.png")


def _labels(root: Path, *names: str, **files: object) -> Labelling | None:
    for name in names or IMAGES:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    for file, content in files.items():
        path = root / {"csv": "labels.csv", "json": "dataset.json"}[file]
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content))
    with open_source(str(root)) as source:
        return read_labels(source, Preparation())


def test_first_level_folders(tmp_path: Path) -> None:
    found = _labels(tmp_path, "10/a.png", "2/deep/b.png", "2/c.png")
    assert found == Labelling(("2", "10"), {"10/a.png": 1, "2/deep/b.png": 0, "2/c.png": 0})
    assert _labels(tmp_path / "words", "b/1.png", "a/1.png").classes == ("a", "b")


def test_flat_folder_is_unlabelled(tmp_path: Path) -> None:
    assert _labels(tmp_path, "a.png", "b.png") is None
    assert _labels(tmp_path / "one", "only/a.png", "only/b.png") is None


def test_csv(tmp_path: Path) -> None:
    text = '\ufefffile,width,label\r\n./0/a.png,3,"cracked, old"\r\n0\\b.png,3,good\r\n1/c.png,3, good\r\n'
    found = _labels(tmp_path, csv=text.encode())
    assert found == Labelling(("cracked, old", "good"), {"0/a.png": 0, "0/b.png": 1, "1/c.png": 1})


def test_json(tmp_path: Path) -> None:
    numbers = [["0/a.png", 2], ["0/b.png", 0], ["1/c.png", 2]]
    found = _labels(tmp_path, json={"labels": numbers})
    assert found == Labelling(("0", "2"), {"0/a.png": 1, "0/b.png": 0, "1/c.png": 1})
    assert found.notes == ("dataset.json has no image of class 1: left out",)
    found = _labels(tmp_path, json={"labels": [["0/a.png", "y"], ["0/b.png", "x"], ["1/c.png", "y"]]})
    assert found == Labelling(("x", "y"), {"0/a.png": 1, "0/b.png": 0, "1/c.png": 1})
    assert _labels(tmp_path, json={"labels": None}) is None


GOOD = [["0/a.png", 0], ["0/b.png", 0], ["1/c.png", 1]]


@pytest.mark.parametrize(
    ("file", "content", "word"),
    [
        ("csv", "0/a.png,1", "must start with the line 'file,label'"),
        ("csv", "", "must start with"),
        ("csv", "file,label\n0/a.png,x\n0/b.png\n", "line 3 lacks"),
        ("csv", b"file,label\n\xff\xfe,x\n", "not UTF-8"),
        ("csv", "file,label\n0/a.png,x\n0/b.png,x\n", "no label for 1 images .first: '1/c.png'"),
        ("csv", "file,label\n0/a.png,x\n0/b.png,x\n1/c.png,y\n1/d.png,y\n9.png,y", "names 2 .*first: '1/d.png'"),
        ("csv", "file,label\n0/a.png,x\n0/b.png,x\n0/b.png,y\n1/c.png,y\n", "line 3 and line 4 give '0/b.png'"),
        ("csv", "file,label,group\n0/a.png,x,1\n0/a.png,x,2\n", "line 2 and line 3 give .* the groups '1' and '2'"),
        ("csv", "file,label\n" + "x" * 200_000 + ",y\n", "not a table"),
        ("json", "{", "is not JSON"),
        ("json", "[" * 100_000, "is not JSON"),
        ("json", [1], 'must hold {"labels"'),
        ("json", {"label": []}, 'must hold {"labels"'),
        ("json", {"labels": {"0/a.png": 1}}, "must be a list"),
        ("json", {"labels": [["0/a.png", 1.5]]}, "is not .file, label."),
        ("json", {"labels": [["0/a.png", True]]}, "is not .file, label."),
        ("json", {"labels": [["0/a.png", -1]]}, "is not .file, label."),
        ("json", {"labels": [["0/a.png", [0, 1]]]}, "is not .file, label."),
        ("json", {"labels": [["0/a.png"]]}, "is not .file, label."),
        ("json", {"labels": [*GOOD[:2], ["1/c.png", "one"]]}, "both as numbers and as text"),
        ("json", {"labels": GOOD[:2]}, "no label for 1 images .first: '1/c.png'"),
        ("json", {"labels": [*GOOD, ["z.png", 0]]}, "names 1 .*'z.png'"),
        ("json", {"labels": [*GOOD, ["0/b.png", 7]]}, "entry 2 and entry 4 give '0/b.png'"),
    ],
)
def test_bad_label_files(tmp_path: Path, file: str, content: object, word: str) -> None:
    with pytest.raises(UserError, match=word) as raised:
        _labels(tmp_path, **{file: content})
    assert "\n" not in str(raised.value)


def test_ambiguous_labels(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"1 images beside them \(such as 'b.png'\)"):
        _labels(tmp_path / "mixed", "a/1.png", "b.png")
    with pytest.raises(UserError, match=r"both labels.csv and dataset.json|both dataset.json and labels.csv"):
        _labels(tmp_path / "both", csv="file,label\n", json={"labels": None})


def test_classes_that_no_image_has_are_left_out(tmp_path: Path) -> None:
    found = _labels(tmp_path, json={"labels": [["0/a.png", 7], ["0/b.png", 3_000_000], ["1/c.png", 7]]})
    assert found == Labelling(("7", "3000000"), {"0/a.png": 0, "0/b.png": 1, "1/c.png": 0})
    assert found.notes == ("dataset.json has no image of classes 0, 1, 2, 3, 4 and 2999994 more: left out",)


def test_numbers_sort_as_numbers() -> None:
    floats = [str(float(number)) for number in range(12)]
    assert class_order(reversed(floats)) == tuple(floats)
    assert class_order(["1", "0.67", "-2", "0.33", "-10", "1e-05"]) == ("-10", "-2", "1e-05", "0.33", "0.67", "1")
    assert class_order(["10", "2", "two"]) == ("10", "2", "two")


def test_what_looks_the_same_is_one_class(tmp_path: Path) -> None:
    composed, decomposed = "Gr\u00f6\u00dfe", "Gro\u0308\u00dfe"
    found = _labels(
        tmp_path / "f", f"{composed}/1.png", f"{decomposed}/2.png", "crack/1.png", "crack /2.png", "Crack/1.png"
    )
    assert found.classes == ("Crack", composed, "crack")
    assert set(found.index_of.values()) == {0, 1, 2}
    assert len(found.notes) == 2
    assert "'crack ' and 'crack' look the same" in " ".join(found.notes)
    [warning] = label_warnings(found)
    assert warning.startswith("classes 'Crack' and 'crack' differ only by case")
    table = f"file,label\n0/a.png,{composed}\n0/b.png,{decomposed}\n1/c.png, x \n"
    assert _labels(tmp_path / "t", csv=table).classes == (composed, "x")


def test_a_zip_of_macos_has_its_letters(tmp_path: Path) -> None:
    """The flag of UTF-8 is cleared by hand: zipfile sets it."""
    path = tmp_path / "set.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("Gr\u00f6\u00dfe/1.png", "\u88c2\u7eb9/1.png"):
            archive.writestr(name, b"")
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\3\4", 7), (b"PK\1\2", 9)):  # the upper byte of the flags
        at = data.find(mark)
        while at >= 0:
            data[at + offset] &= ~8
            at = data.find(mark, at + 4)
    path.write_bytes(data)
    with open_source(str(path)) as source:
        assert read_labels(source, Preparation()).classes == ("Gr\u00f6\u00dfe", "\u88c2\u7eb9")
        assert source.read(source.names[0]) == b""


def test_one_number_written_twice_is_said() -> None:
    assert alike_warnings(["0", "1", "1.0", "01", "2"]) == [
        "classes '1' and '1.0' and '01' are one number: give them one name if they are one"
    ]
    assert alike_warnings(["1", "-1", "0.5", "1e", "10"]) == []
