"""A small diffusion model beside a GAN of ours: trained on the same images, in the same time, and judged by the same.

    D="python -m tests.bench.diffusion"
    $D train --data sample:elpv --size 32 --mirror hv --minutes 15,40 --out ddpm
    stylegan-ada train --data sample:elpv --preset demo --out gan
    $D sample ddpm/40min --data sample:elpv --size 32 --solver dpm --steps 20 --out made/dpm20.npz
    $D gan gan/generator.safetensors --data sample:elpv --size 32 --out made/gan.npz
    python docs/examples/distil.py sample:elpv 32 ddpm/40min student 15
    $D sample student --data sample:elpv --size 32 --solver one --out made/student.npz
    $D judge --data sample:elpv --size 32 made/*.npz --out figures.json
    $D sheet --data sample:elpv --size 32 made/*.npz --out sheet.png

`subset` writes a folder of fewer images; train both models on it, and name it to `judge` as --trained-on. Of a run name
the file of its last generator, since a folder gives the best by a metric, which the others have no choice by.
Needs the extras `bench` and `demo`. All on the CPU, one process; `OMP_NUM_THREADS=1` for one core.
"""

import json
import resource
from pathlib import Path

import click
import numpy as np
import torch

from stylegan_ada import Preparation, load_dataset, load_generator
from stylegan_ada.datasets import ImageDataset
from stylegan_ada.metrics.evaluate import places_in_shares
from stylegan_ada.pictures.grids import image_grid
from stylegan_ada.pixels import nhwc

from .figures import figures
from .pictures import as_levels, make, read_made, write_made
from .sampling import SOLVERS, one_step, sample, start_noise
from .subset import indices_in, write_subset
from .table import table
from .teacher import Moments, Teacher, load_unet, train_teacher


def numbers(_: click.Context, __: click.Parameter, text: str) -> tuple[float, ...]:
    return tuple(float(number) for number in text.split(",") if number)


data = click.option("--data", required=True, help="Images in a folder for each class, or sample:elpv.")
size = click.option("--size", required=True, type=int, help="Side in pixels, a multiple of 4.")
mirror = click.option("--mirror", help="h, v, hv or quarter, as `stylegan-ada train` has it.")
out = click.option("--out", required=True, type=click.Path(path_type=Path))
seed = click.option("--seed", default=0)
count = click.option("--count", default=1000, help="Images to make.")


@click.group()
def main() -> None:
    """A diffusion model beside a GAN; see the head of this file."""


def loaded(source: str, side: int) -> ImageDataset:
    return load_dataset(source, Preparation(size=side))


@main.command()
@data
@size
@count
@out
def subset(data: str, size: int, count: int, out: Path) -> None:
    """Some images of a set as a folder."""
    write_subset(loaded(data, size), count, out)


@main.command()
@data
@size
@mirror
@seed
@out
@click.option("--channels", default="32,64,64", callback=numbers, help="Of the U-Net, the top first.")
@click.option("--minutes", default="", callback=numbers, help="When to keep the network: minutes of training.")
@click.option("--kimg", default="", callback=numbers, help="The same by thousands of images.")
def train(
    data: str,
    size: int,
    mirror: str | None,
    seed: int,
    out: Path,
    channels: tuple[float, ...],
    minutes: tuple[float, ...],
    kimg: tuple[float, ...],
) -> None:
    """A diffusion model; kept in OUT/15min, OUT/40kimg and so on."""
    if not minutes and not kimg:
        raise click.UsageError("say with --minutes or --kimg when to keep the network")
    teacher = Teacher(loaded(data, size), tuple(map(int, channels)), mirror, seed)
    train_teacher(teacher, out, Moments(minutes, kimg), click.echo)
    click.echo(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


@main.command("sample")
@click.argument("network", type=click.Path(path_type=Path))
@data
@size
@count
@out
@click.option("--solver", required=True, type=click.Choice([*SOLVERS, "one"]), help="one: a student's step.")
@click.option("--steps", default=20)
@click.option("--guidance", default=1.0, help="1 for none.")
def sample_images(
    network: Path, data: str, size: int, count: int, out: Path, solver: str, steps: int, guidance: float
) -> None:
    """Images of a diffusion model or a student."""
    unet = load_unet(network)
    if solver == "one":
        draw = as_levels(torch.inference_mode()(lambda seeds, labels: one_step(unet, start_noise(unet, seeds), labels)))
    else:
        draw = as_levels(
            lambda seeds, labels: sample(unet, seeds, labels, solver=solver, steps=steps, guidance=guidance)
        )
    write_made(make(loaded(data, size), count, draw), out)


@main.command()
@click.argument("run", type=click.Path(path_type=Path))
@data
@size
@count
@out
def gan(run: Path, data: str, size: int, count: int, out: Path) -> None:
    """Images of a generator of ours, trained with the same classes."""
    generator, dataset = load_generator(run), loaded(data, size)

    def draw(seeds: list[int], classes: np.ndarray) -> np.ndarray:
        return generator.sample_uint8(seeds, [dataset.classes[label] for label in classes])

    write_made(make(dataset, count, draw), out)


@main.command()
@click.argument("made", nargs=-1, required=True, type=click.Path(path_type=Path))
@data
@size
@out
@click.option("--trained-on", type=click.Path(path_type=Path), help="The folder of `subset`; all images if not given.")
def judge(made: tuple[Path, ...], data: str, size: int, out: Path, trained_on: Path | None) -> None:
    """Figures of stored images, as JSON and as a table."""
    dataset = loaded(data, size)
    indices = np.arange(len(dataset)) if trained_on is None else indices_in(trained_on)
    rows = figures(dataset, indices, [read_made(file) for file in made])
    found = {file.stem: row for file, row in zip(made, rows, strict=True)}
    out.write_text(json.dumps(found, indent=1))
    click.echo(table(found))


@main.command()
@click.argument("made", nargs=-1, required=True, type=click.Path(path_type=Path))
@data
@size
@out
@click.option("--columns", default=8, help="Images of each class.")
@click.option("--real", is_flag=True, help="With rows of real images.")
def sheet(made: tuple[Path, ...], data: str, size: int, out: Path, columns: int, real: bool) -> None:
    """Stored images of each class side by side."""
    dataset = loaded(data, size)
    labels = np.asarray(dataset.labels)
    sets = {"real": (nhwc(dataset.images), labels)} if real else {}
    for file in made:
        images = read_made(file).images
        sets[file.stem] = images, labels[places_in_shares(labels, len(images))]
    rows, names = [], []
    for label, word in enumerate(dataset.classes):
        for name, (images, classes) in sets.items():
            rows.append(images[np.flatnonzero(classes == label)[:columns]])
            names.append(f"{word} {name}")
    image_grid(rows, names).save(out)


if __name__ == "__main__":
    main()
