"""From where a run goes on: its newest checkpoint that serves."""

from pathlib import Path

from .. import distributed
from ..checkpoint import GeneratorInfo, read_info
from ..config import RunConfig
from ..errors import UserError
from ..progress import Say
from .checkpoints import TrainingState
from .run_folder import RunFolder


def load_newest(folder: RunFolder, state: TrainingState, config: RunConfig, say: Say) -> None:
    """Takes the state from the newest checkpoint that can be read and is of this run. Newer ones get another name,
    which is said. UserError where none serves; all files stay as they are then.

    Under torchrun the first process chooses.
    """
    distributed.first_rank_first(lambda: _load_newest(folder, state, config, say))


def _load_newest(folder: RunFolder, state: TrainingState, config: RunConfig, say: Say) -> None:
    refused: list[tuple[Path, UserError]] = []
    for path in reversed(folder.checkpoints()):
        try:
            state.load(path, config)
        except UserError as error:
            refused.append((path, error))
            continue
        for other, error in refused:
            say(f"warning: {error}; it is now {folder.set_aside(other).name}, and the run goes on from {path.name}")
        return
    newest = refused[0][1]
    raise UserError(f"{newest}; no older checkpoint serves: delete them to begin anew, or use another `out`")


def has_generator_of(folder: RunFolder, info: GeneratorInfo) -> bool:
    """Whether the folder's last generator can be read and is of that moment."""
    try:
        return read_info(folder.generator_file).images_seen == info.images_seen
    except UserError:
        return False
