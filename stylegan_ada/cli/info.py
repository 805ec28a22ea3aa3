"""`stylegan-ada info`"""

import os
import platform
import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .._version import __version__
from ..errors import shown
from .common import PATH

if TYPE_CHECKING:
    from ..labels.attribute import Attribute


def why_reference() -> str | None:
    """The reason why the ops run in plain torch, None if they have kernels; tried on the device."""
    import torch

    from ..ops import bias_act, setup_filter, upfirdn2d
    from ..ops.implementation import ENVIRONMENT_VARIABLE, kernels, reference_only

    if not torch.cuda.is_available():
        return "reference (plain torch): there is no CUDA device"
    if reference_only():
        return f"reference (plain torch): {ENVIRONMENT_VARIABLE}=reference"
    x = torch.zeros(1, 1, 8, 8, device="cuda")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the table says it
        upfirdn2d(bias_act(x, act="lrelu"), setup_filter([1, 3, 3, 1]).cuda())
        torch.cuda.synchronize()
    return None if kernels.failure is None else f"reference (plain torch): {kernels.failure}"


def package_version(name: str) -> str:
    """The version installed by pip; a system's own NVRTC does not show."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"


@click.command()
@click.argument("run", required=False, type=PATH)
def info(run: Path | None) -> None:
    """Show versions and the device, or what a generator is.

    Without RUN, also which implementation the ops use and where packed images are kept. RUN is a run folder or a
    generator file.
    """
    if run is None:
        show_program()
    else:
        show_generator(run)


def show_generator(run: Path) -> None:
    from ..checkpoint import generator_file, read_info, read_notes
    from ..config.data import kind_of_images

    path = generator_file(run)
    about = read_info(path)
    network = about.network
    click.echo(f"file           {path}")
    click.echo(f"images         {network.height}x{network.width}, {kind_of_images(network.channels)}")
    click.echo(f"trained on     {f'{about.images_seen:,} images shown' if about.images_seen else 'not known'}")
    classes = zip(about.classes, about.class_counts, strict=True)
    if about.images_seen:
        names = ", ".join(f"{shown(name)} ({count})" for name, count in classes)
    else:
        names = ", ".join(shown(name) for name, _ in classes)
    click.echo(f"classes        {names or 'none, without labels'}")
    for place, one in enumerate(about.attributes):
        click.echo(f"{'' if place else 'attributes':14} {attribute_words(one)}")
    if about.mask_kinds:
        click.echo(f"masks          {', '.join(map(shown, about.mask_kinds))}")
    click.echo(f"widths         base {network.channel_base}, at most {network.channel_max}; w of {network.w_dim}")
    notes = read_notes(run)
    for name in ("licence", "origin"):  # exported files have others, for other programs
        if name in notes:
            click.echo(f"{name:14} {shown(notes[name])}")


def attribute_words(attribute: "Attribute") -> str:
    """What an attribute may be: "degree: 0 to 1, mean 0.3", "crack: no, yes, or unknown"."""
    if attribute.kind == "number":
        words = f"{attribute.low:.4g} to {attribute.high:.4g}, mean {attribute.mean:.4g}"
    else:
        words = ", ".join(shown(value) for value in attribute.values) + ", any of these" * (attribute.kind == "several")
    return f"{shown(attribute.name)}: {words}{', or unknown' * attribute.unknown}"


def show_program() -> None:
    import torch

    from ..datasets import cache_folder
    from ..ops.implementation import reference_only

    click.echo(f"stylegan-ada   {__version__}")
    click.echo(f"python         {platform.python_version()}")
    click.echo(f"torch          {torch.__version__}")
    if torch.cuda.is_available():
        name, memory = torch.cuda.get_device_name(), torch.cuda.get_device_properties(0).total_memory / 2**30
        click.echo(f"device         {name}, {memory:.0f} GiB, CUDA {torch.version.cuda}")
    else:
        click.echo(f"device         CPU, {torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}")
    packages = ("cuda-core", "cuda-bindings", "nvidia-cuda-nvrtc")
    click.echo(f"kernels by     {', '.join(f'{name} {package_version(name)}' for name in packages)}")
    click.echo(f"cores          {os.cpu_count()}")
    reason = why_reference()
    click.echo(f"upfirdn2d      {reason or 'CUDA kernel, compiled by NVRTC'}")
    click.echo(f"bias_act       {reason or 'CUDA kernel, compiled by NVRTC'}")
    winograd = "" if reference_only() else "; on the CPU also Winograd's algorithm"
    click.echo(f"convolution    torch's, with gradients of any order{winograd}")
    click.echo(f"image cache    {cache_folder()}")
