import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stylegan_ada import SyntheticDataset, UserError, load_generator
from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import load_dataset
from stylegan_ada.errors import RunFailed
from stylegan_ada.metrics.networks import make_extractor
from stylegan_ada.synthetic.filters import MISLABELLED, Judgement
from stylegan_ada.utility.pool import DatasetSource, GeneratorSource, make_pool
from stylegan_ada.utility.target import Target

CLASSES = ("1", "8", "9")
COUNTS = np.array([40, 5, 0])


@pytest.fixture
def made(digits_run: Path) -> Any:
    return GeneratorSource(load_generator(digits_run), CLASSES, 3, 0.8)


class Everyother:
    """A filter that keeps candidates at even places."""

    duplicates = None

    def judge(self, images: np.ndarray, label: int) -> Judgement:
        verdicts = np.where(np.arange(len(images)) % 2, MISLABELLED, 0).astype(np.int8)
        rows = images[:, :4, :4, 0].reshape(len(images), -1).astype(np.float32)
        return Judgement(verdicts=verdicts, features=rows, thumbnails=rows)


def test_made_images_are_those_of_a_synthetic_data_set(
    made: Any, digits_run: Path, pixel_features: Path, tmp_path: Path
) -> None:
    extractor = make_extractor(str(pixel_features))
    pool = make_pool(made, COUNTS, None, extractor, tmp_path)
    assert np.bincount(pool.labels, minlength=3).tolist() == COUNTS.tolist()
    expected = SyntheticDataset(digits_run, per_class=40, seed=3, truncation_psi=0.8)
    for place, index in ((0, 0), (39, 39), (44, 44)):
        image, label = expected[index]
        assert np.abs(pool.images[place].astype(int) - image.numpy()).max() <= 1
        assert pool.labels[place] == label
    assert pool.accepted.all()
    rows = extractor.extract([pool.images.transpose(0, 2, 3, 1)])
    np.testing.assert_allclose(pool.features, rows, atol=1e-3)


def test_what_is_there_is_not_made_again(made: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make_pool(made, COUNTS, None, None, tmp_path)
    images = np.array(first.images)
    monkeypatch.setattr(made, "block", lambda label, block: pytest.fail("made again"))
    again = make_pool(made, COUNTS, None, None, tmp_path)
    assert np.array_equal(again.images, images)
    assert again.features is None


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB. Needs root."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if os.geteuid() or subprocess.run(mount, check=False).returncode:
        pytest.skip("only root can mount a disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_under_the_gathered_images_is_one_line(made: Any, tmp_path: Path, small_disk: Path) -> None:
    """In a memory map it would be a SIGBUS, which ends Python."""
    make_pool(made, COUNTS, None, None, tmp_path / "blocks")
    for block in (tmp_path / "blocks").glob("*.npz"):
        shutil.copy(block, small_disk)
    left = shutil.disk_usage(small_disk).free
    (small_disk / "ballast").write_bytes(bytes(left - 8192))
    with pytest.raises(RunFailed, match=r"images\.npy \(No space left on device\)"):
        make_pool(made, COUNTS, None, None, small_disk)
    (small_disk / "ballast").unlink()
    assert len(make_pool(made, COUNTS, None, None, small_disk).images) == 45


def test_an_arm_takes_random_images_and_leaves_out_what_the_filters_reject(made: Any, tmp_path: Path) -> None:
    pool = make_pool(made, COUNTS, Everyother(), None, tmp_path)
    assert pool.accepted[:40].tolist() == [True, False] * 20
    assert pool.accepted[40:].tolist() == [True, False, True, False, True]
    wanted = np.array([10, 9, 0])
    plain, filtered = pool.take(wanted, False, seed=1), pool.take(wanted, True, seed=1)
    assert np.bincount(pool.labels[plain]).tolist() == [10, 5]  # no more than there are
    assert set(filtered) == {place for place in plain if pool.accepted[place]}
    assert not np.array_equal(plain, pool.take(wanted, False, seed=2))


def test_a_set_on_disk_is_read_by_class(
    digits: dict[str, np.ndarray], write: Callable[..., Any], tmp_path: Path
) -> None:
    folder = write({"9": digits["9"][:40], "1": digits["1"][:3]})
    source = DatasetSource(load_dataset(str(folder), Preparation(size=16)), Target(CLASSES, CLASSES), str(folder))
    pool = make_pool(source, np.array([10, 10, 36]), None, None, tmp_path)
    assert np.bincount(pool.labels).tolist() == [3, 0, 36]
    assert np.array_equal(pool.images[:3, 0], digits["1"][:3])
    assert np.array_equal(pool.images[3:, 0], digits["9"][:36])
    assert source.name(2, 35) == "9/035.png"
    with pytest.raises(UserError, match="no synthetic images"):
        make_pool(source, np.array([0, 10, 0]), None, None, tmp_path / "none")


def test_a_set_of_other_classes(digits: dict[str, np.ndarray], write: Callable[..., Any]) -> None:
    dataset = load_dataset(str(write({"nine": digits["9"][:3], "1": digits["1"][:3]})), Preparation(size=16))
    with pytest.raises(UserError, match="`synthetic` set: the generator has no class 'nine', choose from"):
        DatasetSource(dataset, Target(("1", "9"), ("1", "9")), "set")
