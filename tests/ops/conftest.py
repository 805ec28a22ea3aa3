import importlib.util
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from stylegan_ada.ops import nvrtc
from stylegan_ada.ops.implementation import Kernels, kernels

# largest error that rounding may cause, relative to the largest magnitude of the expected result
TOLERANCES = {torch.float64: 1e-12, torch.float32: 2e-6, torch.float16: 4e-3, torch.bfloat16: 3e-2}


@pytest.fixture(scope="session")
def dtypes() -> list[torch.dtype]:
    return list(TOLERANCES)


@pytest.fixture(scope="session")
def assert_near() -> Callable[..., Any]:
    """assert_near(actual tensor, expected float64 array): equal within what actual's dtype rounds."""

    def check(actual: Tensor, expected: np.ndarray, factor: float = 1.0) -> None:
        expected = np.asarray(expected)
        assert list(actual.shape) == list(expected.shape)
        error = np.abs(actual.detach().double().cpu().numpy() - expected).max()
        assert error <= factor * TOLERANCES[actual.dtype] * max(np.abs(expected).max(), 1e-3)

    return check


@pytest.fixture(scope="session")
def host_launcher(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Runs kernels on the CPU, keeping what it has built."""
    if shutil.which("g++") is None:
        pytest.skip("THE KERNELS' ARITHMETIC IS NOT TESTED: there is no g++ to build them for the CPU")
    return _beside("on_host").HostLauncher(tmp_path_factory.mktemp("kernels"))


def _beside(name: str) -> ModuleType:
    """The module NAME.py of this folder; under plain `pytest` the tests are no package."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def driver_stub(tmp_path_factory: pytest.TempPathFactory) -> tuple[ModuleType, Any]:
    """tests/ops/driver_stub.py, and the stub loaded as this process's driver."""
    if torch.cuda.is_available():
        pytest.skip("there is a true driver")
    pytest.importorskip("cuda.core", reason="installed for tests on Linux only")
    module = _beside("driver_stub")
    return module, module.load_driver(tmp_path_factory.mktemp("driver"))


@pytest.fixture
def stubbed_gpu(
    driver_stub: tuple[ModuleType, Any], host_launcher: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Any]:
    """Every op goes through the true launcher and cuda-core, and is then run on the CPU."""
    monkeypatch.setenv("STYLEGAN_ADA_CACHE", str(tmp_path / "cache"))
    module, driver = driver_stub
    yield module.StubbedGpu(driver, host_launcher, monkeypatch)
    for cached in (nvrtc._load, nvrtc._check_versions):
        cached.cache_clear()


@pytest.fixture(params=["stub", pytest.param("cuda", marks=pytest.mark.gpu)])
def any_gpu(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[torch.device]:
    """Where tensors lie for the same test over the stub of the driver (the CPU), and on a GPU, if there is one. The
    kernels must serve to the end."""
    if request.param == "stub":
        request.getfixturevalue("stubbed_gpu")
    monkeypatch.setattr(kernels, "failure", None)
    yield torch.device("cpu" if request.param == "stub" else "cuda")
    torch.cuda.synchronize()
    assert kernels.failure is None


@pytest.fixture
def by_reference(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """by_reference(call): what plain torch gives."""

    def run(call: Callable[..., Any]) -> Any:
        with monkeypatch.context() as patch:
            patch.setattr(Kernels, "serve", lambda self, x: False)
            return call()

    return run


@pytest.fixture
def host_kernels(host_launcher: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Every op is computed by its kernel, on the CPU."""
    monkeypatch.setattr("stylegan_ada.ops.nvrtc.launch", host_launcher)
    monkeypatch.setattr("stylegan_ada.ops.implementation.Kernels.serve", lambda self, x: True)
    monkeypatch.setattr(kernels, "failure", None)
    launched = len(host_launcher.kernels)
    yield host_launcher
    assert kernels.failure is None
    assert len(host_launcher.kernels) > launched


@pytest.fixture
def gpu_kernels(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """New tensors lie on the GPU, and every op is computed by its kernel there."""
    launched = []
    launch = nvrtc.launch
    monkeypatch.setattr(nvrtc, "launch", lambda *arguments: (launch(*arguments), launched.append(arguments[0])))
    monkeypatch.setattr(kernels, "failure", None)
    with torch.device("cuda"):
        yield
    torch.cuda.synchronize()
    assert kernels.failure is None
    assert launched


@pytest.fixture(params=["host", pytest.param("cuda", marks=pytest.mark.gpu)])
def by_kernel(request: pytest.FixtureRequest) -> Any:
    """The same test for the kernels on the CPU, and on a GPU, if there is one. None on the GPU."""
    return request.getfixturevalue("host_kernels" if request.param == "host" else "gpu_kernels")


@pytest.fixture(params=["reference", "host", pytest.param("cuda", marks=pytest.mark.gpu)])
def implementation(request: pytest.FixtureRequest) -> str:
    """The same test for the reference, too."""
    if request.param != "reference":
        request.getfixturevalue("host_kernels" if request.param == "host" else "gpu_kernels")
    return request.param


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.fixture(scope="session")
def upfirdn_oracle() -> Callable[..., Any]:
    """upfirdn2d of [N, C, H, W] with a 2-D filter, as a loop over its definition in float64."""

    def zero_insert(x: np.ndarray, up_x: int, up_y: int) -> np.ndarray:
        n, c, height, width = x.shape
        big = np.zeros((n, c, height * up_y, width * up_x))
        for i in range(height):
            for j in range(width):
                big[:, :, i * up_y, j * up_x] = x[:, :, i, j]
        return big

    def pad(x: np.ndarray, x0: int, x1: int, y0: int, y1: int) -> np.ndarray:
        x = np.pad(x, [(0, 0), (0, 0), (max(y0, 0), max(y1, 0)), (max(x0, 0), max(x1, 0))])
        return x[:, :, max(-y0, 0) : x.shape[2] - max(-y1, 0), max(-x0, 0) : x.shape[3] - max(-x1, 0)]

    def oracle(
        x: Tensor,
        f: np.ndarray,
        up: tuple[int, int] = (1, 1),
        down: tuple[int, int] = (1, 1),
        padding: tuple[int, ...] = (0, 0, 0, 0),
        flip: bool = False,
        gain: float = 1.0,
    ) -> np.ndarray:
        x = pad(zero_insert(np.asarray(x, np.float64), *up), *padding)
        taps = f if flip else f[::-1, ::-1]
        fh, fw = f.shape
        out = np.zeros((*x.shape[:2], (x.shape[2] - fh) // down[1] + 1, (x.shape[3] - fw) // down[0] + 1))
        for i in range(out.shape[2]):
            for j in range(out.shape[3]):
                window = x[:, :, i * down[1] : i * down[1] + fh, j * down[0] : j * down[0] + fw]
                out[:, :, i, j] = gain * (window * taps).sum(axis=(2, 3))
        return out

    return oracle
