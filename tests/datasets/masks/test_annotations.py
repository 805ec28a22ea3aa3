"""Masks that are drawn from annotations, against Pillow's polygons; and files that are none."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from stylegan_ada import UserError

SIDE = 40
OUTLINE = [(5.0, 6.0), (30.0, 8.0), (22.0, 31.0)]


@pytest.fixture
def images(tmp_path: Path, save: Callable[..., None]) -> Path:
    """Three images of 40x40 in the folder `set/images`."""
    for index in range(3):
        save(f"set/images/{index}.png", np.random.default_rng(index).integers(0, 256, (SIDE, SIDE)).astype(np.uint8))
    return tmp_path / "set"


def drawn(outline: list[tuple[float, float]] = OUTLINE) -> np.ndarray:
    picture = Image.new("L", (SIDE, SIDE))
    ImageDraw.Draw(picture).polygon(outline, fill=1)
    return np.asarray(picture).astype(bool)


def flat(outline: list[tuple[float, float]] = OUTLINE) -> list[float]:
    return [number for point in outline for number in point]


def coco(**changes: Any) -> dict[str, Any]:
    """Image 0 has an outline, image 1 two kinds, one by run lengths, image 2 nothing."""
    rows = np.zeros((SIDE, SIDE), np.uint8)
    rows[10:20] = 1
    counts, value, run = [], 0, 0  # column after column, beginning with zeros
    for pixel in rows.T.ravel():
        if pixel != value:
            counts.append(run)
            value, run = pixel, 0
        run += 1
    counts.append(run)
    whole = {
        "images": [{"id": 7 + i, "file_name": f"{i}.png", "height": SIDE, "width": SIDE} for i in range(3)],
        "categories": [{"id": 1, "name": "crack"}, {"id": 5, "name": "dent"}],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 1, "segmentation": [flat()], "iscrowd": 0},
            {"id": 2, "image_id": 8, "category_id": 1, "segmentation": [flat()], "iscrowd": 0},
            {
                "id": 3,
                "image_id": 8,
                "category_id": 5,
                "segmentation": {"size": [SIDE, SIDE], "counts": counts},
                "iscrowd": 1,
            },
        ],
    }
    return {**whole, **changes}


def same(mask: np.ndarray, expected: np.ndarray) -> bool:
    """Up to pixels at the edge, which libraries draw differently."""
    return bool(((mask == 255) != expected).sum() <= 2 * SIDE)


@pytest.mark.parametrize(
    "place", ["annotations.json", "images/_annotations.coco.json", "annotations/instances_all.json"]
)
def test_coco_beside_images(place: str, images: Path, load: Any) -> None:
    (images / place).parent.mkdir(exist_ok=True)
    (images / place).write_text(json.dumps(coco()))
    found = load("set")
    assert found.mask_kinds == ("crack", "dent")
    assert same(found.masks[0, 0], drawn())
    assert same(found.masks[1, 0], drawn())
    rows = np.zeros((SIDE, SIDE), bool)
    rows[10:20] = True
    assert np.array_equal(found.masks[1, 1] == 255, rows)
    assert not found.masks[2].any()
    assert not found.masks[0, 1].any()
    chosen = load("set", mask_kinds="defect=crack,defect=dent")
    assert chosen.mask_kinds == ("defect",)
    assert same(chosen.masks[1, 0], drawn() | rows)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
def test_packed_runs_are_those_of_pycocotools(share: float, images: Path, load: Any) -> None:
    from pycocotools import mask as library

    marked = np.random.default_rng(5).random((SIDE, SIDE)) < share
    marked[0, 0] = True
    packed = library.encode(np.asfortranarray(marked, np.uint8))
    found = {"size": packed["size"], "counts": packed["counts"].decode()}
    (images / "annotations.json").write_text(json.dumps(segmentation(found)))
    assert np.array_equal(load("set").masks[0, 0] == 255, marked)


def test_another_annotation_is_another_set(images: Path, load: Any) -> None:
    (images / "annotations.json").write_text(json.dumps(coco()))
    before = load("set")
    (images / "annotations.json").write_text(json.dumps(coco(annotations=coco()["annotations"][:1])))
    after = load("set", mask_kinds="crack")
    assert before.fingerprint != after.fingerprint
    assert not after.masks[1].any()


def test_labelme_beside_images(images: Path, load: Any) -> None:
    shapes = [
        [{"label": "crack", "points": OUTLINE, "shape_type": "polygon"}],
        [{"label": "dent", "points": [(4, 4), (20, 12)], "shape_type": "rectangle"}],
        [{"label": "dent", "points": [(20, 20), (20, 29)], "shape_type": "circle"}],
    ]
    for index, own in enumerate(shapes):
        content = {"shapes": own, "imageHeight": SIDE, "imageWidth": SIDE, "imagePath": f"{index}.png"}
        (images / "images" / f"{index}.json").write_text(json.dumps(content))
    found = load("set")
    assert found.mask_kinds == ("crack", "dent")
    assert same(found.masks[0, 0], drawn())
    assert same(found.masks[1, 1], drawn([(4, 4), (20, 4), (20, 12), (4, 12)]))
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    assert same(found.masks[2, 1], (x - 20) ** 2 + (y - 20) ** 2 <= 81)


def test_yolo_beside_images(images: Path, load: Any) -> None:
    (images / "labels").mkdir()
    shares = " ".join(f"{number / SIDE:.6f}" for number in flat())
    (images / "labels" / "0.txt").write_text(f"0 {shares}\n")
    (images / "labels" / "1.txt").write_text(f"1 {shares}\n0 {shares}\n")
    (images / "labels" / "2.txt").write_text("")
    (images / "data.yaml").write_text("names: [crack, dent]\n")
    found = load("set")
    assert found.mask_kinds == ("crack", "dent")
    assert same(found.masks[0, 0], drawn())
    assert same(found.masks[1, 1], drawn())
    assert not found.masks[2].any()


def test_images_that_are_not_there_are_said(images: Path, load: Any) -> None:
    whole = coco()
    whole["images"].append({"id": 99, "file_name": "gone.png", "height": SIDE, "width": SIDE})
    (images / "annotations.json").write_text(json.dumps(whole))
    notes = "\n".join(load("set").notes)
    assert "1 of 4 images of" in notes
    assert "are not there (first: 'gone')" in notes


def broken_size() -> dict[str, Any]:
    whole = coco()
    whole["images"][0]["height"] = 41
    return whole


def without(key: str) -> dict[str, Any]:
    whole = coco()
    del whole[key]
    return whole


def segmentation(found: Any) -> dict[str, Any]:
    whole = coco()
    whole["annotations"][0]["segmentation"] = found
    return whole


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (json.dumps(broken_size()), r"'images/0.png'|'0.png' is 40x40"),
        (json.dumps(without("categories")), "not COCO's annotations"),
        (json.dumps(coco(images=[])), "not as COCO has it"),
        (json.dumps(coco(annotations=[])), "no outline is in it"),
        (json.dumps(coco(annotations=[{"id": 1, "image_id": 7, "category_id": 1, "bbox": [1, 2, 3, 4]}])), "boxes"),
        (
            json.dumps(coco(images=coco()["images"][:1], annotations=coco()["annotations"][:1])),
            "2 of 3 images have no mask",
        ),
        (json.dumps(segmentation([[1.0, 2.0]])), "is no outline"),
        (json.dumps(segmentation({"size": [SIDE, SIDE], "counts": [5]})), "run lengths of 5 pixels"),
        (json.dumps(segmentation({"size": [9, 9], "counts": [81]})), "run lengths of size"),
        (json.dumps(segmentation({"size": [SIDE, SIDE], "counts": 7})), "neither numbers nor text"),
        (json.dumps(segmentation({"size": [SIDE, SIDE], "counts": "zzzzzz"})), "is no outline|run lengths"),
        (json.dumps(segmentation([["a", "b", "c", "d", "e", "f"]])), "lists of numbers or run lengths"),
        (json.dumps(segmentation([{"x": 1}])), "lists of numbers or run lengths"),
        (json.dumps(segmentation(5)), "lists of numbers or run lengths"),
        (
            json.dumps(coco(images=[{**one, "height": None} for one in coco()["images"]])),
            "height of '.*' is None, no whole number",
        ),
        ("[1, 2", "no JSON"),
        ("[" * 100_000, "no JSON"),
        ("{}", "not COCO's annotations"),
    ],
)
def test_a_wrong_coco_file_is_a_line(content: str, words: str, images: Path, load: Any) -> None:
    (images / "annotations.json").write_text(content)
    with pytest.raises(UserError, match=words) as raised:
        load("set", str(images / "annotations.json"))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("images/0.json", "{}", "LabelMe's files have `shapes`"),
        ("images/0.json", '{"shapes": [{"label": "a"}], "imageHeight": 40, "imageWidth": 40}', "not as expected"),
        (
            "images/0.json",
            '{"shapes": [{"label": "", "points": [[1, 2]], "shape_type": "point"}], "imageHeight": 9, "imageWidth": 1}',
            "a point: outlines are polygons",
        ),
        ("labels/0.txt", "0 0.5 0.5 0.1 0.1\n", "line 1 is a box, no outline"),
        ("labels/0.txt", "0 a b c d e f\n", "not as expected"),
        ("labels/0.txt", "0 0.1 0.2 0.3 0.4 0.5 0.6 0.7\n", "line 1 is 8 words"),
    ],
)
def test_a_wrong_file_of_an_image_is_a_line(name: str, content: str, words: str, images: Path, load: Any) -> None:
    (images / name).parent.mkdir(exist_ok=True)
    (images / name).write_text(content)
    with pytest.raises(UserError, match=words) as raised:
        load("set", unmasked="background")
    assert str(images / name) in str(raised.value)


def test_more_than_four_classes_want_a_choice(images: Path, load: Any) -> None:
    shares = "0.1 0.1 0.9 0.1 0.5 0.9"
    (images / "labels").mkdir()
    for index in range(3):
        (images / "labels" / f"{index}.txt").write_text("".join(f"{2 * index + k} {shares}\n" for k in range(2)))
    with pytest.raises(UserError, match=r"6 classes \(0, 1, 2, 3, 4, 5\).*`mask_kinds`"):
        load("set")
    assert load("set", mask_kinds="scratch=0,dent=5").mask_kinds == ("scratch", "dent")
    with pytest.raises(UserError, match=r"`mask_kinds` 9: .* has no outline of it"):
        load("set", mask_kinds="scratch=9")


QUARTER = "0 0 0 0.5 0 0.5 0.5 0 0.5\n"


def test_yolo_in_its_usual_layout(image: Any, tmp_path: Path, load: Any) -> None:
    """images/train/1.png and labels/train/1.txt, and the same names in val."""
    image(*(f"images/{split}/{number}.png" for split in ("train", "val") for number in (1, 2)))
    for split, index in (("train", 0), ("val", 1)):
        (tmp_path / "labels" / split).mkdir(parents=True)
        for number in (1, 2):
            (tmp_path / "labels" / split / f"{number}.txt").write_text(QUARTER.replace("0 ", f"{index} ", 1))
    (tmp_path / "data.yaml").write_text("names: [yes, crack]\n")
    found = load()
    assert found.mask_kinds == ("True", "crack")  # what YAML makes of yes
    marks = [mask.any(axis=(1, 2)).tolist() for mask in found.masks]
    assert marks == [[True, False], [True, False], [False, True], [False, True]]
    (tmp_path / "data.yaml").write_text("names: [dent, crack]\n")
    assert load().mask_kinds == ("dent", "crack") or load().mask_kinds == ("crack", "dent")


def test_a_split_does_not_take_anothers_outline(image: Any, tmp_path: Path, load: Any) -> None:
    image(*(f"images/{split}/{number}.png" for split in ("train", "val") for number in (1, 2)))
    for name in ("train/2", "val/1", "val/2"):
        (tmp_path / "labels" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "labels" / f"{name}.txt").write_text(QUARTER)
    with pytest.raises(UserError, match=r"1 of 2 images has no mask \(first: 'train/1.png'\)"):
        load("images", str(tmp_path / "labels"), split="train")


def test_the_names_of_classes_beside_the_folder_are_seen_to_change(image: Any, tmp_path: Path, load: Any) -> None:
    image("images/1.png", "images/2.png")
    (tmp_path / "labels").mkdir()
    for number in (1, 2):
        (tmp_path / "labels" / f"{number}.txt").write_text(QUARTER)
    for name in ("crack", "a longer name"):
        (tmp_path / "data.yaml").write_text(f"names: [{name}]\n")
        assert load("images", str(tmp_path / "labels")).mask_kinds == (name,)
    (tmp_path / "classes.txt").write_bytes("Kr\xe4tzer\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"classes.txt: it is not in UTF-8"):
        load("images", str(tmp_path / "labels"))


def test_several_files_of_annotations_are_named(image: Any, tmp_path: Path, load: Any) -> None:
    image("images/1.png", "images/2.png")
    for name in ("instances_train.json", "instances_val.json"):
        (tmp_path / name).write_text(json.dumps(coco()))
    with pytest.raises(UserError, match=r"2 files of annotations \(instances_train.json, instances_val.json\)"):
        load()
