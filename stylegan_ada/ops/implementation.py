"""The choice between the CUDA kernels with Winograd's algorithm, and the reference in plain torch; and the preparation
of kernels before they are captured in a CUDA graph."""

import os
import warnings
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from . import nvrtc

ENVIRONMENT_VARIABLE = "STYLEGAN_ADA_OPS"
ROUNDS = 3  # some of torch's libraries choose among algorithms in the first calls


def reference_only() -> bool:
    """Whether the environment asks for plain torch, without kernels and without Winograd's algorithm."""
    return os.environ.get(ENVIRONMENT_VARIABLE) == "reference"


class Kernels:
    """Launches kernels until one fails.

    failure: why the reference serves from then on, None as long as the kernels do.
    """

    failure: str | None = None

    def serve(self, x: Tensor) -> bool:
        """Whether x is to be computed by a kernel."""
        return x.is_cuda and self.failure is None and x.dtype in nvrtc.NUMBERS and not reference_only()

    def run(
        self, kernel: nvrtc.Kernel, threads: int, arguments: Sequence[nvrtc.Argument], device: torch.device
    ) -> bool:
        """Whether the kernel was launched. At the first failure one warning says why.

        While a CUDA graph is captured a failure is raised instead: the graph would be spoilt, or slow for good.
        """
        if self.failure is not None:
            return False
        try:
            nvrtc.launch(kernel, threads, arguments, device)
        except Exception as error:  # whatever a driver, a compiler or a missing library may raise: training goes on
            if nvrtc.capturing():
                raise
            self.failure = f"{type(error).__name__}: {error}".splitlines()[0]
            warnings.warn(
                f"the CUDA kernels cannot be used ({self.failure}): upfirdn2d and bias_act run in plain torch, slower",
                stacklevel=2,
            )
            return False
        return True


kernels = Kernels()


def warm_up(call: Callable[[], object]) -> None:
    """Runs `call` a few times on a stream of its own, so that all kernels that it needs are compiled and loaded.

    Loading spoils a capture: pass what is to be captured here first. Returns when the GPU is done.
    """
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(ROUNDS):
            call()
    torch.cuda.current_stream().wait_stream(stream)
    torch.cuda.synchronize()
