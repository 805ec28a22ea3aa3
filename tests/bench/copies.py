"""How long the search for copies takes that keeps them on one side of a hold-out.

    python -m tests.bench.copies --count 30000

Of sample:elpv at 64x64 as it is; of so many images made of it, each shifted by its own amount and with noise, or with
strong noise alone; and of ramps with noise, which all look alike, so that most hashes are near.
"""

import argparse
import dataclasses
import time

import numpy as np
import torch

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import ImageDataset, load_dataset
from stylegan_ada.datasets.holdout.copies import find_copies_in_set


def say_seconds(what: str, dataset: ImageDataset) -> None:
    start = time.perf_counter()
    copies = find_copies_in_set(dataset)
    print(f"{what}: {len(dataset)} images, {time.perf_counter() - start:.1f} s, {copies.count} copies", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=30000)
    count = parser.parse_args().count
    torch.set_num_threads(1)
    cells = load_dataset("sample:elpv", Preparation(size=64))
    say_seconds("cells", cells)
    rng = np.random.default_rng(0)
    names = tuple(map(str, range(count)))

    def made(pixels: list[np.ndarray]) -> ImageDataset:
        images = np.stack(pixels).clip(0, 255).astype(np.uint8)[:, None]
        return dataclasses.replace(cells, images=images, labels=None, names=names)

    def noise(sigma: float) -> np.ndarray:
        return rng.normal(0, sigma, (64, 64)).astype(np.float32)

    of = cells.images[:, 0]
    shifts = [4 * (index // len(of)) for index in range(count)]
    shifted = [np.roll(of[index % len(of)], shift, (0, 1)) + noise(6) for index, shift in enumerate(shifts)]
    say_seconds("shifted cells", made(shifted))
    say_seconds("noisy cells", made([of[index % len(of)] + noise(20) for index in range(count)]))
    ramp = np.linspace(0, 1, 64)
    ramps = [255 * np.outer(ramp ** rng.uniform(0.5, 2), ramp[::-1]) + noise(5) for _ in range(count)]
    say_seconds("ramps", made(ramps))


if __name__ == "__main__":
    main()
