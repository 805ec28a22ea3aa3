import csv
import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets.labels.labelling import read_labels
from stylegan_ada.datasets.prepare.clean_copy import Prepared, prepare
from stylegan_ada.datasets.prepare.file_names import target_names
from stylegan_ada.datasets.prepare.preparer import Preparer
from stylegan_ada.datasets.prepare.presets import PREPARE_PRESETS, preset_pipeline
from stylegan_ada.datasets.reading.parallel import map_readable
from stylegan_ada.datasets.reading.sources import open_source
from stylegan_ada.errors import UserError
from stylegan_ada.libraries.albumentations_files import import_albumentations, read_pipeline
from stylegan_ada.training import Trainer

AREA = 3  # OpenCV's


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Any]:
    """run(source, size, transforms or a preset, fit=, background=) -> (what was said, the folder)."""
    runs = []

    def run(
        source: Path,
        size: tuple[int, int],
        *transforms: Any,
        preset: str = "photo",
        fit: str | None = None,
        background: str | None = None,
    ) -> tuple[Prepared, Path]:
        folder = tmp_path / f"out{len(runs)}"
        folder.mkdir()
        runs.append(folder)
        given = import_albumentations().Compose(list(transforms))
        pipeline = given if transforms else preset_pipeline(preset, size, fit, background)
        return prepare(str(source), folder, size=size, pipeline=pipeline, name=preset), folder

    return run


def pixels(path: Path) -> np.ndarray:
    return np.asarray(Image.open(path)).astype(int)


def written(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder / "images").as_posix() for path in (folder / "images").rglob("*.png"))


def smooth(height: int, width: int) -> np.ndarray:
    return np.add.outer(np.arange(height) * 3, np.arange(width) * 2).astype(np.uint8)


def put(path: Path, array: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(array).save(path)


def test_a_reduction_is_the_mean_of_blocks(run: Callable[..., Any], save: Callable[..., Any], tmp_path: Path) -> None:
    before = save("a.png", 24, 48).astype(int)
    _, folder = run(tmp_path / "set", (8, 8), preset="photo")
    centre = before[:, 12:36]
    blocks = centre.reshape(8, 3, 8, 3, 3).mean(axis=(1, 3))
    assert abs(pixels(folder / "images/a.png") - blocks).max() <= 1


@pytest.mark.parametrize(("background", "mode"), [("edge", "edge"), ("reflect", "reflect"), ("black", "constant")])
def test_padding_keeps_the_whole_image(
    run: Callable[..., Any], save: Callable[..., Any], tmp_path: Path, background: str, mode: str
) -> None:
    before = save("a.png", 12, 24, mode="L").astype(int)
    _, folder = run(tmp_path / "set", (8, 8), fit="pad", background=background)
    small = before.reshape(4, 3, 8, 3).mean(axis=(1, 3))
    expected = np.pad(small, ((2, 2), (0, 0)), mode=mode)
    assert abs(pixels(folder / "images/a.png") - expected).max() <= 1


def test_a_wide_image_may_be_mirrored_more_than_once(
    run: Callable[..., Any], save: Callable[..., Any], tmp_path: Path
) -> None:
    save("a.png", 10, 100)
    _, folder = run(tmp_path / "set", (32, 32), fit="pad", background="reflect")
    assert pixels(folder / "images/a.png").shape == (32, 32, 3)


def test_a_scan_becomes_gray_and_uses_all_levels(run: Callable[..., Any], tmp_path: Path) -> None:
    dull = np.random.default_rng(0).integers(100, 140, (30, 60, 3), dtype=np.uint8)
    put(tmp_path / "set/a.png", dull)
    _, folder = run(tmp_path / "set", (30, 60), preset="scan")
    after = pixels(folder / "images/a.png")
    low, high = np.percentile(np.asarray(Image.fromarray(dull).convert("L")), [0.5, 99.5])
    stretched = ((np.asarray(Image.fromarray(dull).convert("L")) - low) * 255 / (high - low)).clip(0, 255)
    assert after.ndim == 2
    assert abs(after - stretched).mean() < 3


def test_a_defect_gains_local_contrast(run: Callable[..., Any], tmp_path: Path) -> None:
    put(tmp_path / "set/a.png", np.random.default_rng(0).integers(110, 131, (96, 96), dtype=np.uint8))
    contrast = {}
    for preset in ("photo", "defect"):
        _, folder = run(tmp_path / "set", (48, 48), preset=preset)
        contrast[preset] = pixels(folder / "images/a.png").std()
    assert 1.1 < contrast["defect"] / contrast["photo"] < 4


@pytest.mark.parametrize("preset", PREPARE_PRESETS)
@pytest.mark.parametrize("size", [(8, 8), (8, 12), (12, 8), (7, 9)])
def test_presets_give_the_size_from_odd_ones(
    run: Callable[..., Any], save: Callable[..., Any], tmp_path: Path, preset: str, size: tuple[int, int]
) -> None:
    for index, sides in enumerate([(13, 29), (31, 12), (12, 12), (101, 17)]):
        save(f"{index}.png", *sides)
    done, folder = run(tmp_path / "set", size, preset=preset)
    assert done.written == 4
    assert {pixels(folder / "images" / name).shape[:2] for name in written(folder)} == {size}


def test_the_presets_are_what_the_command_offers() -> None:
    from stylegan_ada.cli import data_prepare
    from stylegan_ada.datasets.prepare.presets import BORDER_MODES, PREPARE_FITS

    assert tuple(PREPARE_PRESETS) == data_prepare.PREPARE_PRESETS
    assert data_prepare.PREPARE_FITS == PREPARE_FITS
    assert tuple(BORDER_MODES) == data_prepare.BACKGROUNDS


def test_two_runs_are_alike_and_random_transforms_follow_the_name(
    run: Callable[..., Any], save: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for index in range(12):
        save(f"c/{index}.png", 20, 20)
    albumentations = import_albumentations()
    transforms = [albumentations.RandomCrop(8, 8, p=1.0), albumentations.GaussNoise(p=0.5)]
    _, first = run(tmp_path / "set", (8, 8), *transforms)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    (tmp_path / "set/c/0.png").unlink()
    _, second = run(tmp_path / "set", (8, 8), albumentations.RandomCrop(8, 8, p=1.0), albumentations.GaussNoise(p=0.5))
    _, third = run(tmp_path / "set", (8, 8), albumentations.RandomCrop(8, 8, p=1.0), albumentations.GaussNoise(p=0.5))
    files = [path.relative_to(second) for path in sorted(second.rglob("*")) if path.is_file()]
    assert len(files) == 11 + 3
    for file in files:
        assert (second / file).read_bytes() == (third / file).read_bytes()
        if file.parts[0] == "images":
            assert (first / file).read_bytes() == (second / file).read_bytes()


def test_threads_do_not_mix_random_states(
    save: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Slow:
        transforms = ()

        def set_random_seed(self, seed: int) -> None:
            self.seed = seed

        def __call__(self, image: np.ndarray) -> dict[str, np.ndarray]:
            time.sleep(0.002)
            return {"image": np.full_like(image, self.seed % 256)}

    for index in range(20):
        save(f"{index}.png")
    monkeypatch.setattr("os.cpu_count", lambda: 4)
    with open_source(str(tmp_path / "set")) as source:
        preparation = Preparer(Slow(), (8, 8))
        threaded = map_readable(lambda name: preparation.image(source, name).getpixel((0, 0)), source.names)
        alone = {name: preparation.image(source, name).getpixel((0, 0)) for name in source.names}
        assert dict(threaded) == alone
        assert len(set(alone.values())) > 10


def test_the_copy_has_the_classes_of_folders(run: Callable[..., Any], folder: Path) -> None:
    _, out = run(folder, (8, 8))
    assert written(out) == ["cat/0.png", "cat/1.png", "cat/2.png", "dog/0.png", "dog/1.png", "dog/sub/2.png"]
    with open_source(str(out / "images")) as source:
        assert read_labels(source, Preparation()).classes == ("cat", "dog")
    with open_source(str(out)) as source, pytest.raises(UserError, match=r"images beside them .*'before-after.png'"):
        read_labels(source, Preparation())


def test_labels_csv_keeps_its_columns(run: Callable[..., Any], save: Callable[..., Any], tmp_path: Path) -> None:
    for name in ("x/a.jpg", "x/a.png", "b.tif"):
        save(name)
    (tmp_path / "set/broken.png").write_bytes(b"no image")
    text = 'group,file,label,note\np1,x/a.jpg,good,"one, two"\np2, .\\b.tif ,bad,\n'
    text += "p1,./x/a.png,good,3\np3,broken.png,bad,4\n"
    (tmp_path / "set/labels.csv").write_text(text)
    done, out = run(tmp_path / "set", (8, 8))
    assert [file for file, _ in done.failed] == ["broken.png"]
    rows = list(csv.reader(io.StringIO((out / "images/labels.csv").read_text())))
    assert rows == [
        ["group", "file", "label", "note"],
        ["p1", "x/a.jpg.png", "good", "one, two"],
        ["p2", "b.png", "bad", ""],
        ["p1", "x/a.png", "good", "3"],
    ]
    with open_source(str(out / "images")) as source:
        assert read_labels(source, Preparation()).classes == ("bad", "good")


def test_dataset_json_becomes_labels_csv(run: Callable[..., Any], save: Callable[..., Any], tmp_path: Path) -> None:
    save("a.png")
    save("b.png")
    (tmp_path / "set/dataset.json").write_text('{"labels": [["b.png", 1], ["a.png", 0]]}')
    _, out = run(tmp_path / "set", (8, 8))
    assert (out / "images/labels.csv").read_text() == "file,label\nb.png,1\na.png,0\n"


def test_wrong_labels_are_refused_before_anything_is_written(
    run: Callable[..., Any], save: Callable[..., Any], tmp_path: Path
) -> None:
    save("a.png")
    (tmp_path / "set/labels.csv").write_text("file,label\nb.png,1\n")
    with pytest.raises(UserError, match="images that are not there"):
        run(tmp_path / "set", (8, 8))
    assert not list((tmp_path / "out0").iterdir())


def test_every_image_has_a_place_of_its_own() -> None:
    names = ["a.jpg", "a.png", "a.PNG", "a.jpg.png", "A.bmp", "d/a.jpg", "b.tif"]
    targets = target_names(names)
    assert targets["a.png"] == "a.png"
    assert targets["a.jpg.png"] == "a.jpg.png"
    assert targets["d/a.jpg"] == "d/a.png"
    assert targets["b.tif"] == "b.png"
    assert set(targets) == set(names)
    assert len({target.lower() for target in targets.values()}) == len(names)


@pytest.mark.parametrize("name", ["../evil.png", "a/../../evil.png"])
def test_a_zip_writes_nothing_elsewhere(
    run: Callable[..., Any], save: Callable[..., Any], tmp_path: Path, name: str
) -> None:
    save("a.png")
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as archive:
        archive.write(tmp_path / "set/a.png", "b/a.png")
        archive.write(tmp_path / "set/a.png", name)
    with pytest.raises(UserError, match="lies outside its own folder"):
        run(tmp_path / "set.zip", (8, 8))
    assert not list(tmp_path.rglob("evil*"))


def test_files_that_fail_are_named_and_left_out(
    run: Callable[..., Any], save: Callable[..., Any], tmp_path: Path
) -> None:
    save("good.png", 20, 20)
    save("small.png", 7, 20)
    (tmp_path / "set/text.png").write_text("hello")
    content = (tmp_path / "set/good.png").read_bytes()
    (tmp_path / "set/cut.png").write_bytes(content[:200])
    done, out = run(tmp_path / "set", (8, 8))
    failed = dict(done.failed)
    assert done.written == 1
    assert written(out) == ["good.png"]
    assert failed["small.png"] == "7x20 pixels: would be enlarged to 8x8"
    assert failed["text.png"] == "not a PNG, JPEG, TIFF, WebP, BMP, GIF, JPEG 2000, PPM, AVIF, .npy or DICOM image"
    assert set(failed) == {"small.png", "text.png", "cut.png"}
    assert json.loads((out / "prepare.json").read_text())["failed"] == failed


def test_notes_are_enough_to_do_it_again(run: Callable[..., Any], save: Callable[..., Any], tmp_path: Path) -> None:
    before = save("a.png", 20, 20)
    _, out = run(tmp_path / "set", (8, 8), preset="defect")
    notes = json.loads((out / "prepare.json").read_text())
    assert (notes["size"], notes["pipeline"], notes["written"]) == ([8, 8], "defect", 1)
    assert notes["versions"]["albumentations"] == "2.0.8"
    again = read_pipeline(out / "pipeline.yaml")(image=before)["image"]
    assert np.array_equal(again, pixels(out / "images/a.png"))


def test_images_that_only_one_side_is_small_of_are_padded(
    run: Callable[..., Any], save: Callable[..., Any], tmp_path: Path
) -> None:
    save("a.png", 4, 16)
    save("b.png", 7, 7)
    done, _ = run(tmp_path / "set", (8, 8), fit="pad")
    assert done.failed == [("b.png", "7x7 pixels: would be enlarged to 8x8")]
    albumentations = import_albumentations()
    done, _ = run(tmp_path / "set", (16, 16), albumentations.PadIfNeeded(16, 16, p=1.0))
    assert done.written == 2
    done, _ = run(tmp_path / "set", (4, 4), albumentations.Resize(4, 4, interpolation=AREA, p=1.0))
    assert (done.written, done.warnings) == (2, [])


def test_a_set_of_small_images_is_an_error(run: Callable[..., Any], folder: Path) -> None:
    with pytest.raises(UserError, match=r"no image of .* can be prepared \(first: 'cat/0.png': 8x8 pixels: would be"):
        run(folder, (16, 16))


@pytest.mark.parametrize(
    ("transforms", "reason"),
    [
        (lambda a: [a.Resize(4, 4, interpolation=AREA)], "makes 4x4 pixels where `size` is 8x8"),
        (lambda a: [a.NoOp(), a.Normalize()], "makes float32 where an image has uint8: leave Normalize"),
        (lambda a: [a.ToFloat(p=1.0)], "makes float32 where"),
        (lambda a: [a.ToTensorV2()], r"makes torch.uint8 where"),
        (lambda a: [a.ToGray(num_output_channels=2, p=1.0)], "makes 2 channels"),
        (lambda a: [a.RandomCrop(50, 50)], "the pipeline fails: "),
    ],
)
def test_what_a_pipeline_cannot_do_is_refused_first(
    run: Callable[..., Any], folder: Path, tmp_path: Path, transforms: Callable[..., Any], reason: str
) -> None:
    with pytest.raises(
        UserError, match=rf"^'cat/0.png' \(mode RGB\): the pipeline .*{reason.removeprefix('the pipeline ')}"
    ):
        run(folder, (8, 8), *transforms(import_albumentations()))
    assert not list((tmp_path / "out0").iterdir())


def test_color_only_transforms_are_refused_for_gray_images_among_others(
    run: Callable[..., Any] | Path | tuple[Path, Trainer], save: Callable[..., Any], tmp_path: Path
) -> None:
    save("a.png")
    save("b.png", mode="L")
    with pytest.raises(
        UserError, match=r"'b.png' \(mode L\): the pipeline fails: This transformation expects 3-channel"
    ):
        run(tmp_path / "set", (8, 8), import_albumentations().ISONoise(p=1.0))
    assert not list((tmp_path / "out0").iterdir())


def test_sixteen_bits_are_eight_before_clahe(run: Callable[..., Any], tmp_path: Path) -> None:
    put(tmp_path / "set/a.png", smooth(20, 20).astype(np.uint16) * 257)
    done, out = run(tmp_path / "set", (20, 20), import_albumentations().CLAHE(p=1.0))
    assert done.written == 1
    assert pixels(out / "images/a.png").max() <= 255


def test_warnings_are_said_once_in_a_line_each(
    run: Callable[..., Any], save: Callable[..., Any], tmp_path: Path
) -> None:
    for index in range(3):
        save(f"{index}.png", 16, 16, mode="L")
    albumentations = import_albumentations()
    transforms = [albumentations.HueSaturationValue(p=1.0), albumentations.OneOf([albumentations.Resize(8, 8)], p=1.0)]
    transforms.append(albumentations.Resize(8, 8, interpolation=AREA))
    done, _ = run(tmp_path / "set", (8, 8), *transforms)
    first, second = done.warnings
    assert first.startswith("HueSaturationValue: hue_shift and sat_shift are not applicable")
    assert second == "Resize aliases when it shrinks: write `interpolation: 3` (area) beside it"


def test_plain_resizing_does_alias_and_area_does_not(run: Callable[..., Any], tmp_path: Path) -> None:
    """What the warning says: fine stripes are an even gray at an eighth of their size."""
    stripes = np.tile(np.array([255, 255, 0, 0, 0, 0, 255, 255], np.uint8), (48, 6))
    put(tmp_path / "set/a.png", stripes)
    error = {}
    for interpolation in (1, AREA):
        resize = import_albumentations().Resize(6, 6, interpolation=interpolation, p=1.0)
        _, out = run(tmp_path / "set", (6, 6), resize)
        error[interpolation] = abs(pixels(out / "images/a.png") - 127.5).max()
    assert error[AREA] <= 1
    assert error[1] > 100


def test_the_sheet_shows_images_before_and_after(run: Callable[..., Any], tmp_path: Path) -> None:
    for index in range(20):
        put(tmp_path / f"set/{index:02d}.png", np.full((40, 40), 10 * index, np.uint8))
    _, out = run(tmp_path / "set", (8, 8), import_albumentations().Resize(8, 8, interpolation=AREA),
                 import_albumentations().InvertImg(p=1.0))  # fmt: skip
    sheet = pixels(out / "before-after.png")
    for shown in range(7):  # every third of 20
        column = sheet[:, 60 + shown * 196 + 96 - 10, 0]
        assert 10 * 3 * shown in column
        assert 255 - 10 * 3 * shown in column
