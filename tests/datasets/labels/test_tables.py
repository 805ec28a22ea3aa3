"""Tables that people have: names, columns, delimiters, encodings."""

import json
from pathlib import Path
from unicodedata import normalize

import pytest

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets.labels.labelling import Labelling, label_notes, read_labels
from stylegan_ada.datasets.reading.sources import open_source
from stylegan_ada.errors import UserError

FILES = ("images/a.png", "images/b.png", "images/c.jpg")
LABELS = {"images/a.png": "x", "images/b.png": "y", "images/c.jpg": "x"}


def _read(
    root: Path, table: str | bytes, file: str = "labels.csv", files: tuple[str, ...] = FILES, **columns: str
) -> Labelling | None:
    for name in files:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()
    (root / file).write_bytes(table if isinstance(table, bytes) else table.encode())
    with open_source(str(root)) as source:
        return read_labels(source, Preparation(**columns))


def _by_name(found: Labelling | None) -> dict[str, str]:
    assert found is not None
    return {name: found.classes[index] for name, index in found.index_of.items()}


@pytest.mark.parametrize(
    ("names", "how"),
    [
        (("images/a", "images/b", "images/c"), "3 without suffix"),
        (("a.png", "b.png", "c.jpg"), "3 without folder"),
        (("a", "b", "c"), "3 without folder, without suffix"),
        (("images/A.PNG", "images/B.png", "images/c.jpg"), "2 in another case"),
        (tuple(f"/home/x/data/{name}" for name in FILES), "3 with the path before it"),
        (tuple("C:\\data\\" + name.replace("/", "\\") for name in FILES), "3 with the path before it"),
        (FILES, None),
    ],
)
def test_names_are_matched_where_one_file_fits(tmp_path: Path, names: tuple[str, ...], how: str | None) -> None:
    found = _read(tmp_path, "file,label\n" + "".join(f"{n},{c}\n" for n, c in zip(names, "xyx", strict=True)))
    assert _by_name(found) == LABELS
    if how is None:
        assert found.notes == ()
    else:
        count = how.split()[0]
        assert found.notes == (f"labels.csv: of 3 names {count} were matched that are written otherwise: {how}",)
    assert [row["file"] for row in found.rows] == list(FILES)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_names_in_another_form_of_unicode(tmp_path: Path, form: str) -> None:
    name = "img/Sch\u00e4del.png"
    files = (normalize("NFD" if form == "NFC" else "NFC", name), "img/b.png")
    found = _read(tmp_path, f"file,label\n{normalize(form, name)},x\nimg/b.png,y\n", files=files)
    assert _by_name(found) == {files[0]: "x", files[1]: "y"}
    assert "1 in another form of Unicode" in found.notes[0]


@pytest.mark.parametrize(
    ("rows", "files", "words"),
    [
        ("a,x\n", ("a.png", "a.jpg"), "1 names that fit several images .first: 'a', line 2: "),
        ("a.png,x\n", ("1/a.png", "2/a.png"), "fit several images"),
        ("1/a.png,x\n2/a.png,x\n", ("a.png",), "line 2 .'1/a.png'. and line 3 .'2/a.png'. fit no other image"),
        ("images/scan_01.png,x\n", ("images/scan_1.png",), "the nearest file is 'images/scan_1.png'"),
        ("other/a.png,x\n", ("images/a.png",), "not there .first: 'other/a.png', line 2; the nearest file is 'images/"),
        ("a.jpg,x\n", ("a.png",), "the nearest file is 'a.png'"),
    ],
)
def test_names_that_fit_not_one_file(tmp_path: Path, rows: str, files: tuple[str, ...], words: str) -> None:
    with pytest.raises(UserError, match=words) as raised:
        _read(tmp_path, "file,label\n" + rows, files=files)
    assert "\n" not in str(raised.value)


def test_rows_that_agree_are_read_once(tmp_path: Path) -> None:
    found = _read(tmp_path, "file,label\n" + "images/a.png,x\n" * 3 + "images/b.png,y\nimages/c.jpg,x\n")
    assert _by_name(found) == LABELS
    assert found.notes == ("labels.csv: 2 entries stand there again, and agree",)
    assert len(found.rows) == 3


HAM = "lesion_id,image_id,dx,dx_type,age\n1,a,x,histo,80\n1,b,y,histo,80\n2,c,x,histo,\n"
ISIC = "image,x,y,UNK\na,1.0,0.0,0.0\nb,0.0,1.0,0.0\nc,1.0,0.0,0.0\n"
PLAIN = "file,label\nimages/a.png,x\nimages/b.png,y\nimages/c.jpg,x\n"


@pytest.mark.parametrize(
    ("table", "note"),
    [
        (HAM, "labels.csv: column 'image_id' names the file, and 'dx' the class"),
        (ISIC, "labels.csv: each image's class is the column that holds a 1, of x, y, UNK"),
        (PLAIN.replace("file,label", "File Name,Class"), "column 'File Name' names the file, and 'Class' the class"),
        (PLAIN.replace(",", ";"), None),
        (PLAIN.replace(",", "\t"), None),
        (PLAIN.replace(",", "\t").encode("utf-16"), None),
        (b"\xfe\xff" + PLAIN.encode("utf-16-be"), None),
    ],
)
def test_tables_that_people_have(tmp_path: Path, table: str | bytes, note: str | None) -> None:
    found = _read(tmp_path, table)
    assert _by_name(found) == LABELS
    assert found.classes == ("x", "y")
    if note is None:
        assert found.notes == ()
    else:
        assert note in found.notes[0]


def test_columns_by_name(tmp_path: Path) -> None:
    columns = {"file_column": "image_id", "label_column": "dx_type"}
    found = _read(tmp_path, HAM, **columns)
    assert found.classes == ("histo",)
    assert not any("column" in note for note in found.notes)
    with pytest.raises(UserError, match=r"`label_column` dx_typ: .* no such column, did you mean 'dx_type'"):
        _read(tmp_path, HAM, label_column="dx_typ")
    (tmp_path / "labels.csv").unlink()
    with pytest.raises(UserError, match=r"`file_column` image_id: there is no table labels.csv"):
        _read(tmp_path, "", file="other.txt", **columns)


@pytest.mark.parametrize(
    "table",
    [
        "image,image_id,dx\na,a,x\nb,b,y\nc,c,x\n",  # two may be the file
        "image,x,y\na,1,1\nb,0,1\nc,1,0\n",  # two ones
        "image,x,y\na,0,0\nb,0,1\nc,1,0\n",  # none
    ],
)
def test_tables_that_say_too_little(tmp_path: Path, table: str) -> None:
    with pytest.raises(UserError, match="name the columns that hold them by `file_column` and `label_column`"):
        _read(tmp_path, table)


def test_hugging_faces_metadata(tmp_path: Path) -> None:
    rows = [{"file_name": name, "label": label} for name, label in LABELS.items()]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    assert _by_name(_read(tmp_path / "lines", lines, file="metadata.jsonl")) == LABELS
    table = PLAIN.replace("file,", "file_name,")
    assert _by_name(_read(tmp_path / "table", table, file="metadata.csv")) == LABELS
    with pytest.raises(UserError, match=r"metadata.jsonl line 1 is not JSON"):
        _read(tmp_path / "lines", "{", file="metadata.jsonl")
    _read(tmp_path / "both", table.replace("x", "z"), file="metadata.csv")
    assert _by_name(_read(tmp_path / "both", PLAIN)) == LABELS
    captions = "file_name,text\na.png,a dog\n"
    assert _read(tmp_path / "captions", captions, file="metadata.csv") is None


def test_a_table_that_is_not_read_is_named(tmp_path: Path) -> None:
    _read(tmp_path, HAM, file="HAM10000_metadata.csv")
    (tmp_path / "labels.xlsx").touch()
    with open_source(str(tmp_path)) as source:
        assert source.names == ["a.png", "b.png", "c.jpg"]
        table, sheet = label_notes(source, read_labels(source, Preparation()))
    assert table == "'HAM10000_metadata.csv' is not read: labels.csv is, rename it if the classes stand there"
    assert sheet.startswith("'labels.xlsx' is not read: save it as labels.csv")
    (tmp_path / "HAM10000_metadata.csv").rename(tmp_path / "labels.csv")
    with open_source(str(tmp_path)) as source:
        found = read_labels(source, Preparation())
        assert _by_name(found) == LABELS
        assert label_notes(source, found) == list(found.notes)


def test_another_encoding(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"labels.csv in .* is not UTF-8 .*in Excel 'CSV UTF-8'"):
        _read(tmp_path, PLAIN.replace("x", "Gr\u00f6\u00dfe").encode("cp1252"))


@pytest.mark.parametrize("end", ["\n,\n", "\n,,\n\n", "\r\n , \r\n"])
def test_rows_of_nothing_are_passed_over(tmp_path: Path, end: str) -> None:
    """Excel leaves them behind where cells were emptied."""
    table = "file,label\n" + "\n".join(f"{name},{label}" for name, label in LABELS.items())
    assert _by_name(_read(tmp_path, table + end)) == LABELS


def test_one_hot_columns_of_true_and_false(tmp_path: Path) -> None:
    table = "image,x,y\nimages/a,True,False\nimages/b,FALSE,TRUE\nimages/c,True,False\n"
    assert _by_name(_read(tmp_path, table)) == LABELS


def test_the_line_by_which_excel_names_the_delimiter(tmp_path: Path) -> None:
    table = "sep=;\r\nfile;label\r\n" + "\r\n".join(f"{name};{label}" for name, label in LABELS.items())
    assert _by_name(_read(tmp_path, table)) == LABELS
    with pytest.raises(UserError, match=r"labels\.csv line 5 lacks a file or a label"):
        _read(tmp_path, table.replace("c.jpg;x", "c.jpg;"))
