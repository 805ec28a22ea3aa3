"""Distil a diffusion model of many steps into a student of one: python add.py DATA SIZE TEACHER OUT MINUTES

DATA is a folder of images in a subfolder per class, TEACHER a UNet2DModel of diffusers, with a class more for "none",
that predicts v. ADD (arXiv 2311.17042) in a small form: the discriminator sees pixels instead of a large network's
features, and the student starts from pure noise alone. distil.py, which begins with pairs, did better here.
"""

import copy
import sys
import time

import torch
from diffusers import DDPMScheduler, UNet2DModel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import stylegan_ada

DATA, SIZE, TEACHER, OUT, MINUTES = sys.argv[1:]
BATCH, TEACHER_WEIGHT = 16, 2.5  # the weight is lambda of the paper

dataset = stylegan_ada.load_dataset(DATA, stylegan_ada.Preparation(size=int(SIZE)))
images, labels = torch.tensor(dataset.images), torch.tensor(dataset.labels)  # uint8 [N, C, H, W], int64 [N]
teacher = UNet2DModel.from_pretrained(TEACHER, local_files_only=True, low_cpu_mem_usage=False).requires_grad_(False)
student = copy.deepcopy(teacher.to(memory_format=torch.channels_last)).train().requires_grad_(True)
average = AveragedModel(student, multi_avg_fn=get_ema_multi_avg_fn(0.998))
optimizer = torch.optim.Adam(student.parameters(), lr=2e-4, betas=(0.0, 0.99))
schedule = DDPMScheduler(beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction")
loss = stylegan_ada.AdversarialLoss(  # as the preset demo of `stylegan-ada train` has it
    dataset, channel_base=2048, channel_max=64, gamma=0.02, learning_rate=0.005, ada_kimg=100
)


def denoised(unet: UNet2DModel, noisy: torch.Tensor, t: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    """The image that the network sees in a noisy one at time steps t [N]: alpha x - sigma v."""
    product = schedule.alphas_cumprod[t][:, None, None, None]
    return product.sqrt() * noisy - (1 - product).sqrt() * unet(noisy, t, c).sample


end = time.monotonic() + 60 * float(MINUTES)
while time.monotonic() < end:
    chosen = torch.randint(len(images), (BATCH,))
    real, c = images[chosen] / 127.5 - 1, labels[chosen]
    for side in (2, 3):  # leave this out where mirror images are wrong
        real = torch.where(torch.rand(BATCH, 1, 1, 1) < 0.5, real.flip(side), real)
    fake = denoised(student, torch.randn_like(real), torch.full((BATCH,), len(schedule) - 1), c)
    t = torch.randint(len(schedule), (BATCH,))
    with torch.no_grad():
        target = denoised(teacher, schedule.add_noise(fake, torch.randn_like(fake), t), t, c)
    alpha = schedule.alphas_cumprod[t].sqrt()[:, None, None, None]  # c(t) of the paper
    distance = (alpha * (fake - target).square()).mean()
    optimizer.zero_grad()
    (loss.generator_loss(fake, c) + TEACHER_WEIGHT * distance).backward()
    optimizer.step()
    average.update_parameters(student)
    found = loss.discriminator_step(real, fake, c)
    if loss.steps % 64 == 0:
        print(f"{loss.images_seen} images: D {found.loss:.3f}, r {found.r:+.2f}, teacher {distance:.4f}", flush=True)
average.module.save_pretrained(OUT)
