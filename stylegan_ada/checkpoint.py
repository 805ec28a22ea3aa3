"""The file of a generator (safetensors). It runs no code when loaded."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from .config import NetworkConfig
from .config.json import from_json, to_json
from .errors import UserError, first_line
from .files import atomic_path
from .labels.attribute import Attribute, label_width
from .labels.label_space import LabelSpace
from .networks import Generator

GENERATOR_FILE = "generator.safetensors"  # of a run's last checkpoint
BEST_FILE = "best.safetensors"  # of the run's best measurement
GENERATOR_FORMAT = "stylegan_ada generator 1"
BESIDE = ("generator", "discriminator")  # networks that a generator file may hold beside the moving average
NO_LICENCE = "not stated"  # in an exported file


@dataclass(frozen=True, kw_only=True)
class GeneratorInfo:
    """All that a generator file holds beside the weights."""

    network: NetworkConfig
    classes: tuple[str, ...]  # names, in the order of the label vector; with attributes, combinations of their values
    class_counts: tuple[int, ...]  # training images of each
    images_seen: int  # real images shown during training
    window: tuple[float, float] | None = None  # values of -1 and 1 in the images' own units; None: 8 bits, 0 and 255
    balance: float = 0.0  # how classes were seen: 0 in the shares of class_counts, 1 equally often
    attributes: tuple[Attribute, ...] = ()  # in the order of the label vector; () where it is of classes
    labels: tuple[str, ...] = ()  # with attributes: the distinct labels of training images, as texts
    label_counts: tuple[int, ...] = ()  # training images of each
    mask_kinds: tuple[str, ...] = ()  # of the masks that it makes with the images, in the order of their channels

    def __post_init__(self) -> None:
        width = label_width(self.attributes) if self.attributes else len(self.classes)
        if len(self.classes) != len(self.class_counts) or width != self.network.c_dim:
            raise UserError(f"{len(self.classes)} classes for a label vector of {self.network.c_dim}")
        if len(self.mask_kinds) != self.network.mask_channels:
            raise UserError(f"{len(self.mask_kinds)} kinds of masks for {self.network.mask_channels} channels")

    @cached_property
    def label_space(self) -> LabelSpace:
        """The labels that the generator can be asked for."""
        return LabelSpace(self.classes, self.class_counts, self.attributes, self.labels, self.label_counts)


def save_generator(
    path: Path,
    generator: Generator,
    info: GeneratorInfo,
    notes: Mapping[str, str] | None = None,
    beside: Mapping[str, Mapping[str, Tensor]] | None = None,
) -> None:
    """Writes weights and buffers as safetensors, with `info` as JSON in the header. notes: further texts for it, that
    reading does without. beside: states of networks named in BESIDE, for `read_beside`."""
    states = {"": generator.state_dict()} | {f"training.{name}.": state for name, state in (beside or {}).items()}
    tensors = {
        prefix + name: tensor.detach().cpu().contiguous()
        for prefix, state in states.items()
        for name, tensor in state.items()
    }
    with atomic_path(path) as temporary:
        metadata = {**(notes or {}), "format": GENERATOR_FORMAT, "info": to_json(info)}
        temporary.write_bytes(save(tensors, metadata=metadata))


def read_generator(path: Path, device: torch.device | str = "cpu") -> tuple[Generator, GeneratorInfo]:
    """The generator and its description from a file of `save_generator`, or from a run folder that holds one: the best
    one that was measured, or the last where none was.

    It computes in float32, whatever it was trained in: in reduced precision an image would depend on its batch.
    """
    path = generator_file(path)
    info = read_info(path)
    try:
        tensors = _read_tensors(path, "")
        with torch.random.fork_rng(devices=[]):  # the weights drawn here are replaced: leave the caller's numbers alone
            generator = Generator(info.network)
        generator.load_state_dict(tensors)
        generator.synthesis.compute_in(None)
    except (SafetensorError, OSError, RuntimeError) as error:
        raise UserError(f"{path}: not a generator that this version reads ({first_line(error)})") from None
    return generator.to(device).eval().requires_grad_(False), info


def read_beside(path: Path) -> dict[str, dict[str, Tensor]]:
    """The states of the networks that a generator file holds beside the moving average, by the names in BESIDE."""
    states = {name: _read_tensors(path, f"training.{name}.") for name in BESIDE}
    return {name: state for name, state in states.items() if state}


def _read_tensors(path: Path, prefix: str) -> dict[str, Tensor]:
    """Reads the tensors whose names begin with `prefix`, and drops it; for "" those of the moving average."""
    with safe_open(path, framework="pt") as file:
        return {
            name.removeprefix(prefix): file.get_tensor(name)
            for name in file.keys()  # noqa: SIM118 - not a mapping
            if (name.startswith(prefix) if prefix else not name.startswith("training."))
        }


def generator_file(path: Path) -> Path:
    """The file that `read_generator` reads for `path`."""
    if not path.is_dir():
        return path
    return path / BEST_FILE if (path / BEST_FILE).exists() else path / GENERATOR_FILE


def read_info(path: Path) -> GeneratorInfo:
    """The description in a generator's file."""
    return from_json(GeneratorInfo, _read_header(path).get("info", ""))


def read_notes(path: Path) -> dict[str, str]:
    """The notes of `save_generator`, of the file that `read_generator` would read."""
    return {name: text for name, text in _read_header(generator_file(path)).items() if name not in ("format", "info")}


def _read_header(path: Path) -> dict[str, str]:
    if not path.is_file():
        raise UserError(f"{path}: no generator there, train one first or name a run folder")
    if path.suffix == ".pkl":
        raise UserError(f"{path}: a pickle, make a generator file of it first: stylegan-ada import")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise UserError(f"{path}: not a generator that this version reads ({first_line(error)})") from None
    found = metadata.get("format")
    if found != GENERATOR_FORMAT:
        raise UserError(f"{path}: its format is {found!r}, this version reads {GENERATOR_FORMAT!r}")
    return metadata
