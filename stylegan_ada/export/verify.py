"""A written file against the network that it was made of."""

from collections.abc import Callable

import torch
from torch import Tensor

from ..errors import UserError
from .parts import ExportedPart

BATCHES_AND_PSIS = ((1, 0.7), (2, 1.0), (5, 0.0))  # none the traced batch
FLOAT_TOLERANCE = 1e-3
UINT8_TOLERANCE = 1  # gray level


def largest_difference(part: ExportedPart, run: Callable[[dict[str, Tensor]], Tensor]) -> float:
    """The largest difference between `run`, the written file, and the network, on inputs drawn anew at three batch
    sizes. UserError where it is above 1e-3 (or a gray level), or not a number."""
    tolerance = UINT8_TOLERANCE if part.uint8 else FLOAT_TOLERANCE
    largest = 0.0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for batch, truncation_psi in BATCHES_AND_PSIS:
            inputs = part.example(batch, truncation_psi)
            with torch.inference_mode():
                expected = part(**inputs)
            found = run(inputs)
            if found.shape != expected.shape or found.dtype != expected.dtype:
                raise UserError(
                    f"the exported file gives {found.dtype} {list(found.shape)} at batch {batch} and the network "
                    f"{expected.dtype} {list(expected.shape)}: nothing was kept, please report it"
                )
            difference = (found.double() - expected.double()).abs().max().item()
            if not difference <= tolerance:
                raise UserError(
                    f"the exported file differs from the network by {difference:.3g} at batch {batch} (up to "
                    f"{tolerance:g} is rounding): nothing was kept, check the versions of torch and onnxruntime"
                )
            largest = max(largest, difference)
    return largest
