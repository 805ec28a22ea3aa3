"""A machine with a GPU, of which only the kernels' arithmetic is real: driver_stub.cpp stands in for CUDA's driver.

The launcher and cuda-core are the true ones. What they launch is found by its machine code, and run on the CPU.
"""

import ctypes
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from stylegan_ada.ops import nvrtc
from stylegan_ada.ops.implementation import Kernels, kernels
from stylegan_ada.ops.nvrtc import Kernel

OTHER_STREAM = 1 << 20  # the handle of each stream that is made
SOURCE = Path(__file__).with_name("driver_stub.cpp")
LAUNCH = ctypes.CFUNCTYPE(
    ctypes.c_int,
    ctypes.c_void_p,
    ctypes.c_char_p,
    ctypes.c_uint,
    ctypes.c_uint,
    ctypes.c_void_p,
    ctypes.POINTER(ctypes.c_void_p),
)


def load_driver(folder: Path) -> ctypes.CDLL:
    """Builds the stub and loads it under the driver's name, by which cuda-core then finds it in this process."""
    library = folder / "libcuda.so.1"
    command = ["g++", "-std=c++17", "-O1", "-shared", "-fPIC", str(SOURCE), "-o", str(library)]
    subprocess.run([*command, "-Wl,-soname,libcuda.so.1", "-ldl"], check=True, timeout=300)
    return ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)


class StubbedGpu:
    """What torch and the driver say of the GPU. streams: of all launches so far. error: what the next launches return.
    computes: whether launches are run, by `host`."""

    def __init__(self, driver: ctypes.CDLL, host: Any, patch: pytest.MonkeyPatch) -> None:
        self.driver, self.host = driver, host
        self.streams: list[int] = []
        self.stream, self.error, self.computes = 0, 0, True
        self._codes: dict[bytes, nvrtc.Kernel] = {}
        self._callback = LAUNCH(self._launch)
        driver.stub_set_launch(self._callback)
        self.capture(False)
        patch.setattr(torch.version, "cuda", "13.5")
        patch.setattr(torch.cuda, "device", lambda device: nullcontext())
        patch.setattr(torch.cuda, "current_device", lambda: 0)
        patch.setattr(torch.cuda, "current_stream", self._current_stream)
        patch.setattr(torch.cuda, "Stream", lambda: self._torch_stream(OTHER_STREAM))
        patch.setattr(torch.cuda, "stream", self._on_stream)
        patch.setattr(torch.cuda, "CUDAGraph", SimpleNamespace)
        patch.setattr(torch.cuda, "graph", self._captured)
        patch.setattr(torch.cuda, "synchronize", lambda: None)
        patch.setattr(torch.cuda, "get_device_capability", lambda device=None: (9, 0))
        patch.setattr(torch.cuda, "is_initialized", lambda: True)
        patch.setattr(torch.cuda, "is_current_stream_capturing", lambda: self.capturing)
        patch.setattr(Kernels, "serve", lambda self, x: self.failure is None)
        patch.setattr(kernels, "failure", None)
        patch.setattr(nvrtc, "compile_kernel", self._remembered(nvrtc.compile_kernel))
        for cached in (nvrtc._load, nvrtc._check_versions):
            cached.cache_clear()

    @staticmethod
    def _torch_stream(handle: int) -> SimpleNamespace:
        return SimpleNamespace(cuda_stream=handle, wait_stream=lambda other: None)

    def _current_stream(self, device: None = None) -> SimpleNamespace:
        return self._torch_stream(self.stream)

    @contextmanager
    def _on_stream(self, stream: SimpleNamespace) -> Iterator[Any]:
        before, self.stream = self.stream, stream.cuda_stream
        try:
            yield
        finally:
            self.stream = before

    @contextmanager
    def _captured(self, graph: SimpleNamespace) -> Iterator[None]:
        """A capture on a stream of its own, whose launches run at once: the graph cannot be replayed."""
        with self._on_stream(self._torch_stream(OTHER_STREAM)):
            self.capture(True)
            try:
                yield
            finally:
                spoilt = self.capture_is_spoilt()
                self.capture(False)
        assert not spoilt

    def capture(self, now: bool) -> None:
        self.capturing = now
        self.driver.stub_set_capturing(int(now))

    def capture_is_spoilt(self) -> bool:
        return bool(self.driver.stub_capture_is_spoilt())

    def _remembered(self, compile_kernel: Callable[..., Any]) -> Callable[..., Any]:
        def compile_and_note(kernel: Kernel, arch: str, cache: Path | None = None) -> Any:
            code = compile_kernel(kernel, arch, cache)
            self._codes[code.code] = kernel
            return code

        return compile_and_note

    def _launch(self, code: int, name: bytes, grid: int, block: int, stream: int | None, arguments: Any) -> int:
        self.streams.append(stream or 0)
        if self.error or not self.computes:
            return self.error
        (kernel,) = (kernel for known, kernel in self._codes.items() if ctypes.string_at(code, len(known)) == known)
        assert (kernel.name, kernel.block) == (name.decode(), block)
        self.host.build(kernel)(arguments, None, -1, 0, grid, block)
        return 0
