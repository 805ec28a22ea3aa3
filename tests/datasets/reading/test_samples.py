import csv
import importlib.util
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset, sample_licence
from stylegan_ada.datasets.reading.samples import elpv_files
from stylegan_ada.errors import UserError


@pytest.fixture
def small_elpv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package that looks like elpv-dataset, with four images; it fails if it is imported."""
    package = tmp_path / "path" / "elpv_dataset"
    (package / "data" / "images").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    lines = []
    for index, (probability, cell) in enumerate([("1.0", "mono"), ("0.3333333333333333", "poly")] * 2):
        Image.new("L", (6, 6), 40 * index).save(package / "data" / "images" / f"cell{index}.png")
        lines.append(f"images/cell{index}.png  {probability}    {cell}\n")
    (package / "data" / "labels.csv").write_text("".join(lines))
    monkeypatch.syspath_prepend(package.parent)
    return package


def test_elpv_has_its_published_counts() -> None:
    """2,624 cells, as counted in its own table."""
    names = sorted(elpv_files())
    spec = importlib.util.find_spec("elpv_dataset")
    assert spec is not None
    table = Path(spec.submodule_search_locations[0]) / "data" / "labels.csv"
    rows = list(csv.reader(table.read_text().splitlines(), delimiter=" ", skipinitialspace=True))
    counts = Counter(name.split("/")[0] for name in names)
    assert len(names) == len(rows) == 2624
    assert counts["mono-1.00"] == sum(row[2] == "mono" and float(row[1]) == 1 for row in rows)
    assert sorted(counts) == [f"{cell}-{p}" for cell in ("mono", "poly") for p in ("0.00", "0.33", "0.67", "1.00")]
    assert "elpv_dataset" not in sys.modules


def test_elpv_is_packed_with_joint_labels(small_elpv: Path) -> None:
    found = load_dataset("sample:elpv")
    assert found.classes == ("mono-1.00", "poly-0.33")
    assert found.names == (
        "mono-1.00/cell0.png",
        "mono-1.00/cell2.png",
        "poly-0.33/cell1.png",
        "poly-0.33/cell3.png",
    )
    assert found.images[:, 0, 0, 0].tolist() == [0, 80, 40, 120]
    assert found.image_shape == (1, 6, 6)


def test_a_packed_sample_needs_no_package(small_elpv: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_dataset("sample:elpv", Preparation(size=4))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert load_dataset("sample:elpv", Preparation(size=4)).fingerprint == first.fingerprint
    with pytest.raises(UserError, match=r"pip install elpv-dataset"):
        load_dataset("sample:elpv", Preparation(size=6))


def test_digits() -> None:
    found = load_dataset("sample:digits", Preparation(size=8))
    digits = load_digits()
    assert found.images.shape == (1797, 1, 8, 8)
    assert found.classes == tuple("0123456789")
    assert found.labels is not None
    assert np.bincount(found.labels).tolist() == np.bincount(digits.target).tolist()
    number = int(found.names[0].removesuffix(".png")[-4:])
    # enlarged and reduced again: much like the original
    assert np.corrcoef(found.images[0, 0].ravel(), digits.images[number].ravel())[0, 1] > 0.95


def test_licences() -> None:
    assert "CC BY-NC-SA 4.0" in str(sample_licence("sample:elpv"))
    assert sample_licence("folder") is None
