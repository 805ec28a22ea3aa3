"""What must have happened before operations are captured in a CUDA graph."""

from collections.abc import Callable

import torch

ROUNDS = 3  # some of torch's libraries choose among algorithms in the first calls


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
