"""How fast a set is packed, against decoding its files alone, and how long a training step waits for its images.

    python -m tests.bench.packing --count 30000 --side 64 --bits 8

Prints files per second of both, the process's peak memory, and the share of a step of the smallest batch that passes
before its images are on the device.
"""

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from stylegan_ada.config import DataConfig, TrainingConfig
from stylegan_ada.datasets import load_dataset
from stylegan_ada.datasets.reading.opening import open_image, open_values
from stylegan_ada.datasets.reading.parallel import map_readable
from stylegan_ada.datasets.reading.sources import FolderSource
from stylegan_ada.training.step.batches import BatchSource


def write(folder: Path, count: int, side: int, bits: int) -> None:
    """Smooth pictures with some noise, which compress as photographs do."""
    rng = np.random.default_rng(0)
    ramp = np.linspace(0, 1, side)
    for index in range(count):
        picture = np.outer(ramp ** rng.uniform(0.5, 2), ramp[::-1]) + rng.normal(0, 0.02, (side, side))
        levels = (picture.clip(0, 1) * (2**bits - 1)).astype(np.uint8 if bits == 8 else np.uint16)
        Image.fromarray(levels).save(folder / f"{index:06d}.png")


def decode_all(folder: Path, bits: int) -> None:
    source = FolderSource(folder)

    def decode(name: str) -> int:
        with source.open(name) as stream:
            return np.asarray(open_image(stream) if bits == 8 else open_values(stream)).size

    for _ in map_readable(decode, source.names):
        pass


def seconds(function: Any, *arguments: Any) -> float:
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=30000)
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--bits", type=int, choices=(8, 16), default=8)
    parser.add_argument("--step", type=float, help="Seconds of a training step of --batch images, if known.")
    parser.add_argument("--batch", type=int, default=16)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        os.environ["STYLEGAN_ADA_CACHE"] = str(Path(place) / "cache")
        folder = Path(place) / "set"
        folder.mkdir()
        write(folder, options.count, options.side, options.bits)
        decoding = seconds(decode_all, folder, options.bits)
        packing = seconds(lambda: load_dataset(str(folder)))
        again = seconds(lambda: load_dataset(str(folder)))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"decoding alone {options.count / decoding:.0f} files/s, packing {options.count / packing:.0f} files/s, ")
        print(f"from the cache {again:.2f} s, peak memory {peak:.0f} MB")
        dataset = load_dataset(str(folder))
        data, training = DataConfig(data=str(folder), mirror="h"), TrainingConfig(kimg=1, batch=options.batch)
        batches = BatchSource(dataset, np.arange(len(dataset)), data, training, "bench", torch.device("cpu"))
        waits = [seconds(batches.micro_batches, step * options.batch) for step in range(50)]
        print(f"a batch of {options.batch} takes {1000 * float(np.median(waits)):.2f} ms")
        if options.step:
            print(f"{float(np.median(waits)) / options.step:.2%} of a step of {options.step} s")


if __name__ == "__main__":
    main()
