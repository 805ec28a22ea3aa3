"""ONNX files in onnxruntime. Only this module imports onnxruntime."""

import os
from pathlib import Path
from typing import Any

import torch


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
