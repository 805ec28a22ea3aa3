from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from stylegan_ada.ops import downsample2d, filter2d, setup_filter, upfirdn2d, upsample2d


def random_case(
    rng: np.random.Generator, up_limit: int, down_limit: int
) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """x, f and arguments of upfirdn2d, whose output has at least one pixel."""
    while True:
        x = rng.normal(size=(*rng.integers(1, 4, 2), *rng.integers(4, 9, 2)))  # 4 pixels: a crop of 3 leaves one
        f = rng.normal(size=rng.integers(1, 7, 2))
        up, down = tuple(rng.integers(1, up_limit, 2).tolist()), tuple(rng.integers(1, down_limit, 2).tolist())
        x0, x1, y0, y1 = padding = tuple(rng.integers(-3, 7, 4).tolist())
        if x.shape[2] * up[1] + y0 + y1 >= f.shape[0] and x.shape[3] * up[0] + x0 + x1 >= f.shape[1]:
            return x, f, {"up": up, "down": down, "padding": padding}


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize(("up_limit", "down_limit"), [(2, 2), (4, 2), (2, 4), (4, 4)])
def test_equals_the_definition(
    up_limit: int,
    down_limit: int,
    flip: bool,
    rng: np.random.Generator,
    dtypes: list[torch.dtype],
    upfirdn_oracle: Callable[..., Any],
    assert_near: Callable[..., Any],
    implementation: str,
) -> None:
    layouts = [torch.contiguous_format, torch.channels_last]
    for index in range(6 if implementation == "host" else 40):  # each of them is a kernel to be built
        x, f, arguments = random_case(rng, up_limit, down_limit)
        dtype, layout = dtypes[index % 4], layouts[index // 2 % 2]
        images, taps = torch.tensor(x).to(dtype).to(memory_format=layout), torch.tensor(f)
        expected = upfirdn_oracle(images.double().cpu(), taps.double().cpu().numpy(), **arguments, flip=flip, gain=1.7)
        actual = upfirdn2d(images, taps, **arguments, flip_filter=flip, gain=1.7)
        assert_near(actual, expected, factor=2)


def test_equals_scipy_upfirdn_along_one_axis(
    rng: np.random.Generator, assert_near: Callable[..., Any], implementation: str
) -> None:
    x, f = rng.normal(size=(2, 3, 5, 9)), rng.normal(size=4)
    expected = scipy.signal.upfirdn(f, x, up=3, down=2, axis=3)
    # scipy gives all of the convolution, from 3 pixels before the first; the last zeros are not inserted
    actual = upfirdn2d(torch.tensor(x), torch.tensor(f)[None], up=(3, 1), down=(2, 1), padding=(3, 1, 0, 0))
    assert_near(actual, expected)


def test_convolution_and_correlation_equal_scipy(
    rng: np.random.Generator, assert_near: Callable[..., Any], implementation: str
) -> None:
    x, f = rng.normal(size=(6, 9)), rng.normal(size=(3, 4))
    image, taps = torch.tensor(x)[None, None], torch.tensor(f)
    assert_near(upfirdn2d(image, taps)[0, 0], scipy.signal.convolve2d(x, f, "valid"))
    assert_near(upfirdn2d(image, taps, flip_filter=True)[0, 0], scipy.signal.correlate2d(x, f, "valid"))


@pytest.mark.parametrize("flip", [False, True])
def test_one_dimensional_filter_is_its_outer_product(
    flip: bool,
    rng: np.random.Generator,
    upfirdn_oracle: Callable[..., Any],
    assert_near: Callable[..., Any],
    implementation: str,
) -> None:
    for up, down in [((1, 1), (1, 1)), ((2, 3), (1, 1)), ((1, 1), (3, 2)), ((3, 2), (2, 2))]:
        x, f = rng.normal(size=(2, 2, 7, 6)), rng.normal(size=5)
        padding = (4, 1, -1, 5)
        expected = upfirdn_oracle(x, np.outer(f, f), up, down, padding, flip, gain=3.0)
        actual = upfirdn2d(torch.tensor(x), torch.tensor(f), up, down, padding, flip_filter=flip, gain=3.0)
        assert_near(actual, expected)


@pytest.mark.parametrize(
    ("padding", "sides"), [(2, (2, 2, 2, 2)), ((3, -1), (3, 3, -1, -1)), ([3, 1, 2, 4], (3, 1, 2, 4))]
)
def test_padding_forms(
    padding: int | list[int] | tuple[int, int],
    sides: tuple[int, ...],
    rng: np.random.Generator,
    upfirdn_oracle: Callable[..., Any],
    assert_near: Callable[..., Any],
    implementation: str,
) -> None:
    x, f = rng.normal(size=(1, 2, 6, 5)), rng.normal(size=(3, 2))
    actual = upfirdn2d(torch.tensor(x), torch.tensor(f), up=2, down=3, padding=padding)
    assert_near(actual, upfirdn_oracle(x, f, (2, 2), (3, 3), sides))


@pytest.mark.parametrize("memory_format", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(("up", "down", "padding"), [(2, 1, (2, 1, 2, 1)), (1, 2, 1), (1, 1, (2, 1, 2, 1)), (2, 3, 2)])
def test_every_dtype_and_memory_format(
    up: int,
    down: int,
    padding: int | tuple[int, ...],
    memory_format: Any,
    rng: np.random.Generator,
    dtypes: list[torch.dtype],
    upfirdn_oracle: Callable[..., Any],
    assert_near: Callable[..., Any],
    implementation: str,
) -> None:
    f = setup_filter([1, 3, 3, 1])
    sides = padding if isinstance(padding, tuple) else (padding,) * 4
    for dtype in dtypes:
        x = torch.tensor(rng.normal(size=(2, 16, 6, 8))).to(dtype).to(memory_format=memory_format)
        expected = upfirdn_oracle(x.double().cpu().numpy(), f.double().cpu().numpy(), (up, up), (down, down), sides)
        y = upfirdn2d(x, f, up=up, down=down, padding=padding)
        assert y.dtype == dtype
        assert_near(y, expected)


@pytest.mark.parametrize(
    ("up", "down", "padding", "taps"),
    [(1, 1, (2, 1, 2, 1), (4, 4)), (2, 1, (2, 1, 2, 1), (4, 4)), (1, 2, 1, (4, 4)), (2, 2, (-1, 3, 0, 2), (3, 2)),
     ((3, 1), (1, 2), 2, (5,))],
)  # fmt: skip
def test_gradients(
    up: int | tuple[int, int],
    down: int | tuple[int, int],
    padding: int | tuple[int, ...],
    taps: tuple[Any, ...],
    implementation: str,
) -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 2, 4, 3, dtype=torch.float64, requires_grad=True)
    f = torch.randn(taps, dtype=torch.float64)

    def function(x: Tensor) -> Tensor:
        # squared, so that the second derivative is not zero
        return upfirdn2d(x, f, up=up, down=down, padding=padding).square()

    assert gradcheck(function, x)
    assert gradgradcheck(function, x)


def test_results_are_channels_last_on_the_cpu() -> None:
    """What follows then runs in the fast layout too."""
    f = setup_filter([1, 3, 3, 1])
    for resample in [upsample2d, downsample2d, filter2d]:
        assert resample(torch.randn(2, 3, 4, 6), f).is_contiguous(memory_format=torch.channels_last)


def test_input_is_left_alone(implementation: str) -> None:
    x = torch.randn(1, 2, 4, 4)
    f = torch.randn(3, 3)
    before_x, before_f = x.clone(), f.clone()
    upfirdn2d(x, f, up=2, gain=4, padding=2)
    assert torch.equal(x, before_x)
    assert torch.equal(f, before_f)


@pytest.mark.parametrize(
    ("change", "message"),
    [({"x": torch.zeros(3, 4, 4)}, r"\[N, C, H, W\]"), ({"f": torch.zeros(2, 2, 2)}, "filter"),
     ({"f": torch.zeros(0)}, "filter"), ({"up": 0}, "up must"), ({"down": (1, -1)}, "down must"),
     ({"up": (2, 2, 2)}, "up must"), ({"padding": (1, 2, 3)}, "padding must"), ({"padding": -3}, "would be"),
     ({"f": torch.zeros(5, 5)}, "would be")],
)  # fmt: skip
def test_exceptions(change: dict[str, Any], message: str) -> None:
    arguments = {"x": torch.zeros(1, 1, 4, 4), "f": torch.ones(2, 2)} | change
    with pytest.raises(ValueError, match=message):
        upfirdn2d(**arguments)


@pytest.mark.parametrize("taps", [[1, 3, 3, 1], [1, 2, 1], [1, 1], [1], [1, 4, 6, 4, 1], [1, 2, 3, 4, 5, 4, 3, 2, 1]])
def test_resampling_keeps_size_mean_and_place(taps: list[int], implementation: str) -> None:
    f = setup_filter(taps)
    x = torch.zeros(1, 1, 24, 18)
    x[:, :, 11:13, 8:10] = 1  # in the middle: its centre of mass must stay there
    for y, scale in [(upsample2d(x, f), 2), (downsample2d(x, f), 0.5), (filter2d(x, f), 1)]:
        assert y.shape == (1, 1, 24 * scale, 18 * scale)
        torch.testing.assert_close(y.sum(), x.sum() * scale**2, rtol=1e-5, atol=0)
        rows, columns = y.sum([0, 1, 3]), y.sum([0, 1, 2])
        # a filter with an odd number of taps cannot be centred between two pixels: it is half a pixel off
        slack = 1e-4 if len(taps) % 2 == (scale == 1) else 0.5001
        for mass, size in [(rows, y.shape[2]), (columns, y.shape[3])]:
            centre = float((mass * torch.arange(size)).sum() / mass.sum())
            assert abs(centre - (size - 1) / 2) <= slack


def test_upsampling_a_constant_gives_the_constant(implementation: str) -> None:
    y = upsample2d(torch.full((1, 3, 8, 8), 0.75), setup_filter([1, 3, 3, 1]), gain=2)
    torch.testing.assert_close(y[:, :, 2:-2, 2:-2], torch.full((1, 3, 12, 12), 1.5))


def test_resampling_by_a_pair_and_of_odd_sizes(implementation: str) -> None:
    f = setup_filter([1, 3, 3, 1])
    assert upsample2d(torch.zeros(1, 1, 5, 7), f, up=(1, 3)).shape == (1, 1, 15, 7)
    assert downsample2d(torch.zeros(1, 1, 7, 9), f, down=(2, 3)).shape == (1, 1, 2, 4)
    assert filter2d(torch.zeros(1, 1, 5, 7), f).shape == (1, 1, 5, 7)


def test_setup_filter() -> None:
    f = setup_filter([1, 3, 3, 1])
    assert f.dtype == torch.float32
    np.testing.assert_allclose(f.numpy(), np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64)
    assert setup_filter(range(1, 13)).shape == (12,)
    assert float(setup_filter(range(1, 13)).sum()) == pytest.approx(1)
    np.testing.assert_allclose(setup_filter([[1, 2], [3, 4]]).numpy(), np.array([[1, 2], [3, 4]]) / 10, rtol=1e-6)
    with pytest.raises(ValueError, match="sum to 0"):
        setup_filter([1, -1])
    with pytest.raises(ValueError, match="taps must be"):
        setup_filter(1.0)
