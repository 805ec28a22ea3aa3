"""Drawing a step's micro-batches from the data set."""

from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from ... import distributed
from ...config import DataConfig, TrainingConfig
from ...datasets import ImageDataset, image_order, mirror_images
from ...pixels import from_uint8, from_uint16
from ...random import Draws
from .objective import MicroBatch


@dataclass(frozen=True)
class Read:
    """A micro-batch in the host's memory. start: its first place in the stream; pixels: uint8 or uint16 [N, C, H, W];
    masks: uint8 [N, K, H, W], None where there are none; c: [N, c_dim]."""

    start: int
    pixels: Tensor
    masks: Tensor | None
    c: Tensor


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
        self.batch, self.micro_batch = training.batch, min(training.micro_batch or self.share, self.share)
        self._reader: Executor | None = None
        self._ahead: tuple[int, Future[list[Read]]] | None = None

    @contextmanager
    def reading_ahead(self) -> Iterator[None]:
        """In the block a thread reads the next step's share while the one at hand is worked on. Its errors are raised
        when that share is asked for."""
        try:
            with ThreadPoolExecutor(1, "next batch") as self._reader:
                yield
        finally:
            self._reader = self._ahead = None

    def micro_batches(self, images_seen: int) -> list[MicroBatch]:
        """This process's share of the step that starts after `images_seen` images."""
        ahead, self._ahead = self._ahead, None
        share = ahead[1].result() if ahead is not None and ahead[0] == images_seen else self._read(images_seen)
        if self._reader is not None:
            following = images_seen + self.batch
            self._ahead = following, self._reader.submit(self._read, following)
        return [self._micro_batch(read) for read in share]

    def _read(self, images_seen: int) -> list[Read]:
        first = images_seen + distributed.rank() * self.share
        pictures = self.dataset.images if self.dataset.levels is None else self.dataset.levels
        share = []
        for start in range(first, first + self.share, self.micro_batch):
            count = min(self.micro_batch, first + self.share - start)
            chosen = self.members[image_order(len(self.members), self.seed, start, count)]
            masks = None if self.dataset.masks is None else self._pinned(self.dataset.masks[chosen])
            c = self._pinned(self.dataset.label_vectors(chosen))
            share.append(Read(start, self._pinned(pictures[chosen]), masks, c))
        return share

    def _pinned(self, array: np.ndarray) -> Tensor:
        tensor = torch.from_numpy(array)
        # so that the copy does not wait for the device
        return tensor.pin_memory() if self.device.type == "cuda" else tensor

    def _micro_batch(self, read: Read) -> MicroBatch:
        indices = torch.arange(read.start, read.start + len(read.pixels), device=self.device)
        pixels = read.pixels.to(self.device, non_blocking=True)
        images = from_uint8(pixels) if self.dataset.levels is None else from_uint16(pixels)
        if read.masks is not None:
            images = torch.cat([images, from_uint8(read.masks.to(self.device, non_blocking=True))], dim=1)
        images = mirror_images(images, self.mirror, Draws(self.seed, f"{self.stream}/mirror", indices))
        return MicroBatch(read.start, indices, images, read.c.to(self.device, non_blocking=True))
