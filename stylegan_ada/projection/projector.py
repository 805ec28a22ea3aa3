"""Latents that reproduce images. StyleGAN2 (arXiv 1912.04958), appendix D."""

import copy
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import UserError, check_least, nearest
from ..pixels import from_uint8, nchw, nhwc, to_uint8
from ..progress import Progress
from ..random import Draws
from ..sampling import TrainedGenerator
from .distance import Distance, make_distance
from .quality import psnr, ssim
from .search import Search, Watch
from .starts import Starts, find_starts, sample_w, start_distances
from .tuning import Deltas, tuned
from .tuning import tune as fine_tune

SPACES = ("w", "w+")


@dataclass(frozen=True, eq=False)
class Projection:
    """The results of `project`, for N images.

    w: [N, num_ws, w_dim]. noise: [N, noise_size]. distances: [N], the perceptual ones. untuned_distances: [N], those
    before tuning, the same without. labels: the class of each, () without classes. images: uint8 [N, H, W, C], the
    reconstructions. psnr, ssim: [N], of these, inside the mask where there is one. deltas: per image what tuning adds
    to the weights (`tuned`), () without tuning. masks: uint8 [N, H, W, K], what the generator marks in its
    reconstructions (`TrainedGenerator.sample_pairs`), of which nothing was known to the search; K is 0 without masks.
    """

    w: Tensor
    noise: Tensor
    distances: NDArray[np.float32]
    untuned_distances: NDArray[np.float32]
    labels: tuple[str, ...]
    images: NDArray[np.uint8]
    psnr: NDArray[np.float64]
    ssim: NDArray[np.float64]
    masks: NDArray[np.uint8]
    deltas: tuple[Deltas, ...] = field(default=())


def project(
    generator: TrainedGenerator,
    images: NDArray[np.uint8],
    labels: Sequence[str] | Literal["search"] | None = None,
    *,
    space: str = "w+",
    steps: int = 500,
    distance: str | Distance = "vgg",
    mask: NDArray[np.floating] | None = None,
    tune: bool = False,
    candidates: int = 100,
    seed: int = 0,
    batch: int = 8,
    progress: Progress | None = None,
) -> Projection:
    """Finds w and noise that reproduce images, uint8 [N, H, W, C] of the generator's shape.

    labels: of a labelled generator the class of each, or a text of attributes, of which what is not named is drawn; or
    "search" for the class whose samples come nearest. They choose where the search starts. space: "w+" has a w per
    layer and reproduces more; in "w", one for all, images stay more like those that were learned. mask: [N, H, W] or
    [1, H, W], from 0 to 1: what counts. tune: also fine-tunes the generator to each image, in half as many steps more.
    candidates: sampled latents per class from which, and from the class's mean, the best is the start.
    batch: images at once; a result depends on it by rounding only. progress: called with images done and their number.
    UserError for what does not fit the generator.
    """
    names = _check(generator, images, labels, mask)
    check_least("batch", batch, 1)
    measure = make_distance(distance, generator.device) if isinstance(distance, str) else distance
    projector = Projector(generator, measure, space=space, steps=steps, tune=tune, candidates=candidates, seed=seed)
    parts = []
    for first in range(0, len(images), batch):
        part = slice(first, first + batch)
        inside = mask if mask is None or len(mask) == 1 else mask[part]
        parts.append(projector(images[part], names[part], inside))
        if progress is not None:
            progress(min(first + batch, len(images)), len(images))
    return _join(parts)


class Projector:
    """`project`, for one batch after another: what a class's search starts from is found once. Options as there."""

    def __init__(
        self,
        generator: TrainedGenerator,
        distance: Distance,
        *,
        space: str = "w+",
        steps: int = 500,
        tune: bool = False,
        candidates: int = 100,
        seed: int = 0,
    ):
        if generator.image_shape[0] == 4:
            raise UserError("no distance sees the transparency that this generator makes: project by another")
        if space not in SPACES:
            raise UserError(f"`space` {space}: no such choice, {nearest(space, SPACES)}")
        check_least("steps", steps, 1)
        check_least("candidates", candidates, 1)
        check_least("seed", seed, 0)
        self.generator, self.distance = generator, distance
        self.space, self.steps, self.tune, self.candidates, self.seed = space, steps, tune, candidates, seed
        self._starts: dict[str | None, Starts] = {}

    def __call__(
        self,
        images: NDArray[np.uint8],
        labels: Sequence[str] = (),
        mask: NDArray[np.floating] | None = None,
        watch: Watch | None = None,
    ) -> Projection:
        """Projects images, uint8 [N, H, W, C], at once. labels: a class each, or () to search it where there are any.

        mask: [N, H, W] or [1, H, W]. None of these is checked, as `project` does. watch: as for `Search.run`.
        """
        generator, distance = self.generator, self.distance
        targets = from_uint8(nchw(torch.from_numpy(images.copy())).to(generator.device))
        inside = None if mask is None else torch.from_numpy(np.float32(mask))[:, None].to(generator.device)
        kinds = dict.fromkeys(labels or generator.classes or (None,))
        starts = {kind: self._start(kind) for kind in kinds}
        if not generator.labels.is_flat:
            self._starts = starts  # labels with numbers have no end
        w, spread, found = _choose(starts, labels, targets, distance, inside)
        draws = Draws(self.seed, "project", _keys(targets, inside))
        w, noise = Search(generator, targets, inside, distance, self.space, self.steps).run(w, spread, draws, watch)
        deltas: tuple[Deltas, ...] = ()
        if self.tune:
            deltas = _tune_each(generator, w, noise, targets, inside, distance, found, self.steps // 2, self.seed)
        return _result(generator, w, noise, targets, inside, distance, found, deltas)

    def without_tuning(self) -> "Projector":
        """The same, down to what is known of the classes."""
        other = copy.copy(self)
        other.tune = False
        return other

    def _start(self, label: str | None) -> Starts:
        if label not in self._starts:
            self._starts[label] = find_starts(self.generator, label, self.candidates, self.seed)
        return self._starts[label]


def _check(
    generator: TrainedGenerator,
    images: NDArray[np.uint8],
    labels: Sequence[str] | Literal["search"] | None,
    mask: NDArray[np.floating] | None,
) -> list[str]:
    """The labels given, [] where there are none or they are to be searched."""
    channels, height, width = generator.image_shape
    if images.dtype != np.uint8 or images.shape[1:] != (height, width, channels) or not len(images):
        shape = f"{images.dtype} {list(images.shape)}"
        raise UserError(f"images are {shape}: this generator takes uint8 [N, {height}, {width}, {channels}]")
    if mask is not None and (
        mask.shape not in ((1, height, width), (len(images), height, width)) or not mask.any(axis=(1, 2)).all()
    ):
        raise UserError(f"the mask is {list(mask.shape)}: give [{height}, {width}] for each image, not all zero")
    if not generator.classes:
        if labels:
            raise UserError("labels: this generator was trained without labels")
        return []
    if labels is None:
        raise UserError('give a label for each image, or "search"')
    if isinstance(labels, str):
        if labels != "search":
            raise UserError(f'labels {labels!r}: give a list of one each, or "search"')
        return []
    generator.label_vectors(labels, len(images))  # names one that is no class
    return list(labels)


def _keys(targets: Tensor, mask: Tensor | None) -> Tensor:
    """int64 [N]: an image's random numbers depend on what counts in it, not on its place among others."""
    shown = targets if mask is None else targets * mask
    # 0.0 is added since -0.0 is other bytes
    digests = [hashlib.sha256(part.cpu().contiguous().numpy().tobytes()).digest()[:8] for part in shown + 0.0]
    return torch.tensor([int.from_bytes(part, "little", signed=True) for part in digests], device=targets.device)


def _choose(
    starts: dict[str | None, Starts],
    names: Sequence[str],
    targets: Tensor,
    distance: Distance,
    mask: Tensor | None,
) -> tuple[Tensor, Tensor, list[str | None]]:
    """The best start [N, w_dim] of each target, the spread there [N] and the class: the one named, or the best."""
    tried = {name: start_distances(part, targets, distance, mask) for name, part in starts.items()}
    kinds = list(tried)
    best = torch.stack([part.min(dim=1).values for part in tried.values()]).argmin(dim=0)  # [N], among the kinds
    found: list[str | None] = [kinds[index] for index in best.tolist()] if not names else [*names]
    w = torch.stack([starts[name].w[tried[name][index].argmin()] for index, name in enumerate(found)])
    return w, torch.stack([starts[name].spread for name in found]), found


def _tune_each(
    generator: TrainedGenerator,
    w: Tensor,
    noise: Tensor,
    targets: Tensor,
    mask: Tensor | None,
    distance: Distance,
    labels: list[str | None],
    steps: int,
    seed: int,
) -> tuple[Deltas, ...]:
    """Tunes one by one: tuned together, an image's result would depend on the others."""
    deltas = []
    for index, label in enumerate(labels):
        one = slice(index, index + 1)
        inside = mask if mask is None or len(mask) == 1 else mask[one]
        samples = sample_w(generator, label, seed=seed)
        deltas.append(
            fine_tune(
                generator, w[one], noise[one], targets[one], samples, distance, mask=inside, steps=steps, seed=seed
            )
        )
    return tuple(deltas)


@torch.no_grad()
def _result(
    generator: TrainedGenerator,
    w: Tensor,
    noise: Tensor,
    targets: Tensor,
    mask: Tensor | None,
    distance: Distance,
    labels: list[str | None],
    deltas: tuple[Deltas, ...],
) -> Projection:
    channels = targets.shape[1]
    made = generator.network.synthesis(w, noise).float()
    untuned = distance(made[:, :channels], targets, mask).cpu().numpy()
    if deltas:
        networks = [tuned(generator, part).network.synthesis for part in deltas]
        made = torch.cat([net(w[i : i + 1], noise[i : i + 1]).float() for i, net in enumerate(networks)])
    images = made[:, :channels]
    found, wanted = (nhwc(to_uint8(part)).cpu().numpy() for part in (images, targets))
    weights = None if mask is None else mask[:, 0].cpu().numpy()
    return Projection(
        w=w,
        noise=noise,
        distances=distance(images, targets, mask).cpu().numpy() if deltas else untuned,
        untuned_distances=untuned,
        labels=tuple(label for label in labels if label is not None),
        images=found,
        psnr=psnr(found, wanted, weights),
        ssim=ssim(found, wanted, weights),
        masks=nhwc(to_uint8(made[:, channels:])).cpu().numpy(),
        deltas=deltas,
    )


def _join(parts: list[Projection]) -> Projection:
    return Projection(
        w=torch.cat([part.w for part in parts]),
        noise=torch.cat([part.noise for part in parts]),
        distances=np.concatenate([part.distances for part in parts]),
        untuned_distances=np.concatenate([part.untuned_distances for part in parts]),
        labels=tuple(label for part in parts for label in part.labels),
        images=np.concatenate([part.images for part in parts]),
        psnr=np.concatenate([part.psnr for part in parts]),
        ssim=np.concatenate([part.ssim for part in parts]),
        masks=np.concatenate([part.masks for part in parts]),
        deltas=tuple(delta for part in parts for delta in part.deltas),
    )
