import numpy as np
import pytest
import torch

# largest error that rounding may cause, relative to the largest magnitude of the expected result
TOLERANCES = {torch.float64: 1e-12, torch.float32: 2e-6, torch.float16: 4e-3, torch.bfloat16: 3e-2}


@pytest.fixture(scope="session")
def dtypes():
    return list(TOLERANCES)


@pytest.fixture(scope="session")
def assert_near():
    """assert_near(actual tensor, expected float64 array): equal within what actual's dtype rounds."""

    def check(actual, expected, factor=1.0):
        expected = np.asarray(expected)
        assert list(actual.shape) == list(expected.shape)
        error = np.abs(actual.detach().double().numpy() - expected).max()
        assert error <= factor * TOLERANCES[actual.dtype] * max(np.abs(expected).max(), 1e-3)

    return check


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture(scope="session")
def upfirdn_oracle():
    """upfirdn2d of [N, C, H, W] with a 2-D filter, as a loop over its definition in float64."""

    def zero_insert(x, up_x, up_y):
        n, c, height, width = x.shape
        big = np.zeros((n, c, height * up_y, width * up_x))
        for i in range(height):
            for j in range(width):
                big[:, :, i * up_y, j * up_x] = x[:, :, i, j]
        return big

    def pad(x, x0, x1, y0, y1):
        x = np.pad(x, [(0, 0), (0, 0), (max(y0, 0), max(y1, 0)), (max(x0, 0), max(x1, 0))])
        return x[:, :, max(-y0, 0) : x.shape[2] - max(-y1, 0), max(-x0, 0) : x.shape[3] - max(-x1, 0)]

    def oracle(x, f, up=(1, 1), down=(1, 1), padding=(0, 0, 0, 0), flip=False, gain=1.0):
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
