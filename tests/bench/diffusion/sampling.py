"""Images of a trained U-Net, by DDIM (arXiv 2010.02502) or DPM-Solver++ (arXiv 2211.01095), in few steps."""

import torch
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, UNet2DModel
from torch import Tensor

from stylegan_ada.random import Draws

from .teacher import SCHEDULE

SOLVERS = {
    "ddim": lambda: DDIMScheduler(**SCHEDULE, timestep_spacing="trailing", clip_sample=False),
    "dpm": lambda: DPMSolverMultistepScheduler(**SCHEDULE, timestep_spacing="trailing", final_sigmas_type="zero"),
}


@torch.inference_mode()
def sample(
    unet: UNet2DModel, seeds: list[int], labels: Tensor, *, solver: str, steps: int, guidance: float = 1.0
) -> Tensor:
    """[N, C, H, W], about in [-1, 1], one image per seed, which gives its noise.

    labels: int64 [N] classes. steps: a divisor of 1000, or diffusers' DDIM would ask for other time steps than it
    takes. guidance: the weight w of arXiv 2207.12598 plus one; 1 is none, and costs half.
    """
    if SCHEDULE["num_train_timesteps"] % steps:
        raise ValueError(f"{steps} steps: give a divisor of {SCHEDULE['num_train_timesteps']}")
    schedule = SOLVERS[solver]()
    schedule.set_timesteps(steps)
    images = start_noise(unet, seeds)
    nothing = torch.full_like(labels, unet.config.num_class_embeds - 1)
    for time_step in schedule.timesteps:
        noisy = schedule.scale_model_input(images, time_step)
        predicted = unet(noisy, time_step, labels).sample
        if guidance != 1:
            without = unet(noisy, time_step, nothing).sample
            predicted = without + guidance * (predicted - without)
        images = schedule.step(predicted, time_step, images).prev_sample
    return images


def start_noise(unet: UNet2DModel, seeds: list[int]) -> Tensor:
    """Standard normal [N, C, H, W], each image's by its seed."""
    height, width = unet.config.sample_size
    draws = Draws(0, "diffusion/noise", torch.tensor(seeds))
    return draws.normal(unet.config.in_channels, height, width).contiguous(memory_format=torch.channels_last)


def one_step(unet: UNet2DModel, noise: Tensor, labels: Tensor) -> Tensor:
    """The image that a network that predicts v makes of pure noise: x0 = alpha x - sigma v at the last time step."""
    alphas = DDIMScheduler(**SCHEDULE).alphas_cumprod
    last = len(alphas) - 1
    v = unet(noise, last, labels).sample
    return alphas[last].sqrt() * noise - (1 - alphas[last]).sqrt() * v
