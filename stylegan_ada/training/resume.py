"""From where a run goes on: its newest checkpoint that serves."""

from pathlib import Path

import torch

from .. import distributed
from ..checkpoint import GeneratorInfo, read_info
from ..config import RunConfig
from ..errors import UserError
from ..progress import Say
from .checkpoints import TrainingState, Unusable
from .run_folder import RunFolder


def load_newest(folder: RunFolder, state: TrainingState, config: RunConfig, say: Say) -> bool:
    """Takes the state from the newest checkpoint that serves this run, and returns whether there is any checkpoint.
    Newer ones get another name, which is said. UserError where none serves; all checkpoints stay as they are then.

    Under torchrun the first process chooses.
    """
    first = distributed.rank() == 0
    if not distributed.any_rank(first and bool(folder.checkpoints())):
        return False
    distributed.first_rank_first(lambda: _load_newest(folder, state, config, say) if first else None)
    images_seen = int(distributed.gather(torch.tensor([state.images_seen]))[0])
    if not first:
        state.load(folder.checkpoint_file(images_seen), config)
    return True


def _load_newest(folder: RunFolder, state: TrainingState, config: RunConfig, say: Say) -> None:
    refused: list[tuple[Path, Unusable]] = []
    for path in reversed(folder.checkpoints()):
        try:
            state.load(path, config)
        except Unusable as error:
            refused.append((path, error))
            continue
        for other, reason in refused:
            say(f"warning: {reason}; {folder.set_aside(other)}, and the run goes on from {path.name}")
        return
    raise UserError(f"{refused[0][1]}; no older checkpoint serves, use another `out`")


def has_generator_of(folder: RunFolder, info: GeneratorInfo) -> bool:
    """Whether the folder's last generator can be read and is of that moment."""
    try:
        return read_info(folder.generator_file).images_seen == info.images_seen
    except UserError:
        return False
