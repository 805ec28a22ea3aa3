import json

import numpy as np
import pytest
import torch
from torch import Tensor

from stylegan_ada.augment import AugmentPipe
from stylegan_ada.config import ExtraAugmentation
from stylegan_ada.config.augment import AUGMENT_GROUPS
from stylegan_ada.leaks.probes import probes
from stylegan_ada.random import Draws

BLUR = ExtraAugmentation(name="RandomGaussianBlur", arguments=json.dumps({"kernel_size": 3, "sigma": [0.5, 2]}))


def draws() -> Draws:
    return Draws(0, "test", torch.arange(32))


@pytest.fixture
def images() -> Tensor:
    return torch.rand(32, 1, 8, 8) * 2 - 1


def test_names() -> None:
    found = probes(AUGMENT_GROUPS, [BLUR, BLUR], (1, 8, 8))
    assert list(found) == ["mirrored", "turned", "inverted", "geom", "filter", "noise", "cutout",
                           "RandomGaussianBlur", "RandomGaussianBlur 2"]  # fmt: skip
    assert probes((), (), (1, 8, 8)) == {}


def test_mirrored_and_inverted(images: Tensor) -> None:
    found = probes(["blit", "color"], (), (1, 8, 8))
    np.testing.assert_array_equal(found["mirrored"](images, draws()), images.numpy()[..., ::-1])
    np.testing.assert_array_equal(found["inverted"](images, draws()), -images.numpy())


def test_turned_by_any_quarter_turn_but_none(images: Tensor) -> None:
    turned = probes(["blit"], (), (1, 8, 8))["turned"](images, draws()).numpy()
    quarters = [np.rot90(images, k, axes=(2, 3)) for k in range(4)]
    which = [[np.array_equal(one, quarter[i]) for quarter in quarters].index(True) for i, one in enumerate(turned)]
    assert set(which) == {1, 2, 3}


def test_half_turns_where_images_are_not_square() -> None:
    images = torch.rand(8, 1, 8, 12)
    sequence = Draws(0, "test", torch.arange(8))
    turned = probes(["blit"], (), (1, 8, 12))["turned"](images, sequence)
    np.testing.assert_array_equal(turned, images.numpy()[..., ::-1, ::-1])


def test_others_fire_always(images: Tensor) -> None:
    found = probes(["geom"], [BLUR], (1, 8, 8))
    one = torch.tensor(1.0)
    for name, pipe in (
        ("geom", AugmentPipe(["geom"], (1, 8, 8))),
        ("RandomGaussianBlur", AugmentPipe([], (1, 8, 8), [BLUR])),
    ):
        changed = found[name](images, draws())
        assert ((changed - images).abs().amax(dim=(1, 2, 3)) > 1e-3).all()
        torch.testing.assert_close(changed, pipe(images, draws(), one))
