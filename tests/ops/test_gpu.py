"""Streams, graphs, other devices: on a GPU, and over the stub of its driver what that can run."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from stylegan_ada.ops import bias_act, conv2d_resample, implementation, nvrtc, setup_filter, upfirdn2d, warm_up

F4 = setup_filter([1, 3, 3, 1])


def operands(device: torch.device | str) -> tuple[Tensor, Tensor, Tensor]:
    """Image, bias and filter: a copy within a capture would spoil it."""
    return torch.randn(2, 8, 16, 16, device=device), torch.randn(8, device=device), F4.to(device)


def both_ops(x: Tensor, b: Tensor, f: Tensor) -> Tensor:
    return upfirdn2d(bias_act(x, b, act="lrelu"), f, up=2, padding=(2, 1, 2, 1))


def assert_computed(y: Tensor, given: tuple[Tensor, ...], by_reference: Callable[..., Any]) -> None:
    expected = by_reference(lambda: both_ops(*(tensor.cpu() for tensor in given)))
    torch.testing.assert_close(y.cpu(), expected, rtol=1e-4, atol=1e-5)


def captured(call: Callable[[], Tensor]) -> tuple[torch.cuda.CUDAGraph, Tensor]:
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        y = call()
    return graph, y


def test_a_side_stream(any_gpu: torch.device, by_reference: Callable[..., Any]) -> None:
    given = operands(any_gpu)
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        y = both_ops(*given)
    torch.cuda.current_stream().wait_stream(stream)
    assert_computed(y, given, by_reference)


@pytest.mark.gpu
@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two GPUs")
def test_a_second_gpu(monkeypatch: pytest.MonkeyPatch, by_reference: Callable[..., Any]) -> None:
    monkeypatch.setattr(implementation.kernels, "failure", None)
    given = operands("cuda:1")
    y = both_ops(*given)
    assert y.device == torch.device("cuda", 1)
    assert_computed(y, given, by_reference)
    assert implementation.kernels.failure is None


def test_what_is_warm_is_captured(any_gpu: torch.device, by_reference: Callable[..., Any]) -> None:
    given = operands(any_gpu)
    warm_up(lambda: both_ops(*given))
    graph, y = captured(lambda: both_ops(*given))
    if any_gpu.type == "cuda":  # the stub has no graphs: there a captured launch runs at once
        given[0].normal_()
        graph.replay()
    assert_computed(y, given, by_reference)


def test_first_use_in_a_capture_is_an_error_that_costs_nothing(any_gpu: torch.device) -> None:
    x, b, _ = operands(any_gpu)
    nvrtc._load.cache_clear()
    with pytest.raises(RuntimeError, match="warm_up"):
        captured(lambda: bias_act(x + 1, b, act="softplus"))  # the sum, since torch warns of an empty capture
    torch.cuda.synchronize()
    bias_act(x, b, act="softplus")


@pytest.mark.parametrize("channels", [3, 64])
@pytest.mark.parametrize(("up", "down", "side"), [(2, 1, 16), (1, 2, 32)])
def test_rows_of_odd_length_between_filter_and_convolution(
    up: int, down: int, side: int, channels: int, any_gpu: torch.device, by_reference: Callable[..., Any]
) -> None:
    """To second order in float64, against the CPU, whose rows are odd."""

    def derivatives(device: torch.device | str) -> list[Tensor]:
        torch.manual_seed(0)
        x, w = torch.randn(2, channels, side, side).double(), torch.randn(4, channels, 3, 3).double()
        x, w = (t.to(device).requires_grad_() for t in (x, w))
        y = conv2d_resample(x, w, F4.to(device), up=up, down=down, padding=1)
        first = torch.autograd.grad(y.sin().sum(), (x, w), create_graph=True)
        return [t.cpu() for t in (y, *first, *torch.autograd.grad(first[0].square().sum(), (x, w)))]

    torch.testing.assert_close(derivatives(any_gpu), by_reference(lambda: derivatives("cpu")))


@pytest.mark.parametrize("act", ["lrelu", "swish"])
def test_a_bias_of_any_strides(act: str, any_gpu: torch.device, by_reference: Callable[..., Any]) -> None:
    """A column of a matrix, and one number for all channels, through all three operators."""
    x, matrix = (torch.randn(size, dtype=torch.float64, device=any_gpu) for size in ([2, 8, 3, 3], [8, 5]))

    def derivatives(x: Tensor, b: Tensor) -> list[Tensor]:
        image, bias = x.clone().requires_grad_(), b.detach().requires_grad_()
        y = bias_act(image, bias, act=act)
        first = torch.autograd.grad(y.sin().sum(), (image, bias), create_graph=True)
        return [t.cpu() for t in (y, *first, *torch.autograd.grad(first[0].square().sum(), (image, bias)))]

    for b in (matrix[:, 1], torch.ones(1, dtype=torch.float64, device=any_gpu).expand(8), matrix.flip(0)[:, 0]):
        torch.testing.assert_close(derivatives(x, b), by_reference(lambda b=b: derivatives(x.cpu(), b.cpu())))
