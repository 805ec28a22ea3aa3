"""What an exported file tells of itself, as texts by name."""

import json
from collections.abc import Mapping

from .._version import __version__
from ..checkpoint import GeneratorInfo
from ..config_json import to_json


def notes_with_names(info: GeneratorInfo, notes: Mapping[str, str]) -> dict[str, str]:
    """`notes` (licence, training) with what any program should find without knowing our configuration.

    classes: a JSON list in the order of the label vector, [] when unlabelled. image_shape: a JSON list (channels,
    height, width).
    """
    return {
        **notes,
        "classes": json.dumps(info.classes),
        "image_shape": json.dumps(info.network.image_shape),
        "made_by": f"stylegan_ada {__version__}",
    }


def describe(info: GeneratorInfo, notes: Mapping[str, str], file_format: str) -> dict[str, str]:
    """All of a file's metadata. info: the generator's description as JSON, as in a generator.safetensors."""
    return {"format": file_format, "info": to_json(info), **notes_with_names(info, notes)}
