"""A class-conditional DDPM of the library diffusers: its network, its training and its files.

Ho et al. 2020, arXiv 2006.11239, with the cosine schedule of arXiv 2102.09672, the v of arXiv 2202.00512 as what is
predicted, and labels that are dropped at random for classifier-free guidance, arXiv 2207.12598.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import DDPMScheduler, UNet2DModel
from torch import Tensor

from stylegan_ada.datasets import ImageDataset, image_order, mirror_images
from stylegan_ada.pixels import from_uint8
from stylegan_ada.random import Draws
from stylegan_ada.training.state import ema_beta

BATCH = 16  # as the preset demo has it
LEARNING_RATE = 5e-4
WARMUP = 200  # steps
LABELS_DROPPED = 0.1
EMA_KIMG = 5  # half-life of the moving average, as the preset demo has it
SCHEDULE = {"num_train_timesteps": 1000, "beta_schedule": "squaredcos_cap_v2", "prediction_type": "v_prediction"}


@dataclass(frozen=True)
class Moments:
    """When the network is kept: after so many minutes of training, and after so many thousand images."""

    minutes: tuple[float, ...] = ()
    kimg: tuple[float, ...] = ()

    def passed(self, seconds: float, images: int) -> dict[str, bool]:
        """Each moment's name, and whether it has passed."""
        by_time = {f"{minutes:g}min": seconds >= minutes * 60 for minutes in self.minutes}
        return by_time | {f"{kimg:g}kimg": images >= kimg * 1000 for kimg in self.kimg}


def new_unet(dataset: ImageDataset, channels: tuple[int, ...]) -> UNet2DModel:
    """A U-Net with attention at its lowest resolution. Class `len(dataset.classes)` stands for no label."""
    image_channels, height, width = dataset.image_shape
    plain = len(channels) - 1
    return UNet2DModel(
        sample_size=(height, width),
        in_channels=image_channels,
        out_channels=image_channels,
        layers_per_block=1,
        block_out_channels=channels,
        down_block_types=("DownBlock2D",) * plain + ("AttnDownBlock2D",),
        up_block_types=("AttnUpBlock2D",) + ("UpBlock2D",) * plain,
        attention_head_dim=32,
        norm_num_groups=16,
        num_class_embeds=len(dataset.classes) + 1,
    ).to(memory_format=torch.channels_last)


class Teacher:
    """A U-Net in training, its moving average, and how far it is."""

    def __init__(self, dataset: ImageDataset, channels: tuple[int, ...], mirror: str | None, seed: int):
        torch.manual_seed(seed)
        self.dataset, self.mirror, self.seed = dataset, mirror, seed
        self.unet, self.average = new_unet(dataset, channels), new_unet(dataset, channels)
        self.average.load_state_dict(self.unet.state_dict())
        self.noise_schedule = DDPMScheduler(**SCHEDULE)
        self.optimizer = torch.optim.AdamW(self.unet.parameters(), lr=LEARNING_RATE, fused=True)
        self.images_seen = 0

    def step(self) -> Tensor:
        """One step on one batch. Returns its loss, the mean square of the error in v."""
        images, labels = self._batch()
        for group in self.optimizer.param_groups:
            group["lr"] = LEARNING_RATE * min(1.0, (self.images_seen / BATCH + 1) / WARMUP)
        time_steps = torch.randint(0, SCHEDULE["num_train_timesteps"], (BATCH,))
        noise = torch.randn_like(images)
        noisy = self.noise_schedule.add_noise(images, noise, time_steps)
        v = self.noise_schedule.get_velocity(images, noise, time_steps)
        loss = (self.unet(noisy, time_steps, labels).sample - v).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        self.images_seen += BATCH
        beta = ema_beta(BATCH, self.images_seen, EMA_KIMG, 0.05)
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.unet.parameters()), 1 - beta)
        return loss.detach()

    def _batch(self) -> tuple[Tensor, Tensor]:
        """Images in the order in which a run of ours sees them, [N, C, H, W] in [-1, 1], and their classes [N]."""
        dataset = self.dataset
        chosen = image_order(len(dataset), self.seed, self.images_seen, BATCH)
        images = from_uint8(torch.from_numpy(dataset.images[chosen]))
        indices = torch.arange(self.images_seen, self.images_seen + BATCH)
        images = mirror_images(images, self.mirror, Draws(self.seed, "real/mirror", indices))
        labels = torch.zeros(BATCH, dtype=torch.int64)
        if dataset.labels is not None:
            labels = torch.from_numpy(np.asarray(dataset.labels)[chosen])
        return images, torch.where(torch.rand(BATCH) < LABELS_DROPPED, len(dataset.classes), labels)


def train_teacher(teacher: Teacher, out: Path, moments: Moments, say: Callable[[str], None]) -> None:
    """Trains until all moments have passed, and keeps the moving average at each, as out/MOMENT."""
    done: set[str] = set()
    seconds, losses = 0.0, []
    while not all(moments.passed(seconds, teacher.images_seen).values()):
        start = time.perf_counter()
        losses.append(teacher.step())
        seconds += time.perf_counter() - start
        if teacher.images_seen % (64 * BATCH) == 0:
            loss, losses = float(torch.stack(losses).mean()), []
            say(f"{teacher.images_seen / 1000:8.1f} kimg | {seconds / 60:5.1f} min | loss {loss:.4f}")
        for moment, passed in moments.passed(seconds, teacher.images_seen).items():
            if passed and moment not in done:
                done.add(moment)
                teacher.average.save_pretrained(out / moment)
                say(f"kept {moment} at {teacher.images_seen / 1000:.1f} kimg, {seconds / 60:.1f} min")


def load_unet(folder: Path) -> UNet2DModel:
    """A network that was kept."""
    unet = UNet2DModel.from_pretrained(folder, local_files_only=True, low_cpu_mem_usage=False)
    return unet.eval().to(memory_format=torch.channels_last)
