"""Trained networks that a run starts from, of another run or a file, and what it takes from them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ..checkpoint import NO_LICENCE, read_beside, read_generator, read_notes
from ..config import RunConfig
from ..config.data import kind_of_images
from ..config.resolve import TrainedFacts
from ..errors import UserError, first_line
from ..folders import is_locked
from ..networks.transfer import Described, TransferredPart, transfer_discriminator, transfer_generator
from .checkpoints import TrainingState, read_networks
from .run_folder import RunFolder

SHOWN_DIGITS = 12  # of a sha256
State = dict[str, Tensor]


@dataclass(frozen=True, eq=False, kw_only=True)
class Trained:
    """Networks, and where they come from."""

    described: Described
    generator: State
    generator_ema: State
    discriminator: State | None  # None in most files
    digest: str  # sha256 of the file
    origin: str | None  # of weights that were imported or have a licence, in words
    licence: str | None

    @property
    def facts(self) -> TrainedFacts:
        """The facts of these networks that a run's configuration depends on, and keeps."""
        return TrainedFacts(network=self.described.config, digest=self.digest, origin=self.origin, licence=self.licence)


def read_trained(path: Path) -> Trained:
    """The networks of a run's newest checkpoint, or of a generator file. UserError where there are none."""
    return _of_run(RunFolder(path)) if path.is_dir() else _of_file(path)


def _of_run(folder: RunFolder) -> Trained:
    config = folder.read_config()
    if is_locked(folder.path):
        raise UserError(f"`init_from` {folder.path}: that run is being trained, wait until it ends or stop it")
    checkpoints = folder.checkpoints()
    if not checkpoints:
        raise UserError(f"`init_from` {folder.path}: that run has no checkpoint yet, train it for longer")
    networks = read_networks(checkpoints[-1])
    return Trained(
        described=Described(config=config.network, classes=config.classes, attributes=config.attributes),
        **networks,
        digest=_digest(checkpoints[-1]),
        origin=config.start.origin,
        licence=config.start.licence,
    )


def _of_file(path: Path) -> Trained:
    if path.suffix == ".pt":
        raise UserError(f"`init_from` {path}: a checkpoint, give the folder of its run, whose newest one is taken")
    generator, info = read_generator(path)
    average, beside, notes = generator.state_dict(), read_beside(path), read_notes(path)
    digest, origin, licence = _digest(path), notes.get("origin"), notes.get("licence", NO_LICENCE)
    if origin is None and licence != NO_LICENCE:
        origin = f"a generator file, sha256 {digest}; licence of these weights: {licence}"
    return Trained(
        described=Described(config=info.network, classes=info.classes, attributes=info.attributes),
        generator=beside.get("generator", average),
        generator_ema=average,
        discriminator=beside.get("discriminator"),
        digest=digest,
        origin=origin,
        licence=None if origin is None else licence,
    )


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UserError(f"`init_from` {path}: cannot be read ({first_line(error)})") from None


def check_freeze_options(config: RunConfig, trained: Trained) -> None:
    """Raises UserError where nothing would be left to learn, or there is no network to freeze."""
    start, blocks = config.start, len(config.network.block_shapes)
    if start.freeze_d and trained.discriminator is None:
        raise UserError("`freeze_d`: `init_from` holds a generator alone, leave this out or start from a run's folder")
    if start.freeze_d > blocks - 1:
        raise UserError(
            f"`freeze_d` {start.freeze_d}: there are {blocks - 1} such blocks, and the lowest always learns"
        )
    if start.freeze_g > blocks or (start.freeze_g == blocks and start.freeze_mapping):
        raise UserError(f"`freeze_g` {start.freeze_g}: of {blocks} blocks some must learn, give fewer")


def take_over(state: TrainingState, config: RunConfig, trained: Trained) -> list[str]:
    """Gives the networks of a fresh state what fits of trained ones, and a table of what that is, line by line."""
    target = Described(config=config.network, classes=config.classes, attributes=config.attributes)
    parts = {"generator": transfer_generator(state.generator, target, trained.described, trained.generator)}
    transfer_generator(state.generator_ema, target, trained.described, trained.generator_ema)
    if trained.discriminator is not None:
        parts["discriminator"] = transfer_discriminator(
            state.discriminator, target, trained.described, trained.discriminator
        )
    _check_learned(parts, config)
    network, attributes = trained.described.config, trained.described.attributes
    labels = f"attributes {', '.join(one.name for one in attributes)}" if attributes else f"{network.c_dim} classes"
    lines = [
        f"starts from sha256 {trained.digest[:SHOWN_DIGITS]}: {network.height}x{network.width}, "
        f"{kind_of_images(network.channels)}, {labels}"
    ]
    lines += [_row(name, part) for name, each in parts.items() for part in each]
    if trained.discriminator is None:
        lines.append(f"  {'discriminator':14} {'all of it':18} new: there is none to start from")
    if trained.origin is not None:  # with the licence of the weights, which an export's own does not replace
        lines.append(trained.origin)
    return lines


def _check_learned(parts: Mapping[str, Sequence[TransferredPart]], config: RunConfig) -> None:
    """Raises UserError where a part that is frozen is not wholly taken: it would stay as it was drawn."""
    start, blocks = config.start, [f"block {height}x{width}" for height, width in config.network.block_shapes]
    frozen = (
        ("freeze_mapping", "generator", ["mapping", "classes", "label values"] * start.freeze_mapping),
        ("freeze_g", "generator", blocks[: start.freeze_g]),
        ("freeze_d", "discriminator", ["first layer", *blocks[::-1][: start.freeze_d]] * (start.freeze_d > 0)),
    )
    for option, network, names in frozen:
        for part in parts.get(network, ()):
            if part.name in names and part.taken < part.of:
                raise UserError(
                    f"`{option}`: it would keep the {network}'s {part.name}, of which only {part.taken} of {part.of} "
                    f"{part.unit} have learned, freeze less"
                )


def _row(network: str, part: TransferredPart) -> str:
    return f"  {network:14} {part.name:18} {part.words}"
