"""Distil a diffusion model of many steps into a student of one: python distil.py DATA SIZE TEACHER OUT MINUTES

DATA is a folder of images in a subfolder per class, TEACHER a UNet2DModel of diffusers, with a class more for "none",
that predicts v. ADD (Sauer et al. 2023, arXiv 2311.17042) in a small form: the discriminator sees pixels instead of a
large network's features, and the student starts from pure noise alone.
"""

import sys
import time

import torch
from diffusers import DDPMScheduler, UNet2DModel

import stylegan_ada

DATA, SIZE, TEACHER, OUT, MINUTES = sys.argv[1:]
BATCH, TEACHER_WEIGHT = 16, 2.5  # the weight is lambda of the paper

torch.manual_seed(0)
dataset = stylegan_ada.load_dataset(DATA, stylegan_ada.Preparation(size=int(SIZE)))
images = torch.tensor(dataset.images)  # uint8 [N, C, H, W]
labels = torch.tensor(dataset.labels)
teacher = UNet2DModel.from_pretrained(TEACHER, low_cpu_mem_usage=False).eval().requires_grad_(False)
student = UNet2DModel.from_pretrained(TEACHER, low_cpu_mem_usage=False).train()
average = torch.optim.swa_utils.AveragedModel(
    student, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998), use_buffers=True
)
optimizer = torch.optim.Adam(student.parameters(), lr=2e-4, betas=(0.0, 0.99))
schedule = DDPMScheduler(beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction")
loss = stylegan_ada.AdversarialLoss(dataset, gamma=0.02, learning_rate=0.005, ada_kimg=100)


def denoised(unet: UNet2DModel, noisy: torch.Tensor, t: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    """The image that the network sees in a noisy one at time steps t [N]: alpha x - sigma v."""
    product = schedule.alphas_cumprod[t][:, None, None, None]
    return product.sqrt() * noisy - (1 - product).sqrt() * unet(noisy, t, c).sample


end, step = time.monotonic() + 60 * float(MINUTES), 0
while time.monotonic() < end:
    chosen = torch.randint(len(images), (BATCH,))
    real, c = images[chosen] / 127.5 - 1, labels[chosen]
    last = torch.full((BATCH,), len(schedule) - 1)
    fake = denoised(student, torch.randn_like(real), last, c)

    t = torch.randint(len(schedule), (BATCH,))
    with torch.no_grad():
        target = denoised(teacher, schedule.add_noise(fake, torch.randn_like(fake), t), t, c)
    alpha = schedule.alphas_cumprod[t].sqrt()[:, None, None, None]  # c(t) of the paper
    distance = (alpha * (fake - target).square()).mean()
    adversarial = loss.generator_loss(fake, c)
    optimizer.zero_grad()
    (adversarial + TEACHER_WEIGHT * distance).backward()
    optimizer.step()
    average.update_parameters(student)

    found = loss.discriminator_step(real, fake, c)
    step += 1
    if step % 64 == 0:
        print(
            f"{step * BATCH} images: adversarial {adversarial:.3f}, teacher {distance:.4f}, p {found.p:.3f}", flush=True
        )
average.module.save_pretrained(OUT)
