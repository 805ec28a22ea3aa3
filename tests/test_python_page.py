"""docs/python.md runs as it stands."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

import stylegan_ada


@pytest.fixture(scope="module")
def names(root: Path, image_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the page's lines leave, by name, run one after the other beside a folder of images."""
    page = (root / "docs" / "python.md").read_text()
    blocks = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert len(blocks) == 11
    lines = "\n".join(blocks)
    assert lines.count("kimg=200") == 2
    found = {}
    folder = tmp_path_factory.mktemp("page")
    shutil.copytree(image_folder, folder / "my_images")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("STYLEGAN_ADA_CACHE", str(folder / "cache"))
        lines = lines.replace("    print(error)", "    refused = error")  # Python forgets `error` behind the block
        few = "kimg=0.064, evaluate_kimg=0.064, batch=16, channel_base=256, channel_max=16"
        exec(lines.replace("kimg=200", few), found)
    return found


def test_what_the_page_leaves(names: dict[str, Any]) -> None:
    assert names["generator"].classes == ("bright", "dark")
    assert names["images"].shape == (16, 16, 16, 1)
    assert names["batch"].shape == (64, 1, 16, 16)
    assert names["batch"].dtype == torch.uint8
    assert set(names["results"]) == {"kid", "coverage", "label_accuracy"}
    assert names["results"]["kid"].low < names["results"]["kid"].value < names["results"]["kid"].high
    assert set(names["counts"]) == {"bright", "dark"}
    assert names["difference"] <= 1
    assert names["found"].images.shape == (2, 16, 16, 1)
    assert names["neighbours"].shape == (8, 16, 16, 1)
    assert names["found"].labels == tuple(names["labels"])
    assert names["records"]
    assert {record.label for record in names["records"].values()} == {"dark"}
    assert names["fake"].grad.abs().sum() > 0
    assert names["step"].loss > 0
    assert names["step"].p == 0
    assert "16x16" in str(names["refused"])  # the nearest size to 17


def test_all_that_the_package_offers_can_be_had() -> None:
    for name in stylegan_ada.__all__:
        assert getattr(stylegan_ada, name) is not None
