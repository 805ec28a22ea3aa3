"""A trained generator in the user's hands: seeds, labels by name, truncation."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from .checkpoint import GeneratorInfo, read_generator
from .errors import UserError, nearest
from .files import user_path
from .labels.attribute import Row
from .networks import Generator
from .pictures.grids import MOST_ROWS, image_grid
from .pictures.masks import marked_on
from .pixels import dtype_in_units, in_units, nhwc, to_uint8, to_uint16
from .random import Draws

SAMPLING_PRECISIONS = ("fp32", "bf16")


class TrainedGenerator:
    """Makes images. Use `load_generator` to have one.

    classes: the labels' names, () when unlabelled; where labels are attributes, the combinations of their values.
    labels: all that can be asked for (`LabelSpace`). image_shape: (channels, height, width). mask_kinds: what the masks
    show that it makes with its images, () where it makes none.
    """

    def __init__(self, network: Generator, info: GeneratorInfo):
        self.network = network
        self.info = info
        self.classes = info.classes
        self.labels = info.label_space
        self.image_shape = info.network.image_shape
        self.mask_kinds = info.mask_kinds
        self.dtype = np.dtype(np.uint8) if info.window is None else dtype_in_units(info.window)  # of `sample`

    @property
    def device(self) -> torch.device:
        return self.network.w_mean.device

    def sample(
        self,
        seeds: Sequence[int],
        labels: Sequence[str] | None = None,
        truncation_psi: float = 1.0,
        batch_size: int = 32,
    ) -> np.ndarray:
        """[N, H, W, C], one image per seed, with the seed's own z and noise, in the units of the training images: uint8
        from 0 to 255; of a run on images of more than 8 bits uint16 from 0 to 65535, or float32 where their units are
        fractions, negative or above 65535.

        The same seed and label give the same image in any batch, up to rounding. Of a run with transparency C is 4, and
        the colours are multiplied by alpha (`pictures.files.encode` divides them).

        labels: per seed a class name, or attributes: "type=mono,degree=0.67"; those that it does not name are drawn, by
        seed, from the training images that have the named ones. None draws whole labels in the training set's shares.
        truncation_psi: 1 is what was learned; towards 0 images are cleaner and more alike.
        """
        return self.sample_pairs(seeds, labels, truncation_psi, batch_size)[0]

    def sample_pairs(
        self,
        seeds: Sequence[int],
        labels: Sequence[str] | None = None,
        truncation_psi: float = 1.0,
        batch_size: int = 32,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The images of `sample`, and their masks: uint8 [N, H, W, K], for each of mask_kinds the share of a pixel that
        it covers, 255 for all of it; K is 0 where the generator makes no masks."""
        window = self.info.window
        if window is None:
            return self._sample(to_uint8, seeds, labels, truncation_psi, batch_size)
        levels, masks = self._sample(to_uint16, seeds, labels, truncation_psi, batch_size)
        return in_units(levels, window), masks

    def sample_uint8(
        self,
        seeds: Sequence[int],
        labels: Sequence[str] | None = None,
        truncation_psi: float = 1.0,
        batch_size: int = 32,
    ) -> np.ndarray:
        """uint8 [N, H, W, C], from 0 to 255, the images of `sample`: what is shown and measured."""
        return self.shown_pairs(seeds, labels, truncation_psi, batch_size)[0]

    def shown_pairs(
        self,
        seeds: Sequence[int],
        labels: Sequence[str] | None = None,
        truncation_psi: float = 1.0,
        batch_size: int = 32,
    ) -> tuple[np.ndarray, np.ndarray]:
        """The images of `sample_uint8`, and the masks of `sample_pairs`."""
        return self._sample(to_uint8, seeds, labels, truncation_psi, batch_size)

    def _sample(
        self,
        levels: Callable[[Tensor], Tensor],
        seeds: Sequence[int],
        labels: Sequence[str] | None,
        truncation_psi: float,
        batch_size: int,
    ) -> tuple[np.ndarray, np.ndarray]:
        seeds = list(seeds)
        vectors = self.labels.vectors(self.label_rows(seeds, labels))
        images, masks = [], []
        for first in range(0, len(seeds), batch_size):
            part = slice(first, first + batch_size)
            z = self.z(seeds[part])
            c = torch.from_numpy(vectors[part]).to(self.device)
            noise = self.noise(seeds[part])
            batch = self._render(z, c, noise, truncation_psi)
            channels = self.image_shape[0]
            images.append(nhwc(levels(batch[:, :channels])).cpu().numpy())
            masks.append(nhwc(to_uint8(batch[:, channels:])).cpu().numpy())
        if not images:
            channels, height, width = self.image_shape
            nothing = np.zeros((0, height, width, channels), np.uint8)
            return nothing, nothing[:, :, :, :0]
        return np.concatenate(images), np.concatenate(masks)

    def from_z(
        self,
        z: Tensor,
        labels: Sequence[str] | Tensor | None = None,
        truncation_psi: float = 1.0,
        noise: str = "random",
    ) -> Tensor:
        """float32 [N, C + K, H, W], about in [-1, 1] (not clamped), from latents z, [N, z_dim]: images, and behind
        their channels those of mask_kinds, -1 for none and 1 for all of a pixel.

        labels: texts as for `sample`, or label vectors [N, c_dim]. None draws whole labels in the training set's
        shares, a text draws what it does not name, by torch's global generator. noise: "random", also by torch's
        generator; "const", the noise kept in the network; "none".
        """
        z = z.to(self.device)
        return self._render(z, self.label_vectors(labels, len(z)), self._noise(noise, len(z)), truncation_psi)

    def z(self, seeds: Sequence[int]) -> Tensor:
        """The latents of seeds, [N, z_dim]."""
        return self._draws("sample/z", seeds).normal(self.info.network.z_dim)

    def noise(self, seeds: Sequence[int]) -> Tensor:
        """The noise of seeds' images, [N, noise_size]."""
        return self._draws("sample/noise", seeds).normal(self.network.synthesis.noise_size)

    @torch.no_grad()
    def latents(
        self, seeds: Sequence[int], labels: Sequence[str] | None = None, truncation_psi: float = 1.0
    ) -> tuple[Tensor, Tensor, list[str]]:
        """What the images of `sample` are made of: w [N, num_ws, w_dim], noise [N, noise_size], and the texts of their
        labels, [] when unlabelled."""
        rows = self.label_rows(seeds, labels)
        c = torch.from_numpy(self.labels.vectors(rows)).to(self.device)
        w = self.network.truncate(self.network.mapping(self.z(seeds), c), c, truncation_psi)
        texts = [self.labels.text(row) for row in rows] if self.classes else []
        return self.network.broadcast(w).contiguous(), self.noise(seeds), texts

    def labels_for(self, seeds: Sequence[int]) -> list[str]:
        """A label's text per seed, a class name unless there are attributes, in the training set's shares; [] when
        unlabelled."""
        return [self.labels.text(row) for row in self.label_rows(seeds, None)] if self.classes else []

    def label_rows(self, seeds: Sequence[int], labels: Sequence[str] | None) -> list[Row]:
        """The label of each seed's image, with a value for each attribute; labels: as for `sample`. () each when
        unlabelled."""
        if not self.classes:
            if labels:
                raise UserError(f"`label` {labels[0]}: this generator was trained without labels")
            return [()] * len(seeds)
        if labels is not None and len(labels) != len(seeds):
            raise UserError(f"{len(labels)} labels for {len(seeds)} seeds: give one each")
        positions = self._draws("sample/label", seeds).uniform(1).double()[:, 0].cpu().numpy()
        return self.labels.drawn(labels or [None] * len(seeds), positions)

    @torch.inference_mode()
    def _render(self, z: Tensor, c: Tensor, noise: Tensor | None, truncation_psi: float) -> Tensor:
        return self.network(z, c, noise, truncation_psi).float()

    def _draws(self, stream: str, seeds: Sequence[int]) -> Draws:
        return Draws(0, stream, torch.tensor(list(seeds), dtype=torch.int64, device=self.device))

    def label_vectors(self, labels: Sequence[str] | Tensor | None, count: int) -> Tensor:
        """[count, c_dim] of labels as `from_z` takes them."""
        if isinstance(labels, Tensor):
            if labels.shape != (count, self.labels.width):
                raise UserError(
                    f"label vectors of shape {tuple(labels.shape)}: this needs ({count}, {self.labels.width})"
                )
            return labels.to(self.device, torch.float32)
        if not self.classes:
            if labels:
                raise UserError(f"`label` {labels[0]}: this generator was trained without labels")
            return torch.zeros(count, 0, device=self.device)
        if labels is not None and len(labels) != count:
            raise UserError(f"{len(labels)} labels for {count} images: give one each")
        if labels is None:
            shares = torch.tensor(self.labels.counts, dtype=torch.float32, device=self.device)
            rows = [self.labels.rows[index] for index in torch.multinomial(shares, count, replacement=True).tolist()]
        else:
            # of classes nothing has to be drawn
            positions = torch.zeros(count) if self.labels.is_flat else torch.rand(count)
            rows = self.labels.drawn(labels, positions.double().numpy())
        return torch.from_numpy(self.labels.vectors(rows)).to(self.device)

    def _noise(self, noise: str, count: int) -> Tensor | None:
        synthesis = self.network.synthesis
        if noise == "none":
            return None
        if noise == "const":
            return synthesis.noise_constant[None]
        if noise == "random":
            return torch.randn(count, synthesis.noise_size, device=self.device)
        raise UserError(f"noise {noise!r}: no such choice, {nearest(noise, ('random', 'const', 'none'))}")


def load_generator(path: str | Path, device: torch.device | str = "cpu", precision: str = "fp32") -> TrainedGenerator:
    """The trained generator of a run folder, or of a generator.safetensors. Runs no code from the file.

    Of a folder it is the best one that was measured (best.safetensors), or the last where none was; name the file
    RUN/generator.safetensors for the last.

    precision: "bf16" is faster where the device computes in it; an image then differs by a gray level or two, and
    slightly with its batch.
    """
    if precision not in SAMPLING_PRECISIONS:
        raise UserError(f"precision {precision!r}: no such choice, {nearest(precision, SAMPLING_PRECISIONS)}")
    network, info = read_generator(user_path(path), device)
    if precision == "bf16":
        network.synthesis.compute_in(torch.bfloat16)
    return TrainedGenerator(network, info)


def check_truncation_psi(truncation_psi: float, name: str = "truncation_psi") -> None:
    """Raises UserError unless 0 <= truncation_psi <= 2. name: what the user calls it."""
    if not 0 <= truncation_psi <= 2:
        raise UserError(f"`{name}` {truncation_psi}: give a truncation from 0 to 2, 1 is what was learned")


def sample_grid(generator: TrainedGenerator, columns: int = 8, truncation_psi: float = 1.0) -> Image.Image:
    """A row per class or value of an attribute (`LabelSpace.shown`), or 8 rows when unlabelled.

    The image in row i and column j is that of seed i * columns + j, in every grid of so many columns, with the edges of
    what its mask marks if it has one.
    """
    names = generator.labels.shown(MOST_ROWS)
    seeds = list(range((len(names) or 8) * columns))
    labels = [name for name in names for _ in range(columns)]
    images = marked_on(*generator.shown_pairs(seeds, labels or None, truncation_psi))
    rows = [images[first : first + columns] for first in range(0, len(images), columns)]
    return image_grid(rows, names)
