"""Checkpoints: all of training that changes from step to step, in a file that runs no code when loaded."""

import json
import pickle
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..augment import AdaController
from ..config import RunConfig
from ..config.json import to_json
from ..config.options import MAY_CHANGE
from ..errors import UserError, first_line, is_out_of_memory
from ..files import atomic_path
from ..networks import Discriminator, Generator
from .mathematics import MATHEMATICS

TRAINING_FORMAT = "stylegan_ada training 1"
NETWORKS = ("generator", "generator_ema", "discriminator")
OTHER_PARTS = ("generator_optimizer", "discriminator_optimizer", "controller")


@dataclass(kw_only=True)
class TrainingState:
    """Every part of training that changes from step to step. A checkpoint is this, with what it is of."""

    generator: Generator
    generator_ema: Generator
    discriminator: Discriminator
    generator_optimizer: torch.optim.Optimizer
    discriminator_optimizer: torch.optim.Optimizer
    controller: AdaController
    path_length_mean: Tensor  # scalar, updated in place
    logit_sums: Tensor  # float64 [2], of real and of generated images since p was last set; updated in place
    images_seen: int = 0
    steps: int = 0

    def as_dict(self) -> dict[str, Any]:
        """The state as tensors and numbers in nested dictionaries. The tensors are the state's own."""
        return {
            **{name: getattr(self, name).state_dict() for name in NETWORKS + OTHER_PARTS},
            "path_length_mean": self.path_length_mean,
            "logit_sums": self.logit_sums,
            "images_seen": self.images_seen,
            "steps": self.steps,
        }

    def save(self, path: Path, config: RunConfig) -> None:
        """Writes the whole state atomically, and that it is of a run of `config`."""
        notes = {"format": TRAINING_FORMAT, "mathematics": MATHEMATICS, "config": to_json(config)}
        with atomic_path(path) as temporary:
            try:
                torch.save({**notes, **self.as_dict()}, temporary)
            except RuntimeError as error:  # what torch makes of a full disk
                raise OSError(f"is the disk full? {first_line(error)}") from error

    def load(self, path: Path, config: RunConfig) -> None:
        """Takes the whole state from a file of `save`. Unusable where that is damaged, of another run than that of
        `config`, or holds NaN; the state may be taken in part then."""
        stored = _read(path, self.path_length_mean.device)
        _check_run(path, stored, config)
        try:
            for name in NETWORKS + OTHER_PARTS:
                getattr(self, name).load_state_dict(stored[name])
            self.path_length_mean.copy_(stored["path_length_mean"])
            self.logit_sums.copy_(stored["logit_sums"])
            self.images_seen, self.steps = stored["images_seen"], stored["steps"]
        except (KeyError, RuntimeError, ValueError) as error:
            if is_out_of_memory(error):
                raise
            raise Unusable(f"{path}: not a checkpoint of this run ({first_line(error)})") from None
        broken = first_not_finite(self.as_dict())
        if broken is not None:
            raise Unusable(f"{path}: {broken} holds NaN or infinite numbers")


class Unusable(UserError):
    """A checkpoint that will never serve this run, as one that cannot be read at the moment may."""


def first_not_finite(state: Any, name: str = "") -> str | None:
    """The name of the first tensor of nested dictionaries that holds NaN or infinite numbers; None if all is well."""
    if isinstance(state, Tensor):
        return None if bool(state.isfinite().all()) else name
    if not isinstance(state, dict):
        return None
    inner = (first_not_finite(part, f"{name}.{key}" if name else str(key)) for key, part in state.items())
    return next((found for found in inner if found is not None), None)


def read_networks(path: Path) -> dict[str, dict[str, Tensor]]:
    """The states of NETWORKS in a checkpoint, on the CPU."""
    state = _read(path, torch.device("cpu"))
    return {name: state[name] for name in NETWORKS}


def _read(path: Path, device: torch.device) -> dict[str, Any]:
    try:
        _check_sums(path)
        state = torch.load(path, map_location=device, weights_only=True)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({first_line(error)}), try again later") from None
    except (RuntimeError, ValueError, EOFError, pickle.UnpicklingError, zipfile.BadZipFile) as error:
        if is_out_of_memory(error):
            raise
        raise Unusable(f"{path}: cannot be read ({first_line(error).split('. ')[0]})") from None
    found = state.get("format") if isinstance(state, dict) else None
    if found != TRAINING_FORMAT:
        raise Unusable(f"{path}: its format is {found!r}, this version reads {TRAINING_FORMAT!r}")
    return state


def _check_sums(path: Path) -> None:
    """Raises BadZipFile if a byte of the file has changed: torch does not look at the sums that it writes."""
    with zipfile.ZipFile(path) as file:
        if any(entry.compress_type != zipfile.ZIP_STORED or entry.flag_bits & 1 for entry in file.infolist()):
            raise zipfile.BadZipFile("an entry is packed otherwise than torch does it")
        damaged = file.testzip()
    if damaged is not None:
        raise zipfile.BadZipFile(f"the checksum of {damaged} is wrong")


def _check_run(path: Path, stored: dict[str, Any], config: RunConfig) -> None:
    """Raises Unusable if a checkpoint is of other settings, or of other mathematics. Older ones do not say."""
    then = stored.get("mathematics", MATHEMATICS)
    for name in MATHEMATICS.keys() | then.keys():
        if then.get(name) != MATHEMATICS.get(name):
            raise Unusable(
                f"{path}: it was trained with {name} {then.get(name)!r}, and this version has "
                f"{MATHEMATICS.get(name)!r}: go on with the version of stylegan_ada that wrote it"
            )
    if "config" not in stored:
        return
    now = dict(_settings(json.loads(to_json(config))))
    for name, value in _settings(json.loads(stored["config"])):
        # other versions of the program know other names
        if name in now and now[name] != value and name.rpartition(".")[2] not in MAY_CHANGE:
            raise Unusable(f"{path}: of another run, whose {name} is {value!r} and not {now[name]!r}")


def _settings(values: dict[str, Any] | list[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """ "part.name" and value of all settings in nested objects and lists."""
    for name, value in values.items() if isinstance(values, dict) else enumerate(values):
        if isinstance(value, dict | list):
            yield from _settings(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
