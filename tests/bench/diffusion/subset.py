"""A folder of some images of a set, a subfolder per class, each class in its share: to train both models on less."""

from pathlib import Path

import numpy as np

from stylegan_ada.datasets import ImageDataset
from stylegan_ada.metrics.evaluate import places_in_shares
from stylegan_ada.pictures.files import encode
from stylegan_ada.pixels import nhwc


def write_subset(dataset: ImageDataset, count: int, out: Path, seed: int = 0) -> None:
    """Writes `count` of the images, drawn at random within their classes, as out/CLASS/N.png."""
    assert dataset.labels is not None
    order = np.random.default_rng(seed).permutation(len(dataset))
    for index in order[places_in_shares(np.asarray(dataset.labels)[order], count)]:
        folder = out / dataset.classes[dataset.labels[index]]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{index:05d}.png").write_bytes(encode(nhwc(dataset.images[[index]])[0]))


def indices_in(folder: Path) -> np.ndarray:
    """int64 [n]: which images of the whole set lie in a folder that `write_subset` made."""
    return np.array(sorted(int(file.stem) for file in folder.rglob("*.png")))
