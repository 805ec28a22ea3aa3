"""The choice of the network that gives the features, by `--features`."""

import torch

from ...errors import UserError, nearest
from ...files import user_path
from .extractor import Extractor

NETWORKS = ("lite0", "inception", "vgg")


def make_extractor(
    name: str, device: torch.device | str = "cpu", image_size: tuple[int, int] = (224, 224)
) -> Extractor:
    """lite0, inception, vgg, or a TorchScript (.pt) or ONNX (.onnx) file. UserError if there is no such thing.

    image_size: height and width of the images, by which vgg's input is chosen.
    """
    # each needs packages of its own
    if name == "lite0":
        from .lite0 import Lite0Features

        return Lite0Features(device)
    if name == "inception":
        from .inception import InceptionFeatures

        return InceptionFeatures(device)
    if name == "vgg":
        from .vgg import VGGFeatures

        return VGGFeatures(device, image_size)
    path = user_path(name)
    if path.suffix in (".pt", ".onnx"):
        from .own_network import OnnxFeatures, TorchScriptFeatures

        return (OnnxFeatures if path.suffix == ".onnx" else TorchScriptFeatures)(path, device)
    raise UserError(f"`features` {name}: not a .pt or .onnx file, {nearest(name, NETWORKS)}")
