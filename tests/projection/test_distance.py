"""The perceptual distance against the package's own code, and what every distance must do."""

import importlib.util
import sys
import types
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

from stylegan_ada import UserError
from stylegan_ada.metrics.networks import shift_tolerant_vgg as vgg
from stylegan_ada.metrics.networks.extractor import Extractor
from stylegan_ada.projection import make_distance
from stylegan_ada.projection.distance import VGGDistance


@pytest.fixture(scope="module")
def distance() -> VGGDistance:
    return make_distance("vgg")


@pytest.fixture(scope="module")
def package() -> Any:
    """The package's own LPIPS, without torchvision, IPython and what else its other networks would want."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of another project's code
        for name in ("IPython", "torchvision", "torchvision.models", "torchsummary"):
            patch.setitem(sys.modules, name, types.ModuleType(name))
        sys.modules["IPython"].embed = None
        sys.modules["torchvision"].models = sys.modules["torchvision.models"]
        sys.modules["torchsummary"].summary = None
        for name in ("utils", "pretrained_networks"):
            patch.setitem(sys.modules, f"{vgg.PACKAGE}.{name}", types.ModuleType(name))
        sys.modules[f"{vgg.PACKAGE}.utils"].normalize_tensor = lambda x: x / (x.square().sum(1, True).sqrt() + 1e-10)
        from stlpips_pytorch.stlpips import LPIPS

        network = LPIPS(net="vgg", variant="shift_tolerant", pretrained=False, verbose=False)
        path = Path(importlib.util.find_spec(vgg.PACKAGE).origin).parent / vgg.FILE
        # strict=False as the package itself does: it lists its heads a second time
        network.load_state_dict(torch.load(path, map_location="cpu", weights_only=True), strict=False)
    return network.requires_grad_(False)


@pytest.mark.parametrize("size", [(64, 64), (72, 96), (65, 79)])
def test_vgg_is_the_package_s(distance: VGGDistance, package: Any, size: tuple[int, int]) -> None:
    first, second = torch.rand(2, 3, 3, *size) * 2 - 1
    torch.testing.assert_close(distance(first, second), package(first, second)[:, 0, 0, 0], rtol=1e-5, atol=1e-6)


def test_gray_is_rgb_and_small_images_are_enlarged(distance: VGGDistance) -> None:
    first, second = torch.rand(2, 2, 1, 16, 24) * 2 - 1
    rgb = first.repeat(1, 3, 1, 1), second.repeat(1, 3, 1, 1)
    found = distance(first, second)
    torch.testing.assert_close(distance(*rgb), found)
    enlarged = [torch.nn.functional.interpolate(x, (32, 48), mode="bilinear") for x in rgb]
    torch.testing.assert_close(VGGDistance(smallest=4)(*enlarged), found)


def test_only_pixels_inside_the_mask_count(distance: VGGDistance) -> None:
    first, second = torch.rand(2, 2, 1, 32, 32) * 2 - 1
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 8:24, 4:20] = 1
    other = torch.where(mask > 0, second, torch.rand_like(second))
    torch.testing.assert_close(distance(first, other, mask), distance(first, second, mask), rtol=0, atol=0)
    assert (distance(first, other) - distance(first, second)).abs().min() > 1e-3
    # everywhere: as if there were none
    torch.testing.assert_close(distance(first, second, torch.ones(1, 1, 32, 32)), distance(first, second))


def test_the_gradient_is_the_slope(distance: VGGDistance) -> None:
    first, second = torch.rand(2, 1, 1, 64, 64) * 2 - 1
    first.requires_grad_()
    value = distance(first, second)
    (gradient,) = torch.autograd.grad(value.sum(), first)
    with torch.no_grad():
        step = 0.02 / gradient.norm()
        change = distance(first + step * gradient, second) - distance(first - step * gradient, second)
    assert change.item() == pytest.approx(2 * step.item() * gradient.square().sum().item(), rel=0.1)


def test_a_plain_image_has_a_gradient(distance: VGGDistance) -> None:
    plain = torch.zeros(1, 1, 32, 32, requires_grad=True)
    distance(plain, torch.rand(1, 1, 32, 32)).sum().backward()
    assert plain.grad.isfinite().all()


class Means(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x.mean((2, 3)) + 1, x.mean((2, 3))


def test_a_torchscript_file_differentiably(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript, which users have
        torch.jit.trace(Means(), torch.zeros(2, 3, 224, 224)).save(tmp_path / "network.pt")
    distance = make_distance(str(tmp_path / "network.pt"))
    images = (
        torch.tensor([0.0, 0.5])[:, None, None, None].expand(2, 3, 16, 16) * torch.tensor([1, 0.5, 0])[:, None, None]
    )
    images = images.clone().requires_grad_()
    means = images.detach().mean((2, 3)) / 2 + 1.5
    first, second = torch.nn.functional.normalize(means.double())
    found = distance(images[:1], images[1:])
    assert found.item() == pytest.approx((first - second).square().sum().item(), rel=1e-3)
    found.sum().backward()
    assert images.grad.abs().max() > 0


def test_lite0_is_the_metric_s() -> None:
    from stylegan_ada.metrics import make_extractor

    images = torch.randint(0, 256, (2, 1, 224, 224), dtype=torch.uint8)
    rows = torch.from_numpy(make_extractor("lite0").extract([images.permute(0, 2, 3, 1).numpy()])).double()
    first, second = torch.nn.functional.normalize(rows)
    x = images.float() / 127.5 - 1
    found = make_distance("lite0")(x[:1], x[1:])
    assert found.item() == pytest.approx((first - second).square().sum().item(), rel=1e-3)


def test_what_is_no_distance() -> None:
    with pytest.raises(UserError, match="gives no gradient"):
        make_distance("network.onnx")
    with pytest.raises(UserError, match="'inception'"):
        make_distance("inceptoin")
    with pytest.raises(UserError, match="gives no gradient"):
        Extractor.network(types.SimpleNamespace(name="mine"), torch.zeros(1))
