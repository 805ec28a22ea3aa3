"""The computation of each phase of a step: draws, networks, augmentation and losses put together.

A phase's function takes one micro-batch and yields losses [N], each to be differentiated before the next is computed.
What it learns on the way (means of w, path lengths, logits) gathers in `StepStatistics` and is applied after the step.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from ...augment import AugmentPipe
from ...config import TrainingConfig
from ...networks import Discriminator, Generator
from ...random import Draws
from . import losses


@dataclass(frozen=True)
class MicroBatch:
    """Some images of a step. Everything random about them follows from their indices."""

    first: int  # the first image's place in the endless stream of real images
    indices: Tensor  # int64 [N], all images' places; consecutive, but for those that `every` takes
    images: Tensor  # [N, all_channels, H, W] in [-1, 1], mirrored already
    c: Tensor  # [N, c_dim], the real images' label vectors

    def first_ones(self, count: int) -> "MicroBatch":
        """The first `count` images."""
        return MicroBatch(self.first, self.indices[:count], self.images[:count], self.c[:count])

    def every(self, step: int) -> "MicroBatch":
        """The images whose index is a multiple of `step`, perhaps none."""
        part = slice(-self.first % step, None, step)
        return MicroBatch(self.first - self.first % -step, self.indices[part], self.images[part], self.c[part])


@dataclass
class StepStatistics:
    """Sums over the images of a step that this process saw."""

    w: list[Tensor] = field(default_factory=list)  # of Generator.w_statistics
    path_lengths: list[Tensor] = field(default_factory=list)  # [N] each
    real_logits: list[Tensor] = field(default_factory=list)  # [N] per micro-batch, of phase D
    fake_logits: list[Tensor] = field(default_factory=list)


class Objective:
    """The four phases of StyleGAN2 with ADA."""

    def __init__(
        self,
        generator: Generator,
        discriminator: Discriminator,
        pipe: AugmentPipe | None,
        p: Tensor,
        path_length_mean: Tensor,
        label_table: Tensor,
        config: TrainingConfig,
    ):
        """label_table: [number of training images, c_dim], the label vectors that generated images draw from.
        p, path_length_mean: scalars on the device, updated in place by their owner."""
        self.generator = generator
        self.discriminator = discriminator
        self.pipe = pipe
        self.p = p
        self.path_length_mean = path_length_mean
        self.label_table = label_table
        self.config = config
        self.statistics = StepStatistics()

    def generator_main(self, batch: MicroBatch) -> Iterator[Tensor]:
        """Non-saturating loss; the means of w are gathered here."""
        images, c, _ = self._generate(batch, "G")
        logits = self._judge(images, c, batch, "G/augment")
        yield self._of_heads(losses.generator_loss(logits))

    def path_length(self, batch: MicroBatch) -> Iterator[Tensor]:
        """Path length regularisation, arXiv 1912.04958, section 3.2; no augmentation, no discriminator. Part of the
        batch is enough for it, and stands for the whole."""
        batch = batch.every(self.config.pl_every)
        images, _, ws = self._generate(batch, "G_pl", gather_w=False)
        image_noise = self._draws("G_pl/image", batch).normal(*images.shape[1:]).to(images.dtype)
        lengths = losses.path_lengths(images, ws, image_noise)
        self.statistics.path_lengths.append(lengths.detach())
        weight = self.config.pl_weight * self.config.pl_every
        yield weight * losses.path_length_penalty(lengths, self.path_length_mean)

    def discriminator_main(self, batch: MicroBatch) -> Iterator[Tensor]:
        """Logistic loss on generated, then on real images."""
        with torch.no_grad():
            fake_images, fake_c, _ = self._generate(batch, "D", gather_w=False)
        fake_logits = self._judge(fake_images, fake_c, batch, "D/augment_fake")
        self.statistics.fake_logits.append(self._of_heads(fake_logits.detach()))
        yield self._of_heads(losses.discriminator_loss(fake_logits, real=False))
        real_logits = self._judge(batch.images, batch.c, batch, "D/augment_real")
        self.statistics.real_logits.append(self._of_heads(real_logits.detach()))
        yield self._of_heads(losses.discriminator_loss(real_logits, real=True))

    def r1(self, batch: MicroBatch) -> Iterator[Tensor]:
        """R1 on real images, through the augmentation."""
        images = batch.images.detach().requires_grad_(True)
        logits = self._judge(images, batch.c, batch, "D_r1/augment")
        yield self.config.gamma / 2 * losses.r1_penalty(self._of_heads(logits), images)

    @torch.no_grad()
    def judge_real(self, batch: MicroBatch) -> Tensor:
        """Logits [N] of held-out images, augmented as training images are."""
        return self._of_heads(self._judge(batch.images, batch.c, batch, "holdout/augment"))

    def _generate(self, batch: MicroBatch, phase: str, gather_w: bool = True) -> tuple[Tensor, Tensor, Tensor]:
        """Images of as many draws as the micro-batch has images -> images, c, ws."""
        generator = self.generator
        dtype = batch.images.dtype
        draws = self._draws(f"{phase}/z", batch)
        z = draws.normal(generator.config.z_dim).to(dtype)
        mixing_z = draws.normal(generator.config.z_dim).to(dtype)
        chance, layer = draws.uniform(2).unbind(dim=1)
        c = self.label_table[draws.integers(len(self.label_table))]
        w = generator.mapping(z, c)
        if gather_w:
            self.statistics.w.append(generator.w_statistics(w, c))
        ws = generator.broadcast(w)
        if self.config.style_mixing > 0:
            ws = self._mix(ws, generator.mapping(mixing_z, c), chance, layer)
        if torch.is_grad_enabled():
            ws.requires_grad_(True)  # for path lengths, also where the mapping is frozen
        noise = self._draws(f"{phase}/noise", batch).normal(generator.synthesis.noise_size).to(dtype)
        return generator.synthesis(ws, noise), c, ws

    def _mix(self, ws: Tensor, other_w: Tensor, chance: Tensor, layer: Tensor) -> Tensor:
        """Style mixing, arXiv 1812.04948, section 3.1: from a random layer upwards another w, with a probability."""
        num_ws = ws.shape[1]
        first = 1 + (layer * (num_ws - 1)).long()  # 1 ... num_ws - 1
        first = torch.where(chance < self.config.style_mixing, first, num_ws)
        mixed = torch.arange(num_ws, device=ws.device) >= first[:, None]  # [N, num_ws]
        return torch.where(mixed[:, :, None], other_w[:, None], ws)

    def _judge(self, images: Tensor, c: Tensor, batch: MicroBatch, stream: str) -> Tensor:
        if self.pipe is not None:
            images = self.pipe(images, self._draws(stream, batch), self.p)
        return self.discriminator(images, c)

    def _of_heads(self, values: Tensor) -> Tensor:
        """[N] of a transitional discriminator's [N, 2], logits or losses: L_unconditional + weight * L_conditional of
        transitional training (arXiv 2201.06578), divided by 1 + weight, so that R1 and what is logged keep their scale.
        Values [N] stay as they are."""
        weight = self.generator.mapping.label_weight
        return values if weight is None else (values[:, 0] + weight * values[:, 1]) / (1 + weight)

    def _draws(self, stream: str, batch: MicroBatch) -> Draws:
        return Draws(self.config.seed, stream, batch.indices)
