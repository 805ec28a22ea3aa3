"""Drawing a step's micro-batches from the data set."""

import numpy as np
import torch
from torch import Tensor

from ... import distributed
from ...config import DataConfig, TrainingConfig
from ...datasets import ImageDataset, image_order, mirror_images
from ...pixels import from_uint8, from_uint16
from ...random import Draws
from .objective import MicroBatch


class BatchSource:
    """The endless shuffled stream of some of a set's images, cut into this process's micro-batches."""

    def __init__(
        self,
        dataset: ImageDataset,
        members: np.ndarray,
        data: DataConfig,
        training: TrainingConfig,
        stream: str,
        device: torch.device,
    ):
        """members: indices of the images to take; stream: names the random draws (order and mirroring)."""
        self.dataset, self.members = dataset, members
        self.mirror, self.seed, self.stream, self.device = data.mirror, training.seed, stream, device
        self.share = training.batch // distributed.world_size()
        self.micro_batch = min(training.micro_batch or self.share, self.share)

    def micro_batches(self, images_seen: int) -> list[MicroBatch]:
        """This process's share of the step that starts after `images_seen` images."""
        first = images_seen + distributed.rank() * self.share
        return [
            self._load(start, min(self.micro_batch, first + self.share - start))
            for start in range(first, first + self.share, self.micro_batch)
        ]

    def _load(self, start: int, count: int) -> MicroBatch:
        chosen = self.members[image_order(len(self.members), self.seed, start, count)]
        indices = torch.arange(start, start + count, device=self.device)
        levels = self.dataset.levels
        pixels = self._to_device(torch.from_numpy((self.dataset.images if levels is None else levels)[chosen]))
        images = from_uint8(pixels) if levels is None else from_uint16(pixels)
        images = mirror_images(images, self.mirror, Draws(self.seed, f"{self.stream}/mirror", indices))
        c = self._to_device(torch.from_numpy(self.dataset.one_hot(chosen)))
        return MicroBatch(start, indices, images, c)

    def _to_device(self, tensor: Tensor) -> Tensor:
        if self.device.type == "cuda":  # pinned, so that the copy does not wait for the device
            tensor = tensor.pin_memory()
        return tensor.to(self.device, non_blocking=True)
