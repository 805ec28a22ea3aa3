"""CUDA kernels without a compiler on the user's machine: source to machine code by NVRTC, kept on disk, launched.

The only place that builds or launches. cuda-core finds the NVRTC that torch's CUDA builds carry.
"""

import functools
import sys
import warnings
from collections.abc import Sequence
from ctypes import c_double, c_float, c_int32, c_uint32, c_uint64
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from ..errors import UserError
from ..files import cache_root

if TYPE_CHECKING:
    from cuda.core import Kernel as LoadedKernel
    from cuda.core import LaunchConfig, ObjectCode, Stream

Argument = (
    Tensor | c_double | c_float | c_int32 | c_uint32 | c_uint64
)  # a tensor stands for the address of its first element
NUMBERS = {torch.float16: "FP16", torch.bfloat16: "BF16", torch.float32: "FP32", torch.float64: "FP64"}
CACHE_BYTES = 64 * 2**20
OLDEST_CUDA_CORE = (1, 1)  # setup.cfg says so, too


@dataclass(frozen=True)
class Kernel:
    """The function `name` in kernels/<name>.cu, compiled for one dtype and given constants.

    block: threads of a block. constants: macros, as pairs of name and value; numbers.cu needs VEC among them.
    """

    name: str
    dtype: torch.dtype
    block: int
    constants: tuple[tuple[str, str | int], ...]

    @property
    def body(self) -> str:
        """The source but for halves.cu, which a build for another machine replaces."""
        constants = [("BLOCK", self.block), *self.constants]
        defines = [f"#define {NUMBERS[self.dtype]}", *(f"#define {name} {value}" for name, value in constants)]
        return "\n".join([*defines, _file("numbers"), _file(self.name)])

    @property
    def source(self) -> str:
        """CUDA C++ without headers."""
        return _file("halves") + self.body

    def blocks(self, threads: int) -> int:
        """The number of blocks that have at least `threads` threads."""
        return -(-threads // self.block)


@functools.cache
def _file(name: str) -> str:
    return (files(__package__) / "kernels" / f"{name}.cu").read_text(encoding="utf-8")


def compile_kernel(kernel: Kernel, arch: str, cache: Path | None = None) -> "ObjectCode":
    """Machine code for arch ("sm_90"), from the folder `cache` if it lies there. Needs NVRTC, no GPU and no driver."""
    from cuda.core import Program, ProgramOptions
    from cuda.core.utils import FileStreamProgramCache

    program = Program(kernel.source, "c++", ProgramOptions(arch=arch, std="c++17"))
    if cache is None:
        return program.compile("cubin")
    with FileStreamProgramCache(cache, max_size_bytes=CACHE_BYTES) as kept:
        return program.compile("cubin", cache=kept)


def capturing() -> bool:
    """Whether torch's current stream is being captured in a CUDA graph."""
    # torch initialises CUDA to answer, which fails where there is no driver
    return torch.cuda.is_initialized() and torch.cuda.is_current_stream_capturing()


@functools.cache
def _load(kernel: Kernel, device: int) -> "LoadedKernel":
    """The kernel on a GPU. RuntimeError while a CUDA graph is captured, which loading would spoil."""
    if capturing():
        raise RuntimeError(
            f"a CUDA graph is being captured and the kernel {kernel.name} was not used before: "
            "pass what is to be captured to stylegan_ada.ops.warm_up first"
        )
    major, minor = torch.cuda.get_device_capability(device)
    arch, folder = f"sm_{major}{minor}", _cache_folder()
    code = _compile_kept(kernel, arch, folder)
    try:
        return code.get_kernel(kernel.name)
    except Exception:  # whatever cuda-core makes of a damaged file: once more from the source
        if folder is None:
            raise
        _forget(folder)
        return _compile_kept(kernel, arch, folder).get_kernel(kernel.name)


def _cache_folder() -> Path | None:
    """The folder of machine code; None, after a warning, where nothing can be kept: kernels need no folder."""
    try:
        return cache_root() / "kernels"
    except UserError as error:
        _warn_once(f"CUDA kernels are compiled anew in each run ({error})")
        return None


@functools.cache
def _check_versions() -> None:
    """Raises RuntimeError if cuda-core or CUDA's bindings are missing, or of versions that cannot serve."""
    if torch.version.cuda is None:
        raise RuntimeError("this torch was built without CUDA")
    ours = torch.version.cuda.split(".")[0]
    remedy = f'pip install "cuda-core[cu{ours}]"'
    if sys.platform == "win32":
        remedy += ", since on Windows torch brings neither the bindings nor NVRTC as packages"
    try:
        import cuda.bindings
        import cuda.core
    except ImportError as error:
        raise RuntimeError(f"{error}; {remedy}") from error
    core = cuda.core.__version__
    if tuple(map(int, core.split(".")[:2])) < OLDEST_CUDA_CORE:
        oldest = ".".join(map(str, OLDEST_CUDA_CORE))
        raise RuntimeError(
            f"cuda-core is {core}, older than {oldest}; {remedy.replace('install', 'install --upgrade')}"
        )
    theirs = cuda.bindings.__version__.split(".")[0]
    if theirs != ours:
        raise RuntimeError(f"cuda-bindings are of CUDA {theirs}, torch is of CUDA {ours}; {remedy}")


def _compile_kept(kernel: Kernel, arch: str, folder: Path | None) -> "ObjectCode":
    """compile_kernel, kept in a folder, if there is one; if it cannot be written, a warning and no keeping."""
    try:
        return compile_kernel(kernel, arch, folder)
    except OSError as error:
        _warn_once(
            f"CUDA kernels are compiled anew in each run, as {folder} cannot be used ({error.strerror or error})"
        )
        return compile_kernel(kernel, arch)


def _forget(folder: Path) -> None:
    """Empties a folder of machine code, if it can be written."""
    from cuda.core.utils import FileStreamProgramCache

    try:
        with FileStreamProgramCache(folder, max_size_bytes=CACHE_BYTES) as kept:
            kept.clear()
    except OSError:
        return  # it could not be read either, which was said


@functools.cache
def _warn_once(message: str) -> None:
    warnings.warn(message, stacklevel=2)


@functools.cache
def _stream(device: int, handle: int) -> "Stream":
    """A stream of torch's, of which there are few, as cuda-core knows it: to make one takes longer than a launch."""
    from cuda.core import Stream

    return Stream.from_handle(handle)


@functools.cache
def _config(blocks: int, block: int) -> "LaunchConfig":
    from cuda.core import LaunchConfig

    return LaunchConfig(grid=blocks, block=block)


def launch(kernel: Kernel, threads: int, arguments: Sequence[Argument], device: torch.device) -> None:
    """Runs at least `threads` threads of the kernel on torch's current stream of the device, without waiting for it."""
    _check_versions()
    from cuda.core import Device
    from cuda.core import launch as enqueue

    with torch.cuda.device(device):
        index = torch.cuda.current_device()
        # autograd's threads may not have had a context of the driver's yet, which torch makes when it needs one
        Device(index).set_current()
        addresses = [x.data_ptr() if isinstance(x, Tensor) else x for x in arguments]
        stream = _stream(index, torch.cuda.current_stream().cuda_stream)
        enqueue(stream, _config(kernel.blocks(threads), kernel.block), _load(kernel, index), *addresses)
