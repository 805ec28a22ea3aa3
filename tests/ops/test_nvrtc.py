import re
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from stylegan_ada.ops import bias_act, bias_act_cuda, nvrtc, setup_filter, upfirdn2d
from stylegan_ada.ops.bias_act_reference import ACTIVATIONS
from stylegan_ada.ops.nvrtc import Kernel

ARCHITECTURES = ["sm_75", "sm_80", "sm_86", "sm_89", "sm_90", "sm_100", "sm_120"]
TAPS = {"4x4": setup_filter([1, 3, 3, 1]), "12": setup_filter(range(1, 13)), "9x9": torch.ones(9, 9)}
FIRS = [("4x4", 1, 1, (2, 1, 2, 1)), ("4x4", 2, 1, (2, 1, 2, 1)), ("4x4", 1, 2, 1), ("12", 2, 1, 5), ("12", 1, 2, 5),
        ("9x9", 1, 1, 4)]  # fmt: skip
IMAGES = torch.zeros(2, 16, 8, 8)


@pytest.fixture
def asked_for(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The kernels that ops ask for, none of which runs."""
    kernels = []
    monkeypatch.setattr("stylegan_ada.ops.implementation.Kernels.serve", lambda self, x: True)
    monkeypatch.setattr("stylegan_ada.ops.nvrtc.launch", lambda kernel, *_: kernels.append(kernel))
    return kernels


def ask(dtype: torch.dtype, x: Tensor, acts: dict[str, Callable[..., Any]] | list[str], firs: list[Any]) -> None:
    """Each act and each filter, with the first derivative, and the second one where there is one."""
    x = x.to(dtype)
    b = torch.zeros(x.shape[1], dtype=dtype)
    for act in acts:
        bias_act(x, b, act=act, clamp=256)
        bias_act_cuda.first(x, x, b, 1, act, 0.2, 1.0, 256)
        if act not in bias_act_cuda.PIECEWISE:
            bias_act_cuda.second(x, x, x, b, 1, act, 0.2, 1.0, None)
    for name, up, down, padding in firs:
        upfirdn2d(x, TAPS[name], up, down, padding)
        upfirdn2d(x, TAPS[name], down, up, padding, flip_filter=True)


@pytest.fixture
def every_kernel(asked_for: list[Any]) -> set[Kernel]:
    for dtype in nvrtc.NUMBERS:
        ask(dtype, IMAGES, ACTIVATIONS, FIRS)
        ask(dtype, IMAGES.to(memory_format=torch.channels_last), ["lrelu"], FIRS)
    ask(torch.float16, torch.zeros(1, 3, 5, 5), ACTIVATIONS, FIRS)  # a size that fits no pack
    return set(asked_for)


@pytest.fixture
def networks_kernels(asked_for: list[Any]) -> set[Kernel]:
    """What training asks for: filters and their gradients, lrelu and linear with their first derivative."""
    for dtype in (torch.float16, torch.bfloat16, torch.float32):
        ask(dtype, IMAGES, ["linear", "lrelu"], FIRS[:3])
        ask(dtype, IMAGES.to(memory_format=torch.channels_last), ["linear", "lrelu"], FIRS[:3])
    return set(asked_for)


def machine_codes(kernels: list[list[Kernel]] | set[Kernel], build: Callable[..., Any]) -> list[bytes]:
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(build, kernels))


def together(kernels: list[Kernel]) -> str:
    """One source of many kernels, as NVRTC takes longer to start than to compile one. None sees another: each has a
    namespace and a name, KERNEL_INDEX, and what it defines for the preprocessor ends with it."""
    parts = [nvrtc._file("halves")]
    for index, kernel in enumerate(kernels):
        defined = re.findall(r"^ *# *define +(\w+)", kernel.body, re.MULTILINE)
        parts += [f"#define {kernel.name} {kernel.name}_{index}", f"namespace kernel_{index} {{", kernel.body, "}"]
        parts += [f"#undef {name}" for name in [kernel.name, *defined]]
    return "\n".join(parts)


def entries(code: bytes) -> set[str]:
    """Names of the kernels in machine code: each has a section for its arguments, as no other function has."""
    return {name.decode() for name in re.findall(rb"\0\.nv\.constant0\.(\w+)", code)}


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_every_kernel_compiles_for_every_architecture(arch: str, every_kernel: set[Kernel]) -> None:
    """Hardly optimised, which takes a fifth of the time and accepts the same source."""
    core = pytest.importorskip("cuda.core", reason="installed for tests on Linux only")
    quick = core.ProgramOptions(arch=arch, std="c++17", ofast_compile="max")
    assert len(every_kernel) > 200
    ordered = sorted(every_kernel, key=lambda kernel: kernel.source)
    quarters = [ordered[start::4] for start in range(4)]
    codes = machine_codes(quarters, lambda some: core.Program(together(some), "c++", quick).compile("cubin").code)
    assert all(code.startswith(b"\x7fELF") for code in codes)
    for kernels, code in zip(quarters, codes, strict=True):
        assert entries(code) == {f"{kernel.name}_{index}" for index, kernel in enumerate(kernels)}


def test_the_networks_kernels_compile_as_users_have_them(networks_kernels: set[Kernel]) -> None:
    pytest.importorskip("cuda.core", reason="installed for tests on Linux only")
    codes = machine_codes(networks_kernels, lambda kernel: nvrtc.compile_kernel(kernel, "sm_90").code)
    assert len(codes) > 40
    assert all(code.startswith(b"\x7fELF") for code in codes)


def test_machine_code_is_kept(asked_for: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cuda.core", reason="installed for tests on Linux only")
    bias_act(torch.zeros(1, 4), torch.zeros(4))
    (kernel,) = asked_for
    first = nvrtc._compile_kept(kernel, "sm_90", tmp_path / "kernels")
    assert [path for path in (tmp_path / "kernels").rglob("*") if path.is_file()]
    monkeypatch.setattr("cuda.core._program._program_compile_uncached", None)
    again = nvrtc._compile_kept(kernel, "sm_90", tmp_path / "kernels")
    assert again.code == first.code


def test_a_folder_that_cannot_be_written_costs_a_warning(asked_for: list[Any], tmp_path: Path) -> None:
    pytest.importorskip("cuda.core", reason="installed for tests on Linux only")
    bias_act(torch.zeros(1, 4), torch.zeros(4))
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "kernels"
    with pytest.warns(UserWarning, match="compiled anew in each run"):
        code = nvrtc._compile_kept(asked_for[0], "sm_90", folder)
    assert code.code.startswith(b"\x7fELF")


@pytest.fixture
def unchecked() -> Iterator[None]:
    nvrtc._check_versions.cache_clear()
    yield
    nvrtc._check_versions.cache_clear()


def test_bindings_of_another_cuda_are_refused(unchecked: None, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cuda.core", reason="installed for tests on Linux only")
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    monkeypatch.setattr("cuda.bindings.__version__", "13.0.3")
    with pytest.raises(RuntimeError, match=r"of CUDA 13, torch is of CUDA 12; pip install \"cuda-core\[cu12\]\""):
        nvrtc._check_versions()
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    nvrtc._check_versions()


def test_missing_bindings_are_named(unchecked: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setitem(sys.modules, "cuda.bindings", None)
    with pytest.raises(RuntimeError, match=r"cuda.*pip install \"cuda-core\[cu13\]\""):
        nvrtc._check_versions()


@pytest.mark.parametrize(("version", "serves"), [("0.7.0", False), ("1.0.0", False), ("1.1.0", True), ("1.10.0", True)])
def test_versions_of_cuda_core(version: str, serves: bool, unchecked: None, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("cuda.core", reason="installed for tests on Linux only")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr("cuda.core.__version__", version)
    if serves:
        nvrtc._check_versions()
    else:
        with pytest.raises(RuntimeError, match=rf"cuda-core is {version}, older than 1\.1; pip install --upgrade"):
            nvrtc._check_versions()


def test_setup_cfg_asks_for_the_same_cuda_core() -> None:
    oldest = ".".join(map(str, nvrtc.OLDEST_CUDA_CORE))
    requirements = re.findall(r"^    (cuda-core [^;\n]*)", (Path(__file__).parents[2] / "setup.cfg").read_text(), re.M)
    assert set(requirements) == {f"cuda-core >= {oldest}, < 2"}
