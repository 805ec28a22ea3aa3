from collections.abc import Callable

import numpy as np
import pytest
import torch

from stylegan_ada.datasets import mirror_images
from stylegan_ada.errors import UserError
from stylegan_ada.random import Draws

N = 800
OUTCOMES: dict[str, list[Callable[[np.ndarray], np.ndarray]]] = {
    "h": [lambda x: x, np.fliplr],
    "v": [lambda x: x, np.flipud],
    "hv": [lambda x: x, np.fliplr, np.flipud, lambda x: np.rot90(x, 2)],
    "quarter": [lambda x: x, np.rot90, lambda x: np.rot90(x, 2), lambda x: np.rot90(x, 3)],
}


def _draws(n: int, first: int = 0) -> Draws:
    return Draws(0, "mirror", torch.arange(first, first + n))


@pytest.mark.parametrize("mode", OUTCOMES)
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_each_image_is_one_of_the_outcomes_as_often(mode: str, dtype: torch.dtype) -> None:
    image = torch.arange(18).reshape(1, 2, 3, 3).to(dtype)
    found = mirror_images(image.expand(N, -1, -1, -1), mode, _draws(N))
    assert found.dtype == dtype
    outcomes = [np.stack([turn(channel) for channel in image[0].numpy()]) for turn in OUTCOMES[mode]]
    which = np.array([[np.array_equal(one, outcome) for outcome in outcomes] for one in found.numpy()])
    assert (which.sum(1) == 1).all()
    shares = which.mean(0)
    deviation = np.sqrt(shares * (1 - shares) / N)
    assert (np.abs(shares - 1 / len(outcomes)) < 4 * deviation).all()


def test_an_image_does_not_depend_on_its_batch() -> None:
    images = torch.rand(6, 3, 4, 4)
    for mode in OUTCOMES:
        whole = mirror_images(images, mode, _draws(6))
        parts = [mirror_images(images[i : i + 2], mode, _draws(2, i)) for i in (0, 2, 4)]
        torch.testing.assert_close(torch.cat(parts), whole, rtol=0, atol=0)


def test_none_changes_and_draws_nothing() -> None:
    images = torch.rand(2, 1, 3, 5)
    draws = _draws(2)
    assert mirror_images(images, None, draws) is images
    torch.testing.assert_close(draws.uniform(), _draws(2).uniform())


def test_oblong_images_flip_but_do_not_turn() -> None:
    images = torch.rand(2, 1, 3, 5)
    assert mirror_images(images, "hv", _draws(2)).shape == images.shape
    with pytest.raises(UserError, match="square images, not 3x5"):
        mirror_images(images, "quarter", _draws(2))
    with pytest.raises(UserError, match="did you mean 'quarter'"):
        mirror_images(images, "quater", _draws(2))
