import dataclasses

import pytest
import torch
from torch import Tensor
from torch.autograd import gradcheck, gradgradcheck

from stylegan_ada.augment import AugmentParameters, AugmentPipe
from stylegan_ada.config.augment import AUGMENT_GROUPS
from stylegan_ada.errors import UserError
from stylegan_ada.random import Draws

SHAPES = [(1, 8, 8), (2, 8, 6), (3, 6, 8), (4, 4, 4), (3, 2, 3)]


def draws(*indices: int) -> Draws:
    return Draws(3, "augment", torch.tensor(indices))


def images(count: int, shape: tuple[int, int, int], dtype: torch.dtype = torch.float32) -> Tensor:
    return (2 * torch.rand(count, *shape, generator=torch.Generator().manual_seed(0)) - 1).to(dtype)


def tensors(parameters: AugmentParameters) -> dict[str, Tensor | None]:
    return {field.name: getattr(parameters, field.name) for field in dataclasses.fields(parameters)}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_shape_and_dtype_are_kept(shape: tuple[int, int, int], dtype: torch.dtype) -> None:
    pipe = AugmentPipe(AUGMENT_GROUPS, shape)
    result = pipe(images(5, shape, dtype), draws(*range(5)), torch.tensor(0.9))
    assert result.shape == (5, *shape)
    assert result.dtype == dtype
    assert result.isfinite().all()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("group", AUGMENT_GROUPS)
def test_p_of_zero_is_the_identity_and_of_one_is_not(shape: tuple[int, int, int], group: str) -> None:
    pipe = AugmentPipe([group], shape)
    x = images(6, shape)
    result = pipe(x, draws(*range(6)), torch.tensor(0.0))
    if group == "geom":
        torch.testing.assert_close(result, x, rtol=0, atol=1e-5)
    else:
        assert torch.equal(result, x)
    assert not torch.allclose(pipe(x, draws(*range(6)), torch.tensor(1.0)), x, atol=0.01)


def test_half_precision_is_the_full_one_rounded() -> None:
    pipe = AugmentPipe(AUGMENT_GROUPS, (3, 16, 16))
    parameters = pipe.draw(draws(*range(8)), torch.tensor(0.7))
    x = images(8, (3, 16, 16), torch.bfloat16)
    assert torch.equal(pipe.apply(x, parameters), pipe.apply(x.float(), parameters).bfloat16())


def test_groups_that_are_off_have_no_parameters() -> None:
    names = dict(zip(AUGMENT_GROUPS, ("blit", "geometry", "color", "bands", "noise", "cutout"), strict=True))
    for group, name in names.items():
        parameters = tensors(AugmentPipe([group], (3, 8, 8)).draw(draws(0), torch.tensor(0.5)))
        assert [key for key, value in parameters.items() if value is not None] == [name]


def test_order_of_names_does_not_matter() -> None:
    x = images(4, (3, 8, 8))
    one = AugmentPipe(("color", "geom", "blit"), (3, 8, 8))(x, draws(*range(4)), torch.tensor(0.8))
    other = AugmentPipe(("blit", "geom", "color"), (3, 8, 8))(x, draws(*range(4)), torch.tensor(0.8))
    assert torch.equal(one, other)


def test_drawn_parameters_replay() -> None:
    pipe = AugmentPipe(AUGMENT_GROUPS, (1, 8, 8))
    x, p = images(4, (1, 8, 8)), torch.tensor(0.8)
    parameters = pipe.draw(draws(*range(4)), p)
    first = pipe.apply(x, parameters)
    assert torch.equal(first, pipe.apply(x, parameters))
    assert torch.equal(first, pipe(x, draws(*range(4)), p))


def test_an_image_is_augmented_alike_in_any_batch() -> None:
    pipe, p = AugmentPipe(AUGMENT_GROUPS, (3, 8, 8)), torch.tensor(0.6)
    together = tensors(pipe.draw(draws(*range(10)), p))
    alone = tensors(pipe.draw(draws(7, 2), p))
    del together["extra"]  # tests/augment/test_extra.py
    for name, values in together.items():
        other = alone[name]
        assert values is not None
        assert other is not None
        assert torch.equal(values[[7, 2]], other), name
    x = images(10, (3, 8, 8))
    torch.testing.assert_close(pipe(x, draws(*range(10)), p)[[7, 2]], pipe(x[[7, 2]], draws(7, 2), p))


def test_a_larger_p_only_adds() -> None:
    """What fires at some p fires at any larger one, so that p moves images without jumps."""
    pipe = AugmentPipe(["blit"], (1, 64, 64))
    low = pipe.draw(draws(*range(500)), torch.tensor(0.3)).blit
    high = pipe.draw(draws(*range(500)), torch.tensor(0.6)).blit
    assert low is not None
    assert high is not None
    assert torch.equal(torch.where(low != 0, high, 0), low)


@pytest.mark.parametrize("shape", [(3, 5, 6), (1, 4, 4)])
def test_derivatives_to_the_second(shape: tuple[int, int, int]) -> None:
    pipe = AugmentPipe(AUGMENT_GROUPS, shape)
    parameters = pipe.draw(draws(0, 1), torch.tensor(0.9))
    x = images(2, shape, torch.float64).requires_grad_()
    assert gradcheck(lambda x: pipe.apply(x, parameters), x)
    assert gradgradcheck(lambda x: pipe.apply(x, parameters) ** 3, x)


def test_nothing_on_the_host_waits_for_values() -> None:
    """A meta tensor has no values: whatever would read one, raises."""
    pipe = AugmentPipe(AUGMENT_GROUPS, (3, 8, 8)).to("meta")
    x = torch.zeros(4, 3, 8, 8, device="meta", requires_grad=True)
    indices = torch.zeros(4, dtype=torch.int64, device="meta")
    result = pipe(x, Draws(0, "augment", indices), torch.zeros((), device="meta"))
    assert result.shape == x.shape
    assert torch.autograd.grad(result.sum(), x)[0].shape == x.shape


@pytest.mark.gpu
def test_a_gpu_gives_the_same_without_being_waited_for() -> None:
    pipe, p = AugmentPipe(AUGMENT_GROUPS, (3, 16, 16)), torch.tensor(0.8)
    x = images(8, (3, 16, 16))
    expected = pipe(x, draws(*range(8)), p)
    pipe, p, x, indices = pipe.cuda(), p.cuda(), x.cuda(), torch.arange(8).cuda()
    torch.cuda.set_sync_debug_mode("error")
    try:
        result = pipe(x, Draws(3, "augment", indices), p)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.testing.assert_close(result.cpu(), expected, rtol=0, atol=1e-3)


def test_the_pipe_has_no_state() -> None:
    assert not AugmentPipe(AUGMENT_GROUPS, (3, 8, 8)).state_dict()


def test_a_misspelt_group_is_answered_with_the_nearest() -> None:
    with pytest.raises(UserError, match=r"'colour'.*did you mean 'color'"):
        AugmentPipe(["blit", "colour"], (3, 8, 8))


@pytest.mark.parametrize("shape", [(0, 8, 8), (5, 8, 8), (3, 1, 8)])
def test_an_impossible_shape_is_refused(shape: tuple[int, int, int]) -> None:
    with pytest.raises(UserError, match="1 to 4 channels"):
        AugmentPipe(["blit"], shape)


@pytest.mark.parametrize("group", AUGMENT_GROUPS)
@pytest.mark.parametrize("channels", [1, 3])
def test_masks_move_with_their_image_and_keep_their_values(group: str, channels: int) -> None:
    """The mask is a copy of the image: where pixels move it still is one, where values change it stays as it was."""
    shape = (channels, 8, 8)
    pipe = AugmentPipe([group], shape, mask_channels=channels)
    x = images(6, shape)
    parameters = pipe.draw(draws(*range(6)), torch.tensor(1.0))
    image, mask = pipe.apply(torch.cat([x, x], dim=1), parameters).split([channels, channels], dim=1)
    assert torch.equal(image, AugmentPipe([group], shape).apply(x, parameters))
    assert torch.equal(mask, image if group in ("blit", "geom", "cutout") else x)
