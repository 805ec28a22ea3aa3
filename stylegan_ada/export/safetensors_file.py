"""The generator alone, as safetensors: what `load_generator` reads; and what every exported file tells of itself."""

import json
from collections.abc import Mapping
from pathlib import Path

from .._version import __version__
from ..checkpoint import GeneratorInfo, read_generator, save_generator
from ..config.json import to_json
from ..errors import UserError
from ..sampling import TrainedGenerator
from .label_input import described_attributes


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


def notes_with_names(info: GeneratorInfo, notes: Mapping[str, str]) -> dict[str, str]:
    """`notes` (licence, training) with what any program should find without knowing our configuration.

    classes: a JSON list in the order of the label vector, [] when unlabelled. image_shape: a JSON list (channels,
    height, width). attributes: JSON of `described_attributes`, where the label vector is of attributes. mask_kinds: a
    JSON list, where the output's channels behind the image's are shares of pixels that these kinds cover.
    """
    masks = {"mask_kinds": json.dumps(info.mask_kinds)} if info.mask_kinds else {}
    attributes = {"attributes": json.dumps(described_attributes(info.attributes))} if info.attributes else {}
    return {
        **notes,
        **attributes,
        **masks,
        "classes": json.dumps(info.classes),
        "image_shape": json.dumps(info.network.image_shape),
        "made_by": f"stylegan_ada {__version__}",
    }


def file_metadata(info: GeneratorInfo, notes: Mapping[str, str], file_format: str) -> dict[str, str]:
    """All of a file's metadata. info: the generator's description as JSON, as in a generator.safetensors."""
    return {"format": file_format, "info": to_json(info), **notes_with_names(info, notes)}
