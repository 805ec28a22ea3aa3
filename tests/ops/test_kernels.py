"""What the kernels have beyond the reference; the tests of the ops themselves run for both."""

import copy
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from stylegan_ada.ops import bias_act, bias_act_cuda, setup_filter, upfirdn2d, upfirdn2d_cuda
from stylegan_ada.ops.bias_act_reference import ACTIVATIONS

CLAMP = 1.3  # lies above the nearest fp16 and the nearest bf16 number
LAYOUTS = [torch.contiguous_format, torch.channels_last]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("act", ["lrelu", "swish", "tanh"])
def test_derivatives_of_every_dtype(
    act: str,
    layout: Any,
    dtypes: list[torch.dtype],
    assert_near: Callable[..., Any],
    by_kernel: Any,
    rng: np.random.Generator,
) -> None:
    for dtype in dtypes:
        x, g, h = (torch.tensor(rng.normal(size=(2, 16, 4, 8))).to(dtype).to(memory_format=layout) for _ in range(3))
        b = torch.tensor(rng.normal(size=16)).to(dtype)
        v = bias_act(x.double(), b, act=act).abs()
        x = torch.where((v - CLAMP).abs() < 0.02, 0, x)  # by rounding these may lie on either side
        found = [*derivatives(x, b, g, h, act)]
        expected = [*definition(*(t.double().cpu() for t in (x, b, g, h)), act)]
        for a, e in zip(found, expected, strict=True):
            assert a.dtype == dtype
            assert_near(a, e.numpy(), factor=4)  # sums of 64 rounded numbers among them


def derivatives(x: Tensor, b: Tensor, g: Tensor, h: Tensor, act: str) -> Iterator[Any]:
    x, b, g = (t.detach().requires_grad_() for t in (x, b, g))
    y = bias_act(x, b, act=act, clamp=CLAMP)
    x_gradient, b_gradient = torch.autograd.grad(y, (x, b), g, create_graph=True)
    yield x_gradient.detach()
    yield b_gradient.detach()
    yield from torch.autograd.grad(x_gradient, (g, x) if act in ("swish", "tanh") else g, h)


def definition(x: Tensor, b: Tensor, g: Tensor, h: Tensor, act: str) -> Iterator[Any]:
    """The same by torch's own functions in float64."""
    functions = {"lrelu": lambda u: nn.functional.leaky_relu(u, 0.2), "swish": nn.functional.silu, "tanh": torch.tanh}
    functions["linear"] = lambda u: u
    x, b, g = (t.contiguous().requires_grad_() for t in (x, b, g))
    gain = 1 if act in ("tanh", "linear") else 2**0.5
    y = (functions[act](x + b[:, None, None]) * gain).clamp(-CLAMP, CLAMP)
    x_gradient, b_gradient = torch.autograd.grad(y, (x, b), g, create_graph=True)
    yield x_gradient.detach()
    yield b_gradient.detach()
    yield from torch.autograd.grad(x_gradient, (g, x) if act in ("swish", "tanh") else g, h)


@pytest.mark.parametrize("act", ACTIVATIONS)
def test_opcheck_of_bias_act(act: str, by_kernel: Any) -> None:
    x, b = torch.randn(2, 3, 2, 2, requires_grad=True), torch.randn(3, requires_grad=True)
    g, h = torch.randn_like(x, requires_grad=True), torch.randn_like(x)
    rest = (1, act, 0.2, 1.5, 1.0)
    torch.library.opcheck(bias_act_cuda.forward.registered, (x, b, *rest))
    torch.library.opcheck(bias_act_cuda.first.registered, (g, x, None if act in bias_act_cuda.PIECEWISE else b, *rest))
    if act not in bias_act_cuda.PIECEWISE:
        torch.library.opcheck(bias_act_cuda.second.registered, (h, g.detach(), x.detach(), b.detach(), *rest))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_opcheck_of_upfirdn2d(layout: Any, by_kernel: Any) -> None:
    x = torch.randn(2, 3, 4, 5).to(memory_format=layout).requires_grad_()
    torch.library.opcheck(
        upfirdn2d_cuda.upfirdn2d.registered, (x, torch.randn(4, 3), [2, 1], [1, 2], [1, 2, 3, -1], True, 1.5)
    )


class Layer(nn.Module):
    """An up-convolution's tail."""

    def __init__(self) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.randn(4))
        self.register_buffer("f", setup_filter([1, 3, 3, 1]))

    def forward(self, x: Tensor) -> Tensor:
        return bias_act(upfirdn2d(x, self.f, up=2, padding=(2, 1, 2, 1)), self.bias, act="lrelu", clamp=256)


def test_a_compiled_layer(by_kernel: Any) -> None:
    layer, x = Layer(), torch.randn(2, 4, 6, 6, requires_grad=True)
    twin = copy.deepcopy(layer)
    compiled = torch.compile(twin, fullgraph=True, backend="aot_eager")
    for module in (layer, compiled):
        module(x).square().sum().backward()
    torch.testing.assert_close(compiled(x), layer(x))
    torch.testing.assert_close(twin.bias.grad, layer.bias.grad)


def test_tensors_that_fit_no_pack(by_kernel: Any, assert_near: Callable[..., Any], rng: np.random.Generator) -> None:
    """Odd sizes, views that begin anywhere, columns of a matrix."""
    whole = torch.tensor(rng.normal(size=(3, 9, 7, 11)), dtype=torch.float32)
    for x in (whole[:, 1:], whole[1:], whole.flatten()[1:].view(1, 1, -1, 1)[:, :, :300], whole.transpose(2, 3)):
        b = torch.tensor(rng.normal(size=x.shape[1]))
        expected = x.double().cpu().numpy() + b.cpu().numpy()[:, None, None]
        assert_near(bias_act(x, b), expected)
        assert_near(upfirdn2d(x, torch.ones(1, 1)), x.double().cpu().numpy())
    matrix = torch.tensor(rng.normal(size=(6, 8)))
    assert_near(bias_act(matrix.t(), torch.zeros(6), dim=1, gain=2.0), 2 * matrix.cpu().numpy().T)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_long_filters_and_large_factors(
    layout: Any,
    by_kernel: Any,
    upfirdn_oracle: Callable[..., Any],
    assert_near: Callable[..., Any],
    rng: np.random.Generator,
) -> None:
    """What goes by a loop."""
    x = torch.tensor(rng.normal(size=(2, 3, 7, 8))).to(memory_format=layout)
    for taps, up, down in (((7, 9), (2, 1), (1, 3)), ((2, 3), (5, 1), (1, 6)), ((1, 40), (1, 2), (2, 1))):
        f, padding = rng.normal(size=taps), (20, 15, 3, -1)
        expected = upfirdn_oracle(x.cpu(), f, up, down, padding, True)
        assert_near(upfirdn2d(x, torch.tensor(f), up, down, padding, flip_filter=True), expected)


@pytest.mark.parametrize("act", ["linear", "lrelu", "swish"])
def test_derivatives_of_views(
    act: str, by_kernel: Any, assert_near: Callable[..., Any], rng: np.random.Generator
) -> None:
    whole = torch.tensor(rng.normal(size=(2, 5, 4, 6)))
    for x in (whole[:, 1:], whole[..., 1:], whole[:, :1].expand(2, 5, 4, 6), whole.transpose(1, 3)):
        b = torch.tensor(rng.normal(size=x.shape[1]))
        g, h = (torch.tensor(rng.normal(size=x.shape)) for _ in range(2))
        expected = definition(*(t.cpu() for t in (x, b, g, h)), act)
        for a, e in zip(derivatives(x, b, g, h, act), expected, strict=True):
            assert_near(a, e.numpy())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_every_number_of_16_bits(dtype: torch.dtype, by_kernel: Any) -> None:
    """Read, doubled, halved and written: NaN stays NaN, infinities and subnormal numbers stay."""
    numbers = torch.tensor(np.arange(2**16, dtype=np.uint16).view(np.int16)).view(dtype)
    found = bias_act(numbers[None], torch.zeros(1, dtype=dtype), dim=0)
    assert torch.equal(found[0].isnan(), numbers.isnan())
    known = ~numbers.isnan()
    assert torch.equal(found[0][known], numbers[known])


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_rounding_to_16_bits(dtype: torch.dtype, by_kernel: Any) -> None:
    """Every number, and every midpoint between two, scaled by 1/2 and 3/4, rounds as torch rounds."""
    numbers = torch.tensor(np.arange(2**16, dtype=np.uint16).view(np.int16)).view(dtype)[None]
    for gain in (0.5, 0.75):
        found = bias_act(numbers, torch.zeros(1, dtype=dtype), dim=0, gain=gain)
        expected = (numbers.float() * gain).to(dtype)
        assert torch.equal(found.nan_to_num(nan=7), expected.nan_to_num(nan=7))


def test_more_elements_than_32_bits_count(by_kernel: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the CPU the last blocks only, of tensors whose other pages are never touched."""
    x = torch.empty(2, 2**30 + 8, dtype=torch.float16)
    x[1, -8:] = torch.arange(8)
    if by_kernel:
        monkeypatch.setattr(by_kernel, "last_blocks", 2)
    y = bias_act(x, torch.tensor([1.0, 2.0]), dim=0)
    assert y[1, -8:].tolist() == list(range(2, 10))


@pytest.mark.parametrize("taps", [4, 40])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_images_of_more_elements_than_32_bits_count(
    layout: Any, taps: int, by_kernel: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shape = (1, 2, 2**15 + 1, 2**15 + 8)
    x = torch.empty(shape, dtype=torch.float16, memory_format=layout)
    x[:, :, -1] = torch.arange(shape[3]) % 8
    if by_kernel:
        monkeypatch.setattr(by_kernel, "last_blocks", 2)
    y = upfirdn2d(x, torch.ones(1, taps))
    assert y[0, 1, -1, -4:].tolist() == [sum((n - taps + 1 + k) % 8 for k in range(taps)) for n in range(4, 8)]
