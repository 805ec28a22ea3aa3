"""Masks that are drawn from annotations: COCO's polygons and run lengths, LabelMe's shapes, YOLO's polygons."""

import json
import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...errors import UserError, first_line
from ..labels.masks import stem_of
from .errors import MaskError

MOST_BYTES = 2**28
CIRCLE = 64  # corners of LabelMe's circles
REMEDY = "install stylegan-ada[coco]"


@dataclass(frozen=True)
class Shape:
    """kind: its name in the file. segmentation: COCO's: polygons [[x, y, x, y, ...], ...] in pixels, or run lengths."""

    kind: str
    segmentation: Any


@dataclass(frozen=True)
class Annotated:
    """What is drawn on an image of `height` x `width` (None: of any size, and polygons are in shares of it)."""

    height: int | None
    width: int | None
    shapes: tuple[Shape, ...]


@dataclass(frozen=True)
class Annotations:
    """of: the annotations of each image, by its path without suffix as its file names it."""

    place: str
    of: Mapping[str, Annotated]


def read_annotations(path: Path, bases: Collection[str]) -> Annotations:
    """A COCO file; or a folder of LabelMe's .json or YOLO's .txt files with the names `bases` of images; YOLO's classes
    are in classes.txt or a .yaml, or named by numbers. UserError in a line for what is none, or has no outlines."""
    if path.is_file():
        return _coco(path)
    files = [file for file in sorted(path.rglob("*.json")) if file.stem in bases]
    if files:
        return _each(path, files, _labelme)
    names = _yolo_names(path)
    files = [file for file in sorted(path.rglob("*.txt")) if file.stem in bases]
    if not files:
        raise MaskError(f"`masks` {path}: it holds no masks, and no .json or .txt with the name of an image")
    return _each(path, files, lambda file: _yolo(file, names))


def draw(annotated: Annotated, kind_of: Mapping[str, int], count: int, size: tuple[int, int]) -> NDArray[np.float32]:
    """float32 [count, H, W], 0 or 1: the shapes of each kind. kind_of: indices by the names of shapes; others are left
    out. ValueError for a segmentation that is none."""
    from pycocotools import mask as coco

    height, width = size
    planes = np.zeros((count, height, width), np.float32)
    for shape in annotated.shapes:
        if shape.kind not in kind_of:
            continue
        found = shape.segmentation
        if isinstance(found, dict):
            found = _checked_runs(found, height, width)
        else:
            scale = [width, height] if annotated.height is None else [1, 1]
            found = [(np.asarray(polygon, float).reshape(-1, 2) * scale).ravel().tolist() for polygon in found]
        try:
            drawn = coco.decode(coco.frPyObjects(found, height, width))
        except Exception as error:  # a library in C, on text of any kind
            raise ValueError(first_line(error)) from None
        if drawn.shape[:2] != size:
            raise ValueError(f"run lengths of {drawn.shape[0]}x{drawn.shape[1]}")
        planes[kind_of[shape.kind]][drawn.reshape(height, width, -1).any(axis=2)] = 1
    return planes


def require_drawing() -> None:
    """Raises UserError where the library that draws is missing."""
    try:
        import pycocotools.mask  # noqa: F401 - only whether it is there
    except ImportError:
        raise UserError(f"`masks`: annotations are drawn by pycocotools, which is missing: {REMEDY}") from None


def _checked_runs(found: dict[str, Any], height: int, width: int) -> dict[str, Any]:
    """The same with its runs as numbers. ValueError unless they fill the image: the library does not look."""
    counts = found.get("counts")
    if found.get("size") != [height, width]:
        raise ValueError(f"run lengths of size {found.get('size')!r:.40}")
    counts = _unpacked(counts) if isinstance(counts, str) else counts
    if not isinstance(counts, list) or not all(isinstance(count, int) and count >= 0 for count in counts):
        raise ValueError("run lengths that are neither numbers nor text")
    if sum(counts) != height * width:
        raise ValueError(f"run lengths of {sum(counts)} pixels")
    return {"size": [height, width], "counts": counts}


def _unpacked(text: str) -> list[int]:
    """Run lengths of COCO's text: letters of 6 bits from "0" on, of which one says that another follows; the last one
    of a number has its sign; from the fourth number on each is the difference to that two before."""
    counts: list[int] = []
    number = bits = 0
    for letter in text:
        code = ord(letter) - 48
        if not 0 <= code < 64:
            raise ValueError(f"run lengths with the letter {letter!r}")
        number |= (code & 31) << bits
        bits += 5
        if not code & 32:
            if code & 16:
                number -= 1 << bits
            counts.append(number + (counts[-2] if len(counts) > 2 else 0))
            number = bits = 0
    return counts


def _load(path: Path) -> Any:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise MaskError(f"`masks` {path}: more than {MOST_BYTES // 2**20} MiB of annotations")
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise MaskError(f"`masks` {path}: cannot be read ({error.strerror})") from None
    except (ValueError, RecursionError) as error:
        raise MaskError(f"`masks` {path}: no JSON ({first_line(error)})") from None


def _coco(path: Path) -> Annotations:
    content = _load(path)
    keys = ("images", "annotations", "categories")
    if not isinstance(content, dict) or not all(isinstance(content.get(key), list) for key in keys):
        raise MaskError(f"`masks` {path}: not COCO's annotations, which have lists of {', '.join(keys)}")
    try:
        kinds = {category["id"]: str(category["name"]) for category in content["categories"]}
        shapes: dict[Any, list[Shape]] = {image["id"]: [] for image in content["images"]}
        boxes = 0
        for one in content["annotations"]:
            if one.get("segmentation"):
                _check_segmentation(one["segmentation"])
                shapes[one["image_id"]].append(Shape(kinds[one["category_id"]], one["segmentation"]))
            else:
                boxes += 1
        of = {
            _plain(str(image["file_name"])): Annotated(
                _whole(image, "height"), _whole(image, "width"), tuple(shapes[image["id"]])
            )
            for image in content["images"]
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise MaskError(f"`masks` {path}: not as COCO has it ({type(error).__name__}: {first_line(error)})") from None
    if boxes and boxes == len(content["annotations"]):
        raise MaskError(f"`masks` {path}: its {boxes} annotations are boxes without outlines, which are no masks")
    return Annotations(str(path), of)


def _whole(image: dict[str, Any], name: str) -> int:
    value = image[name]
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"the {name} of {image['file_name']!r:.200} is {value!r:.40}, no whole number")
    return value


def _check_segmentation(found: Any) -> None:
    """Raises TypeError unless it is run lengths, or lists of numbers."""
    polygons = found if isinstance(found, list) else []
    numbers = all(isinstance(one, list) and all(isinstance(number, int | float) for number in one) for one in polygons)
    if not isinstance(found, dict | list) or not numbers:
        raise TypeError(f"a segmentation is {found!r:.60}: lists of numbers or run lengths are expected")


def _each(folder: Path, files: Sequence[Path], read: Callable[[Path], Annotated]) -> Annotations:
    of = {}
    for file in files:
        try:
            of[_plain(file.relative_to(folder).as_posix())] = read(file)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise MaskError(f"`masks` {file}: not as expected ({first_line(error)})") from None
        except OSError as error:
            raise MaskError(f"`masks` {file}: cannot be read ({error.strerror})") from None
    return Annotations(str(folder), of)


def _labelme(file: Path) -> Annotated:
    content = _load(file)
    if not isinstance(content, dict) or "shapes" not in content:
        raise ValueError("LabelMe's files have `shapes`")
    shapes = [Shape(str(one["label"]), [_labelme_outline(one)]) for one in content["shapes"]]
    return Annotated(int(content["imageHeight"]), int(content["imageWidth"]), tuple(shapes))


def _labelme_outline(shape: dict[str, Any]) -> list[float]:
    kind, points = shape.get("shape_type", "polygon"), [(float(x), float(y)) for x, y in shape["points"]]
    if kind == "rectangle":
        (x0, y0), (x1, y1) = points
        points = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
    elif kind == "circle":
        (x, y), edge = points
        radius, steps = math.dist((x, y), edge), np.arange(CIRCLE) * (2 * math.pi / CIRCLE)
        points = [(x + radius * math.cos(step), y + radius * math.sin(step)) for step in steps]
    elif kind != "polygon":
        raise ValueError(f"a {kind}: outlines are polygons, rectangles and circles")
    if len(points) < 3:
        raise ValueError(f"a polygon of {len(points)} points")
    return [number for point in points for number in point]


def _yolo(file: Path, names: Mapping[int, str]) -> Annotated:
    shapes = []
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        words = line.split()
        if not words:
            continue
        if len(words) < 7 or len(words) % 2 == 0:
            what = "a box" if len(words) == 5 else f"{len(words)} words"
            raise ValueError(f"line {number} is {what}, no outline: CLASS x y x y x y ...")
        index, numbers = int(words[0]), [float(word) for word in words[1:]]
        shapes.append(Shape(names.get(index, str(index)), [numbers]))
    return Annotated(None, None, tuple(shapes))


def _yolo_names(folder: Path) -> dict[int, str]:
    """The names of classes, in a file in the folder or the one above it; {} where there is none."""
    import yaml

    for place in (folder, folder.parent):
        for name in ("classes.txt", "obj.names"):
            if (place / name).is_file():
                try:
                    return dict(enumerate((place / name).read_text(encoding="utf-8-sig").splitlines()))
                except UnicodeDecodeError:
                    raise MaskError(f"`masks` {place / name}: it is not in UTF-8, save it so") from None
        for file in sorted(place.glob("*.yaml")):
            try:
                names = yaml.safe_load(file.read_text(encoding="utf-8"))["names"]
                pairs = enumerate(names) if isinstance(names, list) else names.items()
                return {int(key): str(name) for key, name in pairs}
            except (OSError, yaml.YAMLError, KeyError, TypeError, ValueError, AttributeError):
                continue
    return {}


def _plain(name: str) -> str:
    return stem_of(name.replace("\\", "/").removeprefix("./"))
