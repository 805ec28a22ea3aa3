"""The choice of the network that gives the features, by `--features`."""

import torch

from ...errors import UserError, nearest
from ...files import user_path
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
    path = user_path(name)
    if path.suffix in (".pt", ".onnx"):
        from .own_network import OnnxFeatures, TorchScriptFeatures

        return (OnnxFeatures if path.suffix == ".onnx" else TorchScriptFeatures)(path, device)
    raise UserError(f"`features` {name}: not a .pt or .onnx file, {nearest(name, NETWORKS)}")
