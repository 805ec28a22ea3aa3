"""Generated images as a data set of torch, made when they are asked for."""

from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset, get_worker_info

from ..checkpoint import generator_file, read_info
from ..errors import UserError
from ..files import user_path
from ..pixels import nchw
from ..sampling import TrainedGenerator, check_truncation_psi, load_generator
from .plan import BLOCK, block_seeds, check_seed
from .write import attribute_values


class SyntheticDataset(Dataset[tuple[Any, ...]]):
    """per_class images of each class, class after class; without labels, per_class images of label 0.

    An item is (image, label), of masks=True (image, mask, label): the mask is uint8 [K, H, W], for each of `mask_kinds`
    the share of a pixel that it covers, 255 for all of it, and `transform` is called with image and mask then.
    The image is uint8 [C, H, W], or what `transform` makes of it, and the index in `classes`; of a
    generator with attributes these are the combinations of their values, and `values` has each image's own. Image j of
    a class is candidate j of `generate dataset` with the same seed and truncation_psi, and so its image j where nothing
    is filtered; gray levels may differ by rounding.

    Images are made in blocks of 32 of a class, of which the last `blocks_kept` are held: read them in order, or
    hold as many blocks as the set has. Each DataLoader worker has a generator of its own, loaded when first used.

    path: a run folder or a generator's file. device: "cuda" needs num_workers=0.
    UserError for no generator there, a number out of range, or CUDA in a worker; IndexError past the end.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        per_class: int,
        seed: int = 0,
        truncation_psi: float = 1.0,
        transform: Callable[..., Any] | None = None,
        masks: bool = False,
        device: str = "cpu",
        blocks_kept: int = 16,
    ):
        if per_class < 1 or blocks_kept < 1:
            raise UserError(f"per_class {per_class}, blocks_kept {blocks_kept}: give 1 or more")
        check_truncation_psi(truncation_psi)
        check_seed(seed)
        self.path, self.per_class, self.seed, self.truncation_psi = user_path(path), per_class, seed, truncation_psi
        self.transform, self.device, self.blocks_kept = transform, device, blocks_kept
        info = read_info(generator_file(self.path))
        self.classes, self.mask_kinds, self.masks = info.classes, info.mask_kinds, masks
        if masks and not self.mask_kinds:
            raise UserError(f"masks: the generator in {self.path} makes none, leave that out")
        self._forget()

    def __len__(self) -> int:
        return self.per_class * max(len(self.classes), 1)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        label, place = self._place(index)
        image, mask = (part[place % BLOCK].clone() for part in self._block(label, place // BLOCK))
        if self.masks:
            return *((image, mask) if self.transform is None else self.transform(image, mask)), label
        return (image if self.transform is None else self.transform(image)), label

    def values(self, index: int) -> dict[str, Any]:
        """The attributes of an image by name: text, a number, True or False of yes/no, a tuple of several values, None
        where one is unknown. Where labels are classes they are the attribute "class"."""
        label, place = self._place(index)
        generator = self._loaded()
        seeds, names = self._candidates(label, place // BLOCK)
        rows = generator.label_rows(seeds, names)
        return attribute_values(generator.labels, rows[place % BLOCK])

    def __getstate__(self) -> dict[str, Any]:
        """The state without the generator: a worker loads its own."""
        return self.__dict__ | {"_generator": None, "_blocks": OrderedDict()}

    def _forget(self) -> None:
        self._generator: TrainedGenerator | None = None
        self._blocks: OrderedDict[tuple[int, int], tuple[Tensor, Tensor]] = OrderedDict()

    def _place(self, index: int) -> tuple[int, int]:
        """The class of an image, and its place among that one's."""
        if not -len(self) <= index < len(self):
            raise IndexError(f"image {index} of {len(self)}")
        return divmod(index % len(self), self.per_class)

    def _loaded(self) -> TrainedGenerator:
        if get_worker_info() is not None and torch.device(self.device).type != "cpu":
            raise UserError(f"device {self.device!r} in a DataLoader's worker: use num_workers=0, or device='cpu'")
        if self._generator is None:
            self._generator = load_generator(self.path, self.device)
        return self._generator

    def _candidates(self, label: int, block: int) -> tuple[range, list[str] | None]:
        """The seeds of a block, and their labels."""
        seeds = block_seeds(self.seed, len(self.classes), label, block)
        return seeds, [self.classes[label]] * BLOCK if self.classes else None

    def _block(self, label: int, block: int) -> tuple[Tensor, Tensor]:
        """uint8 [32, C, H, W], and masks [32, K, H, W]."""
        key = label, block
        if key in self._blocks:
            self._blocks.move_to_end(key)
            return self._blocks[key]
        seeds, names = self._candidates(label, block)
        images, masks = self._loaded().sample_pairs(seeds, names, self.truncation_psi, batch_size=BLOCK)
        self._blocks[key] = nchw(torch.from_numpy(images)), nchw(torch.from_numpy(masks))
        if len(self._blocks) > self.blocks_kept:
            self._blocks.popitem(last=False)
        return self._blocks[key]
