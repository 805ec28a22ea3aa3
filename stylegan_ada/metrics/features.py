"""Which network gives the features: the choice behind `--features`."""

from pathlib import Path

import torch

from ..errors import UserError, nearest
from .extractor import Extractor

NETWORKS = ("lite0", "inception")


def make_extractor(name: str, device: torch.device | str = "cpu") -> Extractor:
    """lite0, inception, or a TorchScript (.pt) or ONNX (.onnx) file. UserError if there is no such thing."""
    # each needs packages of its own
    if name == "lite0":
        from .lite0 import Lite0Features

        return Lite0Features(device)
    if name == "inception":
        from .inception import InceptionFeatures

        return InceptionFeatures(device)
    if Path(name).suffix in (".pt", ".onnx"):
        from .own_network import OnnxFeatures, TorchScriptFeatures

        return (OnnxFeatures if Path(name).suffix == ".onnx" else TorchScriptFeatures)(Path(name), device)
    raise UserError(f"`features` {name}: not a .pt or .onnx file, {nearest(name, NETWORKS)}")
