"""`stylegan-ada info`"""

import os
import platform

import click

from .._version import __version__


@click.command()
def info() -> None:
    """Versions, device, and where packed images are kept."""
    import torch

    from ..datasets import cache_folder

    click.echo(f"stylegan-ada   {__version__}")
    click.echo(f"python         {platform.python_version()}")
    click.echo(f"torch          {torch.__version__}")
    if torch.cuda.is_available():
        name, memory = torch.cuda.get_device_name(), torch.cuda.get_device_properties(0).total_memory / 2**30
        click.echo(f"device         {name}, {memory:.0f} GiB, CUDA {torch.version.cuda}")
    else:
        click.echo(f"device         CPU, {torch.get_num_threads()} threads, {torch.backends.cpu.get_cpu_capability()}")
    click.echo(f"cores          {os.cpu_count()}")
    click.echo(f"ops            reference (plain torch), for {'CUDA and ' if torch.cuda.is_available() else ''}CPU")
    click.echo(f"image cache    {cache_folder()}")
