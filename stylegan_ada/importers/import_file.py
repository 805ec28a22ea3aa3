"""Imports a network-snapshot.pkl as a generator file of ours."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from ..checkpoint import GeneratorInfo, save_generator
from ..config import NetworkConfig
from ..config.data import kind_of_images
from ..errors import UserError
from ..files import check_file
from ..networks import Discriminator, Generator
from ..progress import Say
from .snapshot_file import SnapshotNetworks, read_snapshot_networks

Network = TypeVar("Network", Generator, Discriminator)

UNKNOWN_LICENCE = (
    "not stated; networks made with NVIDIA's StyleGAN2-ADA or StyleGAN3 code are for research only, "
    "unless their owner says otherwise"
)


def import_snapshot(
    path: Path,
    out: Path,
    classes: Sequence[str] | None = None,
    licence: str | None = None,
    say: Say = print,
) -> GeneratorInfo:
    """Writes `G_ema` of a network-snapshot.pkl as a generator file, and `G` and `D` beside it, for `train` with
    `init_from`. Nothing of the pickle is executed.

    classes: names in the order of the label vector, "0", "1", ... if not given. licence: of the weights; it is kept in
    the file and in all that is made with it. UserError for a file that is no such pickle, with the reason.
    """
    if out.suffix.lower() != ".safetensors":
        raise UserError(f"`out` {out}: give a file that ends in .safetensors")
    check_file(out)
    networks = read_snapshot_networks(path)
    config = networks.config
    names = tuple(map(str, range(config.c_dim))) if classes is None else tuple(classes)
    if len(names) != config.c_dim or len(set(names)) != len(names):
        raise UserError(
            f"`classes`: {len(set(names))} different names for {config.c_dim} classes of {path}, give one for each"
        )
    generator = _loaded(Generator, config, networks.generator_ema, f"{path}: G_ema")
    info = GeneratorInfo(network=config, classes=names, class_counts=(1,) * len(names), images_seen=0)
    licence = licence or UNKNOWN_LICENCE
    origin = f"imported from a StyleGAN2-ADA pickle, sha256 {networks.digest}; licence of these weights: {licence}"
    beside, left_out = _beside(networks, path)
    save_generator(out, generator, info, {"licence": licence, "origin": origin}, beside)
    say(f"{out}: {config.height}x{config.width}, {kind_of_images(config.channels)}, {config.c_dim} classes")
    for reason in left_out:
        say(f"warning: {reason}; that network is left out")
    say(f"licence: {licence}")
    return info


def _beside(networks: SnapshotNetworks, path: Path) -> tuple[dict[str, dict[str, Tensor]], list[str]]:
    """The networks beside the moving average, seen to be whole, and why one is not among them."""
    beside, left_out = {}, list(networks.left_out)
    if networks.generator is not None:
        beside["generator"] = _loaded(Generator, networks.config, networks.generator, f"{path}: G").state_dict()
    if networks.discriminator is not None:
        try:
            whole = _loaded(Discriminator, networks.config, networks.discriminator, "D")
            beside["discriminator"] = whole.state_dict()
        except UserError as error:
            left_out.append(str(error))
    return beside, left_out


def _loaded(kind: type[Network], config: NetworkConfig, state: dict[str, Tensor], where: str) -> Network:
    """A network with this state. UserError where parts are missing or of another shape."""
    with torch.random.fork_rng(devices=[]):  # the weights drawn here are replaced: leave the caller's numbers alone
        network = kind(config)
    try:
        missing, unexpected = network.load_state_dict(state, strict=False)
    except RuntimeError as error:
        raise UserError(f"{where}: not as StyleGAN2-ADA stores it ({str(error).splitlines()[-1].strip()})") from None
    for names, what in ((missing, "missing"), (unexpected, "not known here")):
        if names:
            raise UserError(f"{where}: {what}: {', '.join(names[:3])}{' ...' * (len(names) > 3)}")
    return network
