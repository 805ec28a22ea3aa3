"""The generator alone, as safetensors: what `load_generator` reads."""

from collections.abc import Mapping
from pathlib import Path

from ..checkpoint import read_generator, save_generator
from ..errors import UserError
from ..sampling import TrainedGenerator
from .description import notes_with_names


def export_safetensors(generator: TrainedGenerator, path: Path, notes: Mapping[str, str]) -> None:
    """Writes weights, configuration, classes and `notes` (licence, training), and reads them again to see that they are
    the same. Loading the file runs no code from it. UserError where the file is not what was written."""
    save_generator(path, generator.network, generator.info, notes_with_names(generator.info, notes))
    again, info = read_generator(path)
    written = generator.network.state_dict()
    same = info == generator.info and all(
        tensor.equal(written[name].cpu()) for name, tensor in again.state_dict().items()
    )
    if not same:
        path.unlink()
        raise UserError(f"{path}: it did not come back from the disk as it was written, try another disk")
