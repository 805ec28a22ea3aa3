"""Masks that come with generated images: files, areas, COCO's annotations, shards, torch's data set."""

import csv
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from pycocotools.coco import COCO

from stylegan_ada import SyntheticDataset, UserError, load_generator, make_dataset
from stylegan_ada.config.masks import parse_kinds
from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset
from stylegan_ada.sampling import TrainedGenerator


@pytest.fixture(scope="module")
def generator(mask_generator_file: Path) -> TrainedGenerator:
    return load_generator(mask_generator_file)


def made(run: Path, out: Path, **options: Any) -> list[dict[str, str]]:
    """The rows of the manifest."""
    make_dataset(run, out, per_class=20, device="cpu", say=lambda line: None, **options)
    with open(out / "manifest.csv", newline="") as file:
        return list(csv.DictReader(file))


def expected(generator: TrainedGenerator, row: dict[str, str]) -> np.ndarray:
    """[H, W]: 0, or the kind that has most of a pixel and half of it at least; by the network itself."""
    seed = [int(row["seed"])]
    noise = generator._draws("sample/noise", seed).normal(generator.network.synthesis.noise_size)
    c = torch.tensor([[row["label"] == "a", row["label"] == "b"]]).float()
    whole = generator.network(generator.z(seed), c, noise)[0, 1:].detach().double().numpy()
    return np.where(whole.max(axis=0) >= 128 / 127.5 - 1 - 0.5 / 127.5, whole.argmax(axis=0) + 1, 0)


def test_every_image_has_its_mask_beside_it(mask_generator_file: Path, tmp_path: Path, generator: Any) -> None:
    rows = made(mask_generator_file, tmp_path / "set")
    assert len(rows) == 40
    for row in rows:
        image = tmp_path / "set" / row["file"]
        assert row["file"].startswith(f"images/{row['label']}/")
        mask = np.asarray(Image.open(tmp_path / "set" / row["file"].replace("images/", "masks/", 1)))
        assert np.asarray(Image.open(image)).shape == (16, 16)
        assert (mask != expected(generator, row)).mean() < 0.02  # rounding at the threshold
        # two kinds may both have half of a pixel: areas count both
        assert float(row["area_crack"]) >= (mask == 1).mean() - 1e-6
        assert float(row["area_dent"]) >= (mask == 2).mean() - 1e-6
    facts = json.loads((tmp_path / "set" / "dataset.json").read_text())
    assert facts["mask_kinds"] == {"crack": 1, "dent": 2}
    empty = [float(row["area_crack"]) + float(row["area_dent"]) == 0 for row in rows]
    assert facts["empty_masks"] == pytest.approx(np.mean(empty))
    card = (tmp_path / "set" / "README.md").read_text()
    assert "1 crack, 2 dent" in card
    assert "nobody has drawn or checked them" in card


def test_what_was_made_can_be_trained_on(mask_generator_file: Path, tmp_path: Path) -> None:
    made(mask_generator_file, tmp_path / "set")
    preparation = Preparation(masks="auto", mask_kinds=parse_kinds("crack=1,dent=2"))
    found = load_dataset(str(tmp_path / "set"), preparation)
    assert found.classes == ("a", "b")
    assert found.mask_kinds == ("crack", "dent")
    first = np.asarray(Image.open(tmp_path / "set" / found.names[0].replace("images/", "masks/", 1)))
    assert np.array_equal(found.masks[0, 1] == 255, first == 2)


def test_coco_says_what_the_masks_do(mask_generator_file: Path, tmp_path: Path) -> None:
    rows = made(mask_generator_file, tmp_path / "png")
    made(mask_generator_file, tmp_path / "coco", masks_as="coco")
    assert not (tmp_path / "coco" / "masks").exists()
    coco = COCO(tmp_path / "coco" / "annotations.json")
    names = {image["file_name"]: number for number, image in coco.imgs.items()}
    assert set(names) == {row["file"] for row in rows}
    for row in rows:
        mask = np.asarray(Image.open(tmp_path / "png" / row["file"].replace("images/", "masks/", 1)))
        drawn = np.zeros_like(mask)
        for one in coco.loadAnns(coco.getAnnIds(imgIds=names[row["file"]])):
            drawn[coco.annToMask(one) > 0] = one["category_id"]
            assert one["area"] == (mask == one["category_id"]).sum()
        assert np.array_equal(drawn, mask)
    # and it is read again as it was written
    both = [
        load_dataset(str(tmp_path / name), Preparation(masks=masks, mask_kinds=parse_kinds(kinds)))
        for name, masks, kinds in (
            ("png", "auto", "crack=1,dent=2"),
            ("coco", str(tmp_path / "coco" / "annotations.json"), "crack,dent"),
        )
    ]
    assert both[0].names == both[1].names
    assert np.array_equal(both[0].masks, both[1].masks)


def test_masks_can_be_chosen_by_area(mask_generator_file: Path, tmp_path: Path) -> None:
    def marked(out: Path) -> list[float]:
        return [float((np.asarray(Image.open(path)) > 0).mean()) for path in sorted((out / "masks").rglob("*.png"))]

    made(mask_generator_file, tmp_path / "all")
    middle = float(np.median(marked(tmp_path / "all")))
    made(mask_generator_file, tmp_path / "some", mask_area=f"{middle:.4f}:")
    assert min(marked(tmp_path / "all")) < middle - 0.001
    assert min(marked(tmp_path / "some")) >= middle - 0.0001
    assert "`mask_area`" in (tmp_path / "some" / "README.md").read_text()
    for wrong in ("0.5", "0.5:0.1", "a:b", "0:2"):
        with pytest.raises(UserError, match="give LOW:HIGH"):
            made(mask_generator_file, tmp_path / "wrong", mask_area=wrong)
    assert not (tmp_path / "wrong").exists()


def test_shards_hold_masks(mask_generator_file: Path, tmp_path: Path) -> None:
    rows = made(mask_generator_file, tmp_path / "tree")
    made(mask_generator_file, tmp_path / "shards", shards=True)
    with tarfile.open(tmp_path / "shards" / "shard-000000.tar") as tar:
        for row in rows:
            key = f"{'ab'.index(row['label']):04d}-{int(row['seed']):010d}"
            content = tar.extractfile(f"{key}.mask.png").read()
            tree = tmp_path / "tree" / row["file"].replace("images/", "masks/", 1)
            assert np.array_equal(np.asarray(Image.open(io.BytesIO(content))), np.asarray(Image.open(tree)))


def test_torch_has_the_same_pairs(mask_generator_file: Path, tmp_path: Path) -> None:
    rows = made(mask_generator_file, tmp_path / "set")
    pairs = SyntheticDataset(mask_generator_file, per_class=20, masks=True)
    assert pairs.mask_kinds == ("crack", "dent")
    image, mask, label = pairs[25]
    assert mask.shape == (2, 16, 16)
    assert label == 1
    file = np.asarray(Image.open(tmp_path / "set" / rows[25]["file"].replace("images/", "masks/", 1)))
    assert np.array_equal((mask.numpy() >= 128).any(axis=0), file > 0)
    flipped = SyntheticDataset(
        mask_generator_file, per_class=20, masks=True, transform=lambda image, mask: (image.flip(2), mask.flip(2))
    )
    assert torch.equal(flipped[25][1], mask.flip(2))
    assert torch.equal(SyntheticDataset(mask_generator_file, per_class=20)[25][0], image)


def test_a_generator_without_masks_says_so(attribute_generator_file: Path, tmp_path: Path) -> None:
    for options in ({"mask_area": "0.1:"}, {"masks_as": "coco"}):
        with pytest.raises(UserError, match="trained without masks"):
            make_dataset(attribute_generator_file, tmp_path / "set", per_class=2, device="cpu", **options)
    with pytest.raises(UserError, match="makes none"):
        SyntheticDataset(attribute_generator_file, per_class=2, masks=True)
