import json
from typing import Any

import kornia.augmentation
import pytest
import torch
from torch import Tensor

from stylegan_ada import UserError
from stylegan_ada.augment import AugmentPipe
from stylegan_ada.augment.extra import ExtraAugmentations
from stylegan_ada.config import ExtraAugmentation
from stylegan_ada.random import Draws

SHAPE = (1, 12, 16)
P = torch.tensor(0.5)


def entry(name: str, **arguments: float | list[Any]) -> ExtraAugmentation:
    return ExtraAugmentation(name=name, arguments=json.dumps(arguments))


BLUR = entry("RandomGaussianBlur", kernel_size=[3, 3], sigma=[0.5, 2.0])
PERSPECTIVE = entry("RandomPerspective", distortion_scale=0.4)
# before, torch's grid_sample has no second derivative, and what is made of it is refused
TWICE = tuple(map(int, torch.__version__.split(".")[:2])) >= (2, 13)
EXTRA = [BLUR, PERSPECTIVE] if TWICE else [BLUR]


@pytest.fixture
def images() -> Tensor:
    return torch.rand(8, *SHAPE) * 2 - 1


def draws(*indices: int) -> Draws:
    return Draws(0, "test", torch.tensor(indices))


@pytest.mark.parametrize(("extra", "theirs"), [
    (BLUR, kornia.augmentation.RandomGaussianBlur((3, 3), (0.5, 2.0), p=1.0)),
    pytest.param(PERSPECTIVE, kornia.augmentation.RandomPerspective(0.4, p=1.0),
                 marks=pytest.mark.skipif(not TWICE, reason="grid_sample has no second derivative before torch 2.13")),
])  # fmt: skip
def test_images_are_those_of_kornia(extra: ExtraAugmentation, theirs: Any, images: Tensor) -> None:
    """Each alone, with the seed that the image has; the others as they were."""
    pipe = AugmentPipe((), SHAPE, [extra])
    found = pipe(images, draws(*range(8)), P)
    sequence = draws(*range(8))
    fired, seeds = sequence.uniform() < P, sequence.integers(2**24)
    assert 0 < fired.sum() < 8
    for image, changed, fire, seed in zip(images, found, fired, seeds, strict=True):
        torch.manual_seed(int(seed))
        expected = theirs(image[None] / 2 + 0.5)[0] * 2 - 1 if fire else image
        torch.testing.assert_close(changed, expected, atol=1e-5, rtol=0)


def test_an_image_does_not_depend_on_its_batch(images: Tensor) -> None:
    pipe = AugmentPipe(("blit", "geom"), SHAPE, EXTRA)
    together = pipe(images, draws(*range(8)), P)
    apart = torch.cat([pipe(images[5:7], draws(5, 6), P), pipe(images[2:3], draws(2), P)])
    torch.testing.assert_close(apart, together[[5, 6, 2]], atol=1e-5, rtol=0)


def test_drawing_leaves_the_global_random_numbers_alone(images: Tensor) -> None:
    state = torch.random.get_rng_state()
    AugmentPipe((), SHAPE, [BLUR])(images, draws(*range(8)), P)
    assert torch.equal(torch.random.get_rng_state(), state)


@pytest.mark.parametrize("p", [0.0, 1.0])
def test_p_is_how_often(p: float, images: Tensor) -> None:
    changed = AugmentPipe((), SHAPE, [BLUR])(images, draws(*range(8)), torch.tensor(p)) != images
    assert changed.flatten(1).any(1).float().mean() == p


def test_two_derivatives(images: Tensor) -> None:
    pipe = AugmentPipe((), SHAPE, EXTRA)
    parameters = pipe.draw(draws(0, 1), torch.tensor(1.0))
    x = (images[:2] * 0.9).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: pipe.apply(x, parameters)[:, :, ::3, ::4], x)
    assert torch.autograd.gradgradcheck(lambda x: pipe.apply(x, parameters)[:, :, ::6, ::8].square(), x)


@pytest.mark.skipif(TWICE, reason="grid_sample has a second derivative from torch 2.13 on")
def test_without_a_second_derivative_it_is_refused() -> None:
    with pytest.raises(UserError, match="RandomPerspective: derivative"):
        AugmentPipe((), SHAPE, [PERSPECTIVE])


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (entry("RandomGausianBlur"), "did you mean 'RandomGaussianBlur'"),
        (entry("Sequential"), "no such augmentation"),
        (entry("RandomGaussianBlur", kernel=3), "RandomGaussianBlur: .*kernel"),
        (entry("RandomPosterize"), "RandomPosterize: .*gradient"),
        (entry("CenterCrop", size=8), r"CenterCrop: makes \[8, 8\] of \[12, 16\] pixels"),
        (entry("RandomSnow"), "RandomSnow: .*3"),
    ],
)
def test_what_cannot_be_used_is_refused(wrong: ExtraAugmentation, message: str) -> None:
    with pytest.raises(UserError, match=message):
        AugmentPipe((), SHAPE, [wrong])


@pytest.mark.parametrize("name", ["RandomElasticTransform", "RandomThinPlateSpline", "RandomAffine"])
def test_masks_move_with_all_that_moves(name: str) -> None:
    """Channels behind the image's that are the same as it stay so; kornia counts some of these as no geometry."""
    moving = entry(name, **({"degrees": 30.0} if name == "RandomAffine" else {}))
    try:
        extra = ExtraAugmentations([moving], SHAPE)
    except UserError:
        pytest.skip("it cannot be differentiated twice, and is refused")
    image = torch.rand(4, *SHAPE) * 2 - 1
    pairs = torch.cat([image, image, image], dim=1)
    made = extra(pairs, extra.draw(draws(*range(4)), torch.tensor(1.0)))
    assert not torch.equal(made, pairs)
    assert torch.equal(made[:, 0], made[:, 1])
    assert torch.equal(made[:, 0], made[:, 2])
