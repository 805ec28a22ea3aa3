"""The networks of a network-snapshot.pkl, of which nothing is executed."""

import dataclasses
import hashlib
import io
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ..config import NetworkConfig
from ..errors import UserError, first_line
from .inert_objects import read_snapshot
from .stored_network import StoredNetwork, take_apart
from .stylegan2 import discriminator_tensors, generator_config, generator_tensors


@dataclass(frozen=True, eq=False, kw_only=True)
class SnapshotNetworks:
    """Networks of a snapshot, as states of ours of `config`."""

    config: NetworkConfig
    digest: str  # sha256 of the file
    generator_ema: dict[str, Tensor]
    generator: dict[str, Tensor] | None  # None where the file has none
    discriminator: dict[str, Tensor] | None
    left_out: tuple[str, ...]  # why a network of the file is not among these


def read_snapshot_networks(path: Path) -> SnapshotNetworks:
    """`G_ema`, `G` and `D` of a pickle of StyleGAN2-ADA for PyTorch, or of the StyleGAN3 repository's stylegan2.

    UserError, in one line with the place, for any other file and for networks that compute something else than ours.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({first_line(error)})") from None
    if data[:2] == b"PK":
        raise UserError(f"{path}: a zip archive, not a network-snapshot.pkl of StyleGAN2-ADA")
    if data[:1] != b"\x80":  # with which all pickles of Python 3 begin
        raise UserError(f"{path}: not a pickle, as a network-snapshot.pkl of StyleGAN2-ADA is one")
    try:
        stream = io.BytesIO(data)
        snapshot = read_snapshot(stream, len(data))
        if stream.read(1):
            raise UserError(f"byte {stream.tell():,}: more after the pickle's end")
        if type(snapshot) is not dict or "G_ema" not in snapshot:
            raise UserError("no `G_ema` in it, it is not a network-snapshot.pkl of StyleGAN2-ADA")
        return _networks(snapshot, len(data), hashlib.sha256(data).hexdigest())
    except UserError as error:
        raise UserError(f"{path}: {error}") from None


def _networks(snapshot: dict[object, object], size: int, digest: str) -> SnapshotNetworks:
    stored = {name: take_apart(snapshot[name], name) for name in ("G_ema", "G", "D") if snapshot.get(name) is not None}
    if "G_ema" not in stored:
        raise UserError("its `G_ema` is empty")
    _check_sizes(stored, size)
    config = generator_config(stored["G_ema"], "G_ema")
    ema = generator_tensors(stored["G_ema"], config, "G_ema")
    generator = discriminator = None
    left_out = []
    if "G" in stored:
        if generator_config(stored["G"], "G") != config:
            raise UserError("G: it is another network than G_ema")
        generator = generator_tensors(stored["G"], config, "G")
    if "D" in stored:
        try:
            discriminator, depth = discriminator_tensors(stored["D"], config, "D")
            config = dataclasses.replace(config, label_depth=depth)
        except UserError as error:
            left_out.append(str(error))
    return SnapshotNetworks(
        config=config,
        digest=digest,
        generator_ema=ema,
        generator=generator,
        discriminator=discriminator,
        left_out=tuple(left_out),
    )


def _check_sizes(stored: dict[str, StoredNetwork], size: int) -> None:
    """Tensors may share numbers in a pickle, as those of two equal networks do; many more would fill the memory."""
    total = sum(
        tensor.numel() * tensor.element_size() for network in stored.values() for tensor in network.tensors.values()
    )
    if total > len(stored) * size:
        raise UserError(f"tensors of {total:,} bytes in a file of {size:,}")
