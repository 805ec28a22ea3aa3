"""Features by a network of the user's own, from a TorchScript or an ONNX file.

The network takes RGB as float32 [N, 3, H, W] from 0 to 1 and normalises by itself; H and W are what an ONNX file
declares, else 224. It gives features [N, D], or features and logits [N, K].
"""

import hashlib
from abc import abstractmethod
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ...errors import UserError, first_line
from ...libraries.network_files import load_torchscript, open_session
from .extractor import Extractor, resize

SIDE = 224


class _OwnNetwork(Extractor):
    """Rows hold the features, then the logits."""

    def __init__(self, path: Path, device: torch.device | str):
        super().__init__(device)
        try:
            digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        except OSError as error:
            raise UserError(f"`features` {path}: cannot be read ({error.strerror})") from None
        self.path, self.name = path, path.name
        self._height = self._width = SIDE
        self._load()
        self.size = (self._height, self._width)
        self.identity = f"{digest}-bicubic{self._height}x{self._width}"
        probe = self._run(np.zeros((2, 3, self._height, self._width), np.float32))
        self._dim = probe[0].shape[1]

    def features(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        return rows[:, : self._dim]

    def logits(self, rows: NDArray[np.float32]) -> NDArray[np.float32] | None:
        return rows[:, self._dim :] if rows.shape[1] > self._dim else None

    def _of(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        x = np.ascontiguousarray((resize(images, self._height, self._width) / 255).numpy())
        return np.concatenate(self._run(x), axis=1)

    def _run(self, x: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """Features, and perhaps logits."""
        try:
            found = self._forward(x)
        except Exception as error:  # whatever a file may hold that takes no such image
            raise UserError(f"`features` {self.path}: fails on float32 {list(x.shape)} ({first_line(error)})") from None
        if not 1 <= len(found) <= 2 or any(part.ndim != 2 or len(part) != len(x) for part in found):
            shapes = " and ".join(str(list(part.shape)) for part in found)
            raise UserError(f"`features` {self.path}: gives {shapes} for {len(x)} images, must give [N, D]")
        return [np.asarray(part, np.float32) for part in found]

    @abstractmethod
    def _load(self) -> None:
        """Reads the file, and what size of images it takes."""

    @abstractmethod
    def _forward(self, x: NDArray[np.float32]) -> list[NDArray[Any]]:
        """The outputs of the network."""


class TorchScriptFeatures(_OwnNetwork):
    """Features by a file of torch.jit.save, on the CPU or a GPU."""

    def _load(self) -> None:
        try:
            self._network = load_torchscript(str(self.path), self.device)
        except RuntimeError as error:
            raise UserError(f"`features` {self.path}: not a TorchScript file ({first_line(error)})") from None

    def network(self, x: Tensor) -> Tensor:
        found = self._network(x / 255)
        return found[0] if isinstance(found, tuple | list) else found

    @torch.inference_mode()
    def _forward(self, x: NDArray[np.float32]) -> list[NDArray[Any]]:
        found = self._network(torch.from_numpy(x).to(self.device))
        return [part.float().cpu().numpy() for part in (found if isinstance(found, tuple | list) else [found])]


class OnnxFeatures(_OwnNetwork):
    """Features by an ONNX file, on the CPU."""

    def _load(self) -> None:
        try:
            self._session = open_session(self.path)
        except Exception as error:  # its classes derive from Exception alone
            raise UserError(f"`features` {self.path}: not an ONNX file ({first_line(error)})") from None
        self._input = self._session.get_inputs()[0]
        if len(self._input.shape) == 4:
            self._height, self._width = (side if isinstance(side, int) else SIDE for side in self._input.shape[2:])

    def _forward(self, x: NDArray[np.float32]) -> list[NDArray[Any]]:
        return self._session.run(None, {self._input.name: x})
