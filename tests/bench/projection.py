"""How well images are found again in latent space: generated ones whose w is known, and a run's held-out ones.

    python -m tests.bench.projection --run RUN --out PICTURE.png [--count 8] [--steps 500]

Held-out images are taken from all classes in turn, and searched for by each perceptual distance, in w and in w+, and
with tuning. Prints medians of PSNR, SSIM and both distances of what was found, and seconds per image, and writes a
picture: a column per image, a row per way.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from stylegan_ada import load_generator, project
from stylegan_ada.metrics.evaluate import RealImages
from stylegan_ada.pictures.grids import image_grid
from stylegan_ada.pixels import from_uint8, nchw, nhwc
from stylegan_ada.projection import Distance, make_distance
from stylegan_ada.sampling import TrainedGenerator
from stylegan_ada.training.run_images import run_images

WAYS = (  # distance, space, tuned
    ("vgg", "w", False),
    ("vgg", "w+", False),
    ("vgg", "w+", True),
    ("lite0", "w", False),
    ("lite0", "w+", False),
)


def in_turn(real: RealImages, count: int) -> NDArray[np.int64]:
    """Indices of held-out images, classes taking turns."""
    assert real.held_out is not None
    assert real.dataset.labels is not None
    labels = real.dataset.labels[real.held_out]
    rank = np.array([np.sum(labels[:i] == label) for i, label in enumerate(labels)])
    return real.held_out[np.lexsort((labels, rank))[:count]]


def apart(measure: Distance, images: NDArray[np.uint8], others: NDArray[np.uint8]) -> float:
    first, second = (from_uint8(nchw(torch.from_numpy(x.copy()))) for x in (images, others))
    with torch.no_grad():
        return float(measure(first, second).median())


def known(generator: TrainedGenerator, measures: dict[str, Distance], count: int, steps: int) -> None:
    seeds = range(1000, 1000 + count)
    labels = [generator.classes[index % len(generator.classes)] for index in range(count)]
    images = generator.sample(seeds, labels)
    for space in ("w", "w+"):
        start = time.perf_counter()
        found = project(generator, images, labels, space=space, steps=steps, distance=measures["vgg"])
        seconds = (time.perf_counter() - start) / count
        print(
            f"generated, vgg {space}: PSNR median {np.median(found.psnr):.1f} dB ({found.psnr.min():.1f} to "
            f"{found.psnr.max():.1f}), SSIM {np.median(found.ssim):.3f}, {seconds:.1f} s per image",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--count", type=int, default=8)
    parser.add_argument("--steps", type=int, default=500)
    arguments = parser.parse_args()
    generator, real = load_generator(arguments.run), run_images(arguments.run, None)
    measures = {name: make_distance(name) for name in ("vgg", "lite0")}
    known(generator, measures, arguments.count, arguments.steps)
    chosen = in_turn(real, arguments.count)
    images = nhwc(real.dataset.images[chosen])
    assert real.dataset.labels is not None
    labels = [real.dataset.classes[label] for label in real.dataset.labels[chosen]]
    rows, names = [images], ["held-out image"]
    for distance, space, tune in WAYS:
        start = time.perf_counter()
        steps = arguments.steps
        found = project(generator, images, labels, space=space, steps=steps, distance=measures[distance], tune=tune)
        seconds = (time.perf_counter() - start) / len(images)
        name = f"{distance} {space}{' tuned' if tune else ''}"
        both = ", ".join(f"{other} {apart(measure, images, found.images):.4f}" for other, measure in measures.items())
        print(
            f"held out, {name}: PSNR median {np.median(found.psnr):.1f} dB, SSIM {np.median(found.ssim):.3f}, "
            f"distances {both}, {seconds:.1f} s per image",
            flush=True,
        )
        rows.append(found.images)
        names.append(name)
        image_grid(rows, names).save(arguments.out)


if __name__ == "__main__":
    main()
