"""VGG16 as a network of the metrics, against the layers one by one."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from stylegan_ada.metrics import make_extractor
from stylegan_ada.metrics.networks.shift_tolerant_vgg import FILE, PACKAGE

IMAGES = np.random.default_rng(0).integers(0, 256, (9, 20, 32, 3), np.uint8)
LAYERS = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))  # convolutions of a stage, and their channels


def directly(x: Tensor) -> Tensor:
    """x: RGB float64 [N, 3, H, W] from 0 to 255. Taps 1, 2, 1 are those of the average of the average of two."""
    found = importlib.util.find_spec(PACKAGE)
    assert found is not None
    assert found.origin is not None
    state = torch.load(Path(found.origin).parent / FILE, map_location="cpu", weights_only=True)
    names = [name for name in state if name.startswith("net.slice") and not name.endswith("filt")]
    convolutions = [state[name].double() for name in names]
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])  # of ImageNet
    x = (x / 255 - mean.double()[:, None, None]) / deviation.double()[:, None, None]
    for stage, (count, channels) in enumerate(LAYERS):
        if stage:
            x = functional.pad(functional.max_pool2d(x, 2, stride=1), (2, 2, 2, 2), mode="reflect")
            x = functional.avg_pool2d(functional.avg_pool2d(x, 2, stride=1), 2, stride=1)[..., ::2, ::2]
        for _ in range(count):
            weight, bias = convolutions.pop(0), convolutions.pop(0)
            x = functional.conv2d(x, weight, bias, padding=1).clamp(min=0)
            assert x.shape[1] == channels
    assert not convolutions
    return x.flatten(2).sum(dim=2) / (x.shape[2] * x.shape[3])


def test_features_are_the_last_maps_pooled() -> None:
    extractor = make_extractor("vgg", image_size=(20, 32))
    assert extractor.size == (64, 64)
    rows = extractor.extract([IMAGES])
    large = [np.asarray(Image.fromarray(image).resize((64, 64), Image.Resampling.BICUBIC)) for image in IMAGES]
    expected = directly(torch.from_numpy(np.stack(large)).permute(0, 3, 1, 2).double())
    assert rows.shape == (9, 512)
    np.testing.assert_allclose(rows, expected, rtol=1e-3, atol=1e-4)
    assert extractor.logits(rows) is None


def test_gray_is_rgb_and_transparency_does_not_count() -> None:
    extractor = make_extractor("vgg", image_size=(20, 32))
    gray, clear = IMAGES[..., :1], np.concatenate([IMAGES, IMAGES[..., :1]], axis=3)
    np.testing.assert_array_equal(extractor.extract([gray]), extractor.extract([gray.repeat(3, axis=3)]))
    np.testing.assert_array_equal(extractor.extract([clear]), extractor.extract([IMAGES]))


@pytest.mark.parametrize(
    ("image_size", "side"),
    [((4, 64), 64), ((65, 8), 128), ((128, 128), 128), ((100, 160), 224), ((224, 1), 224), ((512, 1024), 224)],
)
def test_its_side_fits_the_images_and_is_its_identity(image_size: tuple[int, int], side: int) -> None:
    extractor = make_extractor("vgg", image_size=image_size)
    assert extractor.size == (side, side)
    same = make_extractor("vgg", image_size=(side, side)).identity
    assert extractor.identity == same
    others = {make_extractor("vgg", image_size=(other, other)).identity for other in (64, 128, 224) if other != side}
    assert same not in others
    assert len(others) == 2


def test_it_has_a_gradient() -> None:
    network = make_extractor("vgg", image_size=(32, 32)).network
    x = torch.full((1, 3, 64, 64), 100.0) + 50 * torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    x.requires_grad_()
    (gradient,) = torch.autograd.grad(network(x).sum(), x)
    with torch.no_grad():
        step = gradient / gradient.norm()
        change = (network(x + step) - network(x - step)).sum()
    assert change.item() == pytest.approx(2 * gradient.norm().item(), rel=0.05)
