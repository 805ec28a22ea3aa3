"""The choice of a device to compute on, and settings of the whole process."""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .config.resolve import Machine
from .errors import UserError, nearest

if TYPE_CHECKING:
    import torch

DEVICES = ("auto", "cpu", "cuda")
M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # glibc's <malloc.h>


def choose_device(name: str | None) -> "torch.device":
    """auto (or None), cpu or cuda -> the device, by local rank where there are several GPUs. A GPU becomes the current
    one, and convolves without TF32, for the whole process: `settings_kept` puts that back.

    UserError for another name, and where there is no GPU for it.
    """
    import torch

    from . import distributed

    if name not in (None, *DEVICES):
        raise UserError(f"`device` {name}: no such choice, {nearest(str(name), DEVICES)}")
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("`device` cuda: torch finds no GPU here, use `device` cpu or install a CUDA build of torch")
    if name == "cpu" or not torch.cuda.is_available():
        return torch.device("cpu")
    if distributed.local_rank() >= torch.cuda.device_count():
        raise UserError(f"{distributed.local_rank() + 1} processes for {torch.cuda.device_count()} GPUs: start fewer")
    device = torch.device("cuda", distributed.local_rank())
    torch.cuda.set_device(device)
    # TF32 is off, so that a seed's image does not depend on its batch
    torch.backends.cudnn.allow_tf32 = False
    return device


def machine_of(device: "torch.device") -> Machine:
    """The facts of a device that the choices of a configuration depend on."""
    import torch

    if device.type != "cuda":
        return Machine(cuda=False)
    return Machine(cuda=True, bf16=torch.cuda.get_device_capability(device)[0] >= 8)


def tune_convolutions() -> None:
    """Lets training on a GPU use the fastest algorithms, in TF32 too: the whole process, as `choose_device`."""
    import torch

    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = True


@contextmanager
def settings_kept() -> Iterator[None]:
    """In the block, also as a decorator, settings of the whole process may be changed: afterwards they are as before.
    They are cuDNN's, and which GPU is the current one. A command owns its process; who calls a function does not lend
    his."""
    import torch

    cudnn = torch.backends.cudnn
    before = cudnn.benchmark, cudnn.allow_tf32
    gpu = torch.cuda.current_device() if torch.cuda.is_available() else None
    try:
        yield
    finally:
        cudnn.benchmark, cudnn.allow_tf32 = before
        if gpu is not None:
            torch.cuda.set_device(gpu)


def return_freed_memory() -> None:
    """Hands what `keep_freed_memory` has kept back to the system, after work with other sizes than the usual ones: in
    the gaps that it leaves the usual ones find no room, so that memory grows."""
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):
        return  # another C library


def keep_freed_memory() -> None:
    """Tells glibc to keep large freed blocks, instead of handing them back to the system and clearing them anew."""
    try:
        libc = ctypes.CDLL("libc.so.6")
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, -1)  # never
    except (OSError, AttributeError):
        return  # another C library: its own habits stay
