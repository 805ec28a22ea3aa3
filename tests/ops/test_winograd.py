import pytest
import torch
from torch import Tensor
from torch.nn import functional

from stylegan_ada.ops import winograd


def oracle(x: Tensor, w: Tensor) -> Tensor:
    """By torch, on [N, H, W, C]."""
    return functional.conv2d(x.permute(0, 3, 1, 2), w, padding=1).permute(0, 2, 3, 1)


def tensors(
    count: int = 3,
    height: int = 8,
    width: int = 12,
    channels: int = 5,
    out_channels: int = 7,
    dtype: torch.dtype = torch.float64,
) -> tuple[Tensor, Tensor, Tensor]:
    x = torch.randn(count, height, width, channels, dtype=torch.float64)
    w = torch.randn(out_channels, channels, 3, 3, dtype=torch.float64)
    y = torch.randn(count, height, width, out_channels, dtype=torch.float64)
    return x.to(dtype), w.to(dtype), y.to(dtype)


@pytest.mark.parametrize("size", [(4, 4), (8, 12), (16, 4)])
def test_convolution(size: tuple[int, int]) -> None:
    x, w, _ = tensors(height=size[0], width=size[1])
    torch.testing.assert_close(winograd.convolve(x, w), oracle(x, w), rtol=1e-10, atol=1e-10)


def test_weight_gradient() -> None:
    x, w, y = tensors()
    w.requires_grad_()
    (expected,) = torch.autograd.grad((oracle(x, w) * y).sum(), w)
    torch.testing.assert_close(winograd.weight_gradient(x, y), expected, rtol=1e-10, atol=1e-10)


def test_any_cut_into_chunks_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    x, w, y = tensors(count=5)
    whole, gradient = winograd.convolve(x, w), winograd.weight_gradient(x, y)
    monkeypatch.setattr(winograd, "CACHED", 36 * 6 * 7 * 2)  # two images at a time, so that one is left
    assert len(winograd._chunks(x, y)) == 3
    torch.testing.assert_close(winograd.convolve(x, w), whole, rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(winograd.weight_gradient(x, y), gradient, rtol=1e-12, atol=1e-12)


def test_rounding_in_float32_is_small() -> None:
    x, w, y = tensors(2, 16, 16, 96, 96, dtype=torch.float32)
    for actual, exact in (
        (winograd.convolve(x, w), oracle(x.double(), w.double())),
        (winograd.weight_gradient(x, y), winograd.weight_gradient(x.double(), y.double())),
    ):
        assert (actual - exact).abs().max() < 3e-5 * exact.abs().max()


def test_pays_for_many_channels_and_pixels_only() -> None:
    assert winograd.pays(16, 64, 64, 256, 256)
    assert not winograd.pays(16, 64, 64, 64, 256)
    assert not winograd.pays(1, 8, 8, 512, 512)
    assert not winograd.pays(16, 66, 64, 256, 256)  # no whole tiles
