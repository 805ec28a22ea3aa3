"""What only a GPU can show: streams, graphs, other devices. The stub of test_launch.py stands in for it elsewhere."""

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from stylegan_ada.ops import bias_act, conv2d_resample, implementation, nvrtc, setup_filter, upfirdn2d, warm_up

pytestmark = pytest.mark.gpu
F4 = setup_filter([1, 3, 3, 1])


@pytest.fixture(autouse=True)
def kernels_hold(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(implementation.kernels, "failure", None)
    yield
    torch.cuda.synchronize()
    assert implementation.kernels.failure is None


def both_ops(x: Any, b: Any) -> Any:
    return upfirdn2d(bias_act(x, b, act="lrelu"), F4.to(x.device), up=2, padding=(2, 1, 2, 1))


def test_a_side_stream() -> None:
    x, b = torch.randn(2, 8, 64, 64, device="cuda"), torch.randn(8, device="cuda")
    expected = both_ops(x.cpu(), b.cpu())
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        y = both_ops(x, b)
    torch.cuda.current_stream().wait_stream(stream)
    torch.testing.assert_close(y.cpu(), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_a_second_gpu() -> None:
    x, b = torch.randn(2, 8, 16, 16), torch.randn(8)
    y = both_ops(x.to("cuda:1"), b.to("cuda:1"))
    assert y.device == torch.device("cuda", 1)
    torch.testing.assert_close(y.cpu(), both_ops(x, b), rtol=1e-4, atol=1e-5)


def captured(call: Any) -> Any:
    graph = torch.cuda.CUDAGraph()
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.graph(graph, stream=stream):
        y = call()
    return graph, y


def test_what_is_warm_is_captured_and_replayed() -> None:
    x, b = torch.randn(2, 8, 16, 16, device="cuda"), torch.randn(8, device="cuda")
    warm_up(lambda: both_ops(x, b))
    graph, y = captured(lambda: both_ops(x, b))
    x.normal_()
    graph.replay()
    torch.testing.assert_close(y.cpu(), both_ops(x.cpu(), b.cpu()), rtol=1e-4, atol=1e-5)


def test_first_use_in_a_capture_is_an_error() -> None:
    x, b = torch.randn(2, 8, 16, 16, device="cuda"), torch.randn(8, device="cuda")
    nvrtc._load.cache_clear()
    with pytest.raises(RuntimeError, match="warm_up"):
        captured(lambda: bias_act(x, b, act="softplus"))
    torch.cuda.synchronize()
    bias_act(x, b, act="softplus")


@pytest.mark.parametrize("channels", [3, 64])
@pytest.mark.parametrize(("up", "down", "side"), [(2, 1, 16), (1, 2, 32)])
def test_rows_of_odd_length_between_filter_and_convolution(up: Any, down: Any, side: Any, channels: Any) -> None:
    """To second order in float64, against the CPU, whose rows are odd."""

    def derivatives(device: Any) -> Any:
        torch.manual_seed(0)
        x, w = torch.randn(2, channels, side, side).double(), torch.randn(4, channels, 3, 3).double()
        x, w = (t.to(device).requires_grad_() for t in (x, w))
        y = conv2d_resample(x, w, F4.to(device), up=up, down=down, padding=1)
        first = torch.autograd.grad(y.sin().sum(), (x, w), create_graph=True)
        return [t.cpu() for t in (y, *first, *torch.autograd.grad(first[0].square().sum(), (x, w)))]

    torch.testing.assert_close(derivatives("cuda"), derivatives("cpu"))


def test_a_bias_of_any_strides() -> None:
    x, matrix = torch.randn(2, 8, 3, 3, device="cuda"), torch.randn(8, 5, device="cuda")
    for b in (matrix[:, 1], matrix[:1, 0].expand(8)):
        torch.testing.assert_close(bias_act(x, b).cpu(), x.cpu() + b.cpu()[:, None, None])
