"""What the launcher does with a driver: the true one of this package, and cuda-core, over a stub of CUDA's."""

import threading
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import Tensor

from stylegan_ada.ops import bias_act, implementation, setup_filter, upfirdn2d, warm_up

F4 = setup_filter([1, 3, 3, 1])


def both_ops(x: Tensor, b: Tensor) -> Tensor:
    return upfirdn2d(bias_act(x, b, act="lrelu"), F4, up=2, padding=(2, 1, 2, 1))


def test_a_launch_computes_and_says_nothing(stubbed_gpu: Any, by_reference: Callable[..., Any]) -> None:
    """pytest turns a warning into an error, and an error into a failure of the kernels."""
    x, b = torch.randn(2, 8, 6, 6), torch.randn(8)
    found = both_ops(x, b)
    assert implementation.kernels.failure is None
    assert stubbed_gpu.streams == [0, 0]
    torch.testing.assert_close(found, by_reference(lambda: both_ops(x, b)))


def test_each_launch_goes_to_torchs_current_stream(stubbed_gpu: Any) -> None:
    x, b = torch.randn(1, 4, 2, 2), torch.randn(4)
    for stream in (0, 4096, 8192, 4096, 0):
        stubbed_gpu.stream = stream
        bias_act(x, b)
    assert stubbed_gpu.streams == [0, 4096, 8192, 4096, 0]


def test_warm_up_has_a_stream_of_its_own(stubbed_gpu: Any, driver_stub: tuple[ModuleType, Any]) -> None:
    x, b = torch.randn(1, 4, 2, 2), torch.randn(4)
    warm_up(lambda: bias_act(x, b))
    bias_act(x, b)
    assert set(stubbed_gpu.streams[:-1]) == {driver_stub[0].OTHER_STREAM}
    assert stubbed_gpu.streams[-1] == 0


def test_threads_of_autograd_find_a_context(stubbed_gpu: Any) -> None:
    x, b = torch.randn(1, 4, 2, 2), torch.randn(4)
    thread = threading.Thread(target=bias_act, args=(x, b))
    thread.start()
    thread.join(timeout=120)
    assert not thread.is_alive()
    assert implementation.kernels.failure is None
    assert len(stubbed_gpu.streams) == 1


def test_a_failure_while_a_graph_is_captured_is_raised(stubbed_gpu: Any) -> None:
    x, b = torch.randn(1, 4, 2, 2), torch.randn(4)
    bias_act(x, b)
    stubbed_gpu.capture(True)
    stubbed_gpu.error = 700
    with pytest.raises(Exception, match="STUB"):
        bias_act(x, b)
    assert implementation.kernels.failure is None


def test_a_failing_driver_costs_one_warning(stubbed_gpu: Any, by_reference: Callable[..., Any]) -> None:
    x, b = torch.randn(1, 4, 2, 2), torch.randn(4)
    stubbed_gpu.error = 700
    with pytest.warns(UserWarning, match="cannot be used") as caught:
        found = both_ops(x, b)
    assert len(caught) == 1
    assert len(stubbed_gpu.streams) == 1
    torch.testing.assert_close(found, by_reference(lambda: both_ops(x, b)))


@pytest.mark.parametrize("gain", [1.0, 2.0])
def test_the_backward_pass_of_a_bias_alone_outlives_the_kernels(gain: float, stubbed_gpu: Any) -> None:
    x, b = torch.randn(2, 4, 2, 2, requires_grad=True), torch.randn(4, requires_grad=True)
    y = bias_act(x, b, gain=gain)
    g = torch.randn_like(y)
    implementation.kernels.failure = "gone"
    x_gradient, b_gradient = torch.autograd.grad(y, (x, b), g)
    torch.testing.assert_close(x_gradient, g * gain)
    torch.testing.assert_close(b_gradient, g.sum([0, 2, 3]) * gain)
    implementation.kernels.failure = None


def test_the_backward_pass_of_a_bias_alone_launches_nothing(stubbed_gpu: Any) -> None:
    x, b = torch.randn(2, 4, 2, 2, requires_grad=True), torch.randn(4, requires_grad=True)
    y = bias_act(x, b)
    torch.autograd.grad(y.sum(), (x, b))
    assert len(stubbed_gpu.streams) == 1


@pytest.mark.parametrize("act", ["linear", "lrelu", "swish"])
def test_x_of_one_dimension(act: str, stubbed_gpu: Any, by_reference: Callable[..., Any]) -> None:
    def gradients() -> tuple[Tensor, Tensor]:
        x, b = torch.linspace(-1, 1, 5, requires_grad=True), torch.linspace(2, -1, 5, requires_grad=True)
        return torch.autograd.grad(bias_act(x, b, dim=0, act=act).square().sum(), (x, b))

    found = gradients()
    assert [gradient.shape for gradient in found] == [(5,), (5,)]
    torch.testing.assert_close(found, by_reference(gradients))


@pytest.mark.parametrize(
    "damage", [lambda code: code[: len(code) // 2] + bytes(len(code) - len(code) // 2), lambda code: bytes(len(code))]
)
def test_a_damaged_file_of_machine_code_is_made_anew(
    damage: Callable[..., Any], stubbed_gpu: Any, by_reference: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from stylegan_ada.files import cache_root
    from stylegan_ada.ops import nvrtc

    x, b = torch.randn(1, 4, 2, 2), torch.randn(4)
    bias_act(x, b)
    files = [
        path for path in (cache_root() / "kernels").rglob("*") if path.is_file() and b"\x7fELF" in path.read_bytes()
    ]
    assert len(files) == 1
    whole = files[0].read_bytes()
    files[0].write_bytes(damage(whole))
    for _ in range(2):  # this run, and a later one
        nvrtc._load.cache_clear()
        torch.testing.assert_close(bias_act(x, b), by_reference(lambda: bias_act(x, b)))
        assert implementation.kernels.failure is None
    assert files[0].read_bytes() == whole


def test_without_a_cache_folder_kernels_serve(
    stubbed_gpu: Any, by_reference: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A user without a home folder is told that they are compiled in each run, once."""
    from stylegan_ada.ops import nvrtc

    nvrtc._warn_once.cache_clear()
    monkeypatch.setenv("STYLEGAN_ADA_CACHE", "")
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr("pwd.getpwuid", lambda number: {}[number])
    x, b = torch.randn(1, 4, 2, 2), torch.randn(4)
    with pytest.warns(UserWarning, match="compiled anew in each run.*STYLEGAN_ADA_CACHE") as caught:
        found = both_ops(x, b)
    assert len(caught) == 1
    assert len(stubbed_gpu.streams) == 2
    torch.testing.assert_close(found, by_reference(lambda: both_ops(x, b)))


def test_an_older_cuda_core_is_named(stubbed_gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cuda.core.__version__", "1.0.0")
    with pytest.warns(UserWarning, match=r"cannot be used .*cuda-core is 1\.0\.0, older than 1\.1"):
        bias_act(torch.randn(1, 4, 2, 2), torch.randn(4))
    assert not stubbed_gpu.streams
