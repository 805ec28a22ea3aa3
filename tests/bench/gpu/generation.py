"""Images of 256x256 from random weights: how long one and sixteen take, as called and as a captured graph."""

from collections.abc import Callable

import torch

from stylegan_ada.config import NetworkConfig
from stylegan_ada.networks import Generator

from .rows import Rows
from .timing import attempt, eager_seconds, graph_seconds

PRECISIONS = ("bf16", "fp32")
BATCHES = (1, 16)


def images(count: int, precision: str, device: torch.device) -> Callable[[], None]:
    """What generates `count` images."""
    side, base = (256, 16384) if device.type == "cuda" else (32, 256)
    config = NetworkConfig(channels=3, height=side, width=side, channel_base=base, precision=precision)
    generator = Generator(config).eval().requires_grad_(False).to(device)
    generator.synthesis.compute_in(torch.bfloat16 if precision == "bf16" else None)
    noise = generator.synthesis.noise_constant[None]
    z, c = torch.randn(count, config.z_dim, device=device), torch.empty(count, 0, device=device)

    def run() -> None:
        with torch.no_grad():
            generator(z, c, noise)

    return run


def eager(rows: Rows, device: torch.device) -> None:
    for precision in PRECISIONS:
        for batch in BATCHES:
            with attempt(rows, what := f"{batch} images, {precision}"):
                rows.value(what, eager_seconds(images(batch, precision, device), device, 30) * 1000, "ms")


def graph(rows: Rows, device: torch.device) -> None:
    if device.type != "cuda":
        rows.add("captured graph", left_out="it needs CUDA")
        return
    with torch.cuda.stream(torch.cuda.Stream()):
        for precision in PRECISIONS:
            for batch in BATCHES:
                with attempt(rows, what := f"{batch} images, {precision}, captured"):
                    rows.value(what, graph_seconds(images(batch, precision, device)) * 1000, "ms")
