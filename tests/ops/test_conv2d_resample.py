import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.signal
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from stylegan_ada.ops import conv2d_resample, setup_filter


def oracle(
    x: np.ndarray,
    w: np.ndarray,
    f: np.ndarray,
    up: int,
    down: int,
    padding: tuple[int, ...],
    groups: int,
    flip_weight: bool,
    flip_filter: bool,
) -> np.ndarray:
    """Zeros inserted, everything convolved in full by scipy, then the wanted part cut out."""
    x0, x1, y0, y1 = padding
    if up > 1 or down > 1:  # what keeps the middle of the image in the middle
        fh, fw = f.shape
        for taps, is_x in [(fw, True), (fh, False)]:
            total = taps - 1 if up > 1 else taps - down
            before = int(np.ceil((taps + up - 2) / 2)) if up > 1 else int(np.ceil(total / 2))
            if is_x:
                x0, x1 = x0 + before, x1 + total - before
            else:
                y0, y1 = y0 + before, y1 + total - before
    else:
        f = np.ones((1, 1))
    height, width = x.shape[2:]
    big = np.zeros((*x.shape[:2], height * up, width * up))
    big[:, :, ::up, ::up] = x
    (fh, fw), (kh, kw) = f.shape, w.shape[2:]
    taps = (f[::-1, ::-1] if flip_filter else f) * up**2
    per_group_in, per_group_out = w.shape[1], w.shape[0] // groups
    images = []
    for sample in big:
        channels = []
        for o in range(w.shape[0]):
            total = 0.0
            for i in range(per_group_in):
                kernel = w[o, i, ::-1, ::-1] if flip_weight else w[o, i]
                filtered = scipy.signal.convolve2d(sample[o // per_group_out * per_group_in + i], taps, "full")
                total = total + scipy.signal.convolve2d(filtered, kernel, "full")
            # padding by the size of both kernels, less one, would give all of this
            edge_y, edge_x = fh + kh - 2, fw + kw - 2
            total = np.pad(total, 50)
            total = total[50 + edge_y - y0 :, 50 + edge_x - x0 :]
            total = total[: height * up + y0 + y1 - edge_y, : width * up + x0 + x1 - edge_x]
            channels.append(total[::down, ::down])
        images.append(channels)
    return np.array(images)


CASES = [
    (up, down, kernel, groups)
    for up, down in [(1, 1), (2, 1), (1, 2), (3, 1), (1, 3)]
    for kernel in [(1, 1), (3, 3), (2, 2), (3, 1)]
    for groups in [1, 2]
]


@pytest.fixture(params=["rows of any length", "even rows"])
def rows(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a CPU, and as on a GPU."""
    if request.param == "even rows":
        module = importlib.import_module("stylegan_ada.ops.conv2d_resample")  # the name alone is the function
        monkeypatch.setattr(module, "_to_even", lambda x, width: width % 2)


@pytest.mark.parametrize(("up", "down", "kernel", "groups"), CASES)
def test_equals_the_definition(
    up: int,
    down: int,
    kernel: tuple[int, int],
    groups: int,
    rows: None,
    rng: np.random.Generator,
    assert_near: Callable[..., Any],
) -> None:
    for flip_weight in [False, True]:
        flip_filter = bool(rng.integers(2))
        x, w = rng.normal(size=(2, 4, 7, 6)), rng.normal(size=(6, 4 // groups, *kernel))
        f = rng.normal(size=rng.integers(2, 6, 2))
        padding = tuple(rng.integers(-1, 4, 4).tolist())
        expected = oracle(x, w, f, up, down, padding, groups, flip_weight, flip_filter)
        actual = conv2d_resample(
            torch.tensor(x), torch.tensor(w), torch.tensor(f), up, down, padding, groups, flip_weight, flip_filter
        )
        assert_near(actual, expected)


@pytest.mark.parametrize(("up", "down"), [(1, 1), (2, 1), (1, 2)])
@pytest.mark.parametrize("k", [1, 3, 5])
def test_padding_of_half_a_kernel_keeps_the_size(k: int, up: int, down: int) -> None:
    f = setup_filter([1, 3, 3, 1])
    y = conv2d_resample(torch.zeros(1, 2, 12, 8), torch.zeros(3, 2, k, k), f, up=up, down=down, padding=k // 2)
    assert y.shape == (1, 3, 12 * up // down, 8 * up // down)


@pytest.mark.parametrize(("up", "down"), [(2, 1), (1, 2)])
def test_without_and_with_separable_filter(
    up: int, down: int, rng: np.random.Generator, assert_near: Callable[..., Any]
) -> None:
    x, w, taps = rng.normal(size=(1, 2, 6, 8)), rng.normal(size=(3, 2, 3, 3)), rng.normal(size=4)
    for f, full in [(None, np.ones((1, 1))), (torch.tensor(taps), np.outer(taps, taps))]:
        expected = oracle(x, w, full, up, down, (1, 1, 1, 1), 1, True, False)
        assert_near(conv2d_resample(torch.tensor(x), torch.tensor(w), f, up, down, padding=1), expected)


@pytest.mark.parametrize(("up", "down"), [(1, 1), (2, 1), (1, 2)])
def test_every_dtype(
    up: int, down: int, rng: np.random.Generator, dtypes: list[torch.dtype], assert_near: Callable[..., Any]
) -> None:
    f = setup_filter([1, 3, 3, 1])
    for dtype in dtypes:
        x, w = torch.tensor(rng.normal(size=(2, 8, 6, 8))).to(dtype), torch.tensor(rng.normal(size=(5, 8, 3, 3)))
        w = w.to(dtype).float()
        y = conv2d_resample(x, w, f, up, down, padding=1)
        assert y.dtype == dtype
        expected = oracle(
            x.double().numpy(), w.double().numpy(), f.double().numpy(), up, down, (1, 1, 1, 1), 1, True, False
        )
        assert_near(y, expected)


@pytest.mark.parametrize(("up", "down"), [(1, 1), (2, 1), (1, 2)])
@pytest.mark.parametrize("k", [1, 3])
def test_gradients(k: int, up: int, down: int) -> None:
    torch.manual_seed(2)
    x = torch.randn(1, 2, 4, 2, dtype=torch.float64, requires_grad=True)
    w = torch.randn(2, 2, k, k, dtype=torch.float64, requires_grad=True)
    f = setup_filter([1, 3, 3, 1])

    def function(x: Tensor, w: Tensor) -> Tensor:
        return conv2d_resample(x, w, f, up, down, padding=k // 2)

    assert gradcheck(function, (x, w))
    assert gradgradcheck(function, (x, w))


@pytest.mark.parametrize(
    ("change", "message"),
    [({"x": torch.zeros(2, 4, 4)}, "4 dimensions"), ({"w": torch.zeros(2, 2)}, "4 dimensions"), ({"up": 0}, "up and"),
     ({"up": 2, "down": 2}, "up and"), ({"padding": (1, 2, 3)}, "padding must")],
)  # fmt: skip
def test_exceptions(change: dict[str, Any], message: str) -> None:
    arguments = {"x": torch.zeros(1, 2, 4, 4), "w": torch.zeros(3, 2, 1, 1)} | change
    with pytest.raises(ValueError, match=message):
        conv2d_resample(**arguments)
