"""`stylegan-ada explore`"""

from pathlib import Path

import click

from ..config.settings import Range
from .common import DEVICE, RUN, Number


@click.command()
@RUN
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=Number(int, Range("0 to 65535", 0, 65535)), default=0, help="Default: one that is free.")
@click.option("--no-browser", is_flag=True, help="Print the page's address and open no browser.")
@click.option("--no-real-images", is_flag=True, help="Show no real images, for private data.")
@click.option("--data", metavar="SOURCE", help="Where the run's images are now, if they have moved.")
@click.option("--with-parent", is_flag=True, hidden=True, help="End with the process that started this one.")
@DEVICE
def explore(
    run: Path,
    host: str,
    port: int,
    no_browser: bool,
    no_real_images: bool,
    data: str | None,
    with_parent: bool,
    device: str,
) -> None:
    """Look at a generator in the browser.

    RUN is a run folder, also of a run that is being trained, or a generator file. The page is for this machine alone,
    and loads nothing from elsewhere. Sets that it makes lie in RUN/explore.
    """
    # this imports torch, which takes seconds that `--help` need not spend
    from ..explore.server import serve

    serve(
        run,
        data=data,
        host=host,
        port=port,
        device=device,
        hide_real=no_real_images,
        browser=not no_browser,
        with_parent=with_parent,
        say=click.echo,
    )
