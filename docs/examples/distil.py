"""Distil a diffusion model of many steps into a student of one: python distil.py DATA SIZE TEACHER OUT MINUTES

DATA is a folder of images in a subfolder per class, TEACHER a UNet2DModel of diffusers, with a class more for "none",
that predicts v. A quarter of the time the teacher makes images of noise, a quarter the student learns to make the same
of it in one step (arXiv 2101.02388), and then to deceive a discriminator, too (arXiv 2405.05967).
"""

import copy
import sys
import time

import torch
from diffusers import DDIMScheduler, UNet2DModel
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

import stylegan_ada

DATA, SIZE, TEACHER, OUT, MINUTES = sys.argv[1:]
BATCH, STEPS, PAIRS_WEIGHT = 16, 20, 30
dataset = stylegan_ada.load_dataset(DATA, stylegan_ada.Preparation(size=int(SIZE)))
images, labels = torch.tensor(dataset.images), torch.tensor(dataset.labels)  # uint8 [N, C, H, W], int64 [N]
teacher = UNet2DModel.from_pretrained(TEACHER, local_files_only=True, low_cpu_mem_usage=False).requires_grad_(False)
student = copy.deepcopy(teacher.to(memory_format=torch.channels_last)).train().requires_grad_(True)
average = AveragedModel(student, multi_avg_fn=get_ema_multi_avg_fn(0.998))
optimizer = torch.optim.Adam(student.parameters(), lr=5e-4, betas=(0.0, 0.99))
schedule = DDIMScheduler(
    beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction", timestep_spacing="trailing", clip_sample=False
)
schedule.set_timesteps(STEPS)
loss = stylegan_ada.AdversarialLoss(  # as the preset demo of `stylegan-ada train` has it
    dataset, channel_base=2048, channel_max=64, gamma=0.02, learning_rate=0.005, ada_kimg=100
)
start, seconds = time.monotonic(), 60 * float(MINUTES)
pairs: list[tuple[torch.Tensor, ...]] = []
while not pairs or time.monotonic() < start + seconds / 4:
    noise, c = torch.randn(64, *images.shape[1:]), labels[torch.randint(len(labels), (64,))]
    made = noise
    for t in schedule.timesteps:
        made = schedule.step(teacher(made, t, c).sample, t, made).prev_sample
    pairs.append((noise, made, c))
all_noise, all_made, all_c = map(torch.cat, zip(*pairs, strict=True))
start = time.monotonic()
while (trained := time.monotonic() - start) < seconds * 3 / 4:
    chosen, pair = torch.randint(len(images), (BATCH,)), torch.randint(len(all_c), (BATCH,))
    real, noise, made, c = images[chosen] / 127.5 - 1, all_noise[pair], all_made[pair], all_c[pair]
    for side in (2, 3):  # leave this out where mirror images are wrong
        one, other = torch.rand(2, BATCH, 1, 1, 1) < 0.5
        real = torch.where(one, real.flip(side), real)
        noise, made = torch.where(other, noise.flip(side), noise), torch.where(other, made.flip(side), made)
    fake = -student(noise, len(schedule) - 1, c).sample  # of pure noise v is minus the image
    distance = (fake - made).square().mean()
    deceives = trained > seconds / 4
    optimizer.zero_grad()
    (PAIRS_WEIGHT * distance + (loss.generator_loss(fake, c) if deceives else 0)).backward()
    optimizer.step()
    average.update_parameters(student)
    found = loss.discriminator_step(real, fake, labels[chosen], c) if deceives else None
    if found and loss.steps % 64 == 0:
        print(f"{loss.images_seen} images: D {found.loss:.3f}, r {found.r:+.2f}, pairs {distance:.4f}", flush=True)
average.module.save_pretrained(OUT)
