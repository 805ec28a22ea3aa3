"""The generator as a program of torch.export, which runs without this package."""

import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import torch

from ..checkpoint import GeneratorInfo
from ..files import atomic_path
from .parts import ExportedPart, quiet
from .safetensors_file import file_metadata
from .verify import largest_difference

PT2_FORMAT = "stylegan_ada pt2 1"
METADATA_FILE = "metadata.json"  # an extra file of the archive


def export_pt2(part: ExportedPart, info: GeneratorInfo, path: Path, notes: Mapping[str, str]) -> float:
    """Writes the file, reads it again, and gives the largest difference from the network. Inputs are given by name:
    `torch.export.load(path).module()(z=..., label=..., truncation_psi=...)`. UserError as of `largest_difference`."""
    content = BytesIO()
    metadata = json.dumps(file_metadata(info, notes, PT2_FORMAT), indent=2)
    with quiet():
        torch.export.save(part.trace(), content, extra_files={METADATA_FILE: metadata})
    with atomic_path(path) as temporary:
        temporary.write_bytes(content.getbuffer())
        return verify_pt2(temporary, part)


def verify_pt2(path: Path, part: ExportedPart) -> float:
    """The largest difference between the file and the network. UserError as of `largest_difference`."""
    with quiet(), open(path, "rb") as file:
        module = torch.export.load(file).module()
    return largest_difference(part, lambda inputs: module(**inputs))
