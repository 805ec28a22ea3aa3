"""Exported files, run by onnxruntime or torch.export, against `TrainedGenerator.images`."""

import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import numpy_helper
from safetensors import safe_open
from torch import Tensor

from stylegan_ada import load_generator
from stylegan_ada.checkpoint import GENERATOR_FORMAT, read_notes
from stylegan_ada.errors import UserError
from stylegan_ada.export import OPSET, ExportedPart, export_onnx, export_pt2, export_safetensors
from stylegan_ada.export.onnx_file import verify_onnx
from stylegan_ada.export.verify import BATCHES_AND_PSIS
from stylegan_ada.ops import winograd
from stylegan_ada.sampling import TrainedGenerator

NOTES = {"licence": "CC BY 4.0"}
KINDS = {
    "gray, labelled": {"channels": 1},
    "RGB, unlabelled": {"channels": 3, "classes": ()},
    "fp16 clamps": {"channels": 1, "precision": "fp16", "size": (8, 8)},
}


def session(path: Path) -> Any:
    return onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])


def run(path: Path, **inputs: Tensor | float | np.ndarray) -> np.ndarray:
    """Of an ONNX file or a pt2."""
    if path.suffix == ".onnx":
        return session(path).run(None, {name: np.asarray(value, np.float32) for name, value in inputs.items()})[0]
    tensors = {name: torch.as_tensor(value, dtype=torch.float32) for name, value in inputs.items()}
    with open(path, "rb") as file:
        return torch.export.load(file).module()(**tensors).numpy()


def write(generator: TrainedGenerator, path: Path, **options: bool | str) -> float:
    export = export_onnx if path.suffix == ".onnx" else export_pt2
    return export(ExportedPart(generator.network, **options), generator.info, path, NOTES)


def inputs(generator: TrainedGenerator, batch: int) -> tuple[Any, ...]:
    """z, class names, and the inputs of a file for them."""
    z = torch.randn(batch, generator.info.network.z_dim)
    if not generator.classes:
        return z, None, {"z": z}
    names = [generator.classes[index % len(generator.classes)] for index in range(batch)]
    label = np.eye(len(generator.classes))[[generator.classes.index(name) for name in names]]
    return z, names, {"z": z, "label": label}


@pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning")
@pytest.mark.parametrize("suffix", ["onnx", "pt2"])
@pytest.mark.parametrize("kind", KINDS)
def test_images_at_every_batch_and_psi(make: Callable[..., Any], kind: str, suffix: str, tmp_path: Path) -> None:
    generator = make(**KINDS[kind])
    path = tmp_path / f"generator.{suffix}"
    assert 0 <= write(generator, path) < 1e-4
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    for batch, truncation_psi in ((1, 1.0), (1, 0.5), (2, 0.0), (4, 0.5), (9, 1.3)):
        z, names, given = inputs(generator, batch)
        expected = generator.from_z(z, names, truncation_psi, noise="const").numpy()
        found = run(path, **given, truncation_psi=truncation_psi)
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, expected, atol=1e-4)
        assert np.abs(expected - generator.from_z(z, names, truncation_psi, noise="none").numpy()).max() > 0.01


@pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning")
@pytest.mark.parametrize("suffix", ["onnx", "pt2"])
def test_uint8_and_noise_as_an_input(make: Callable[..., Any], suffix: str, tmp_path: Path) -> None:
    generator = make(channels=3)
    path = tmp_path / f"generator.{suffix}"
    assert write(generator, path, noise="input", uint8=True) <= 1
    z, _, given = inputs(generator, 4)
    noise = torch.randn(4, generator.network.synthesis.noise_size)
    with torch.inference_mode():
        image = generator.network(z, torch.as_tensor(given["label"], dtype=torch.float32), noise, 0.5)
    found = run(path, **given, truncation_psi=0.5, noise=noise)
    assert found.dtype == np.uint8
    assert found.shape == (4, 16, 24, 3)
    exact = image.double().numpy().transpose(0, 2, 3, 1) * 127.5 + 127.5
    clear = np.abs(exact - np.floor(exact) - 0.5) > 1e-3  # rounding may go either way only near a half
    np.testing.assert_array_equal(found[clear], np.clip(np.rint(exact), 0, 255).astype(np.uint8)[clear])
    assert clear.mean() > 0.99
    assert exact.min() < 0 < 255 < exact.max()


def test_uint8_is_rounded_to_even_and_clamped(make: Callable[..., Any], tmp_path: Path) -> None:
    """By a network whose image is its last bias, at values of k + 1/2 gray levels. Its other weights are 0, which only
    the 1e-8 in the norms keeps from being a division by 0: onnxscript's optimize() took that for a 0."""
    generator = make(channels=3, classes=())
    for parameter in generator.network.synthesis.parameters():
        parameter.data.zero_()
    bias = torch.tensor([-125 / 127.5, 1.5, -1.5])  # 2.5 gray levels; above; below
    generator.network.synthesis.blocks[-1].to_rgb.bias.data.copy_(bias)
    write(generator, tmp_path / "generator.onnx", uint8=True)
    found = run(tmp_path / "generator.onnx", z=np.ones((1, 8)), truncation_psi=1)
    level = float((bias[:1] * 127.5 + 127.5).item())
    assert found.reshape(-1, 3)[0].tolist() == [round(level), 255, 0]  # Python rounds halves to even


@pytest.mark.parametrize("classes", [(), ("cat", "dog")])
def test_parts_chained_are_the_whole(make: Callable[..., Any], classes: tuple[Any, ...], tmp_path: Path) -> None:
    generator = make(classes=classes)
    write(generator, tmp_path / "mapping.onnx", part="mapping")
    write(generator, tmp_path / "synthesis.onnx", part="synthesis", uint8=True)
    z, names, given = inputs(generator, 4)
    w = run(tmp_path / "mapping.onnx", **given, truncation_psi=0.5)
    assert w.shape == (4, generator.network.num_ws, 8)
    found = run(tmp_path / "synthesis.onnx", w=w)
    exact = generator.from_z(z, names, 0.5, noise="const").double().numpy() * 127.5 + 127.5
    assert np.abs(found - np.clip(exact, 0, 255).transpose(0, 2, 3, 1)).max() < 0.51


def test_interface_and_metadata_of_onnx(make: Callable[..., Any], tmp_path: Path) -> None:
    generator = make()
    path = tmp_path / "generator.onnx"
    write(generator, path, noise="input")
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", OPSET)]
    assert {node.domain for node in model.graph.node} == {""}
    assert not model.functions
    opened = session(path)
    noise_size = generator.network.synthesis.noise_size
    assert {(entry.name, entry.type) for entry in opened.get_inputs()} == {
        (name, "tensor(float)") for name in ("z", "label", "truncation_psi", "noise")
    }
    shapes = {entry.name: entry.shape for entry in [*opened.get_inputs(), *opened.get_outputs()]}
    assert shapes["z"][1:] == [8]
    assert shapes["label"][1:] == [3]
    assert shapes["truncation_psi"] == []
    assert shapes["noise"][1:] == [noise_size]
    assert shapes["image"][1:] == [1, 16, 24]
    assert all(isinstance(shapes[name][0], str) for name in ("z", "label", "noise", "image"))
    metadata = opened.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["classes"]) == ["cat", "dog", "eel"]
    assert json.loads(metadata["image_shape"]) == [1, 16, 24]
    assert metadata["licence"] == "CC BY 4.0"
    assert metadata["format"] == "stylegan_ada onnx 1"
    assert json.loads(metadata["info"])["images_seen"] == 5


def test_what_is_constant_is_folded(make: Callable[..., Any], tmp_path: Path) -> None:
    """Of the weights no square, sum or product with a gain is left to be computed."""
    write(make(), tmp_path / "generator.onnx")
    graph = onnx.load(tmp_path / "generator.onnx").graph
    constants = {entry.name for entry in graph.initializer}
    constants |= {node.output[0] for node in graph.node if node.op_type == "Constant"}
    computed = [node for node in graph.node if node.op_type not in ("Constant", "Split")]
    computed = [node for node in computed if set(node.input) <= constants]
    assert [node.op_type for node in computed] == []


def test_no_branch_of_the_traced_batch_is_kept(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Winograd's algorithm is chosen by the batch: it must not get into the graph."""
    monkeypatch.setattr(winograd, "pays", lambda *shape: True)
    generator = make(size=(16, 16), classes=())
    write(generator, tmp_path / "generator.onnx")
    graph = onnx.load(tmp_path / "generator.onnx").graph
    kernels = {entry.name: list(entry.dims)[2:] for entry in graph.initializer}
    convolutions = [kernels[node.input[1]] for node in graph.node if node.op_type == "Conv"]
    assert convolutions.count([3, 3]) == 3


def test_a_changed_file_fails_the_check(make: Callable[..., Any], tmp_path: Path) -> None:
    generator = make()
    part = ExportedPart(generator.network)
    path = tmp_path / "generator.onnx"
    export_onnx(part, generator.info, path, NOTES)
    assert verify_onnx(path, part) < 1e-4
    model = onnx.load(path)
    weight = max(model.graph.initializer, key=lambda entry: len(entry.dims) == 4 and np.prod(entry.dims))
    weight.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(weight) * np.float32(1.05), weight.name))
    onnx.save(model, path)
    with pytest.raises(UserError, match="differs from the network by"):
        verify_onnx(path, part)


@pytest.mark.parametrize("suffix", ["onnx", "pt2"])
def test_no_file_is_left_that_differs(
    make: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, suffix: str, tmp_path: Path
) -> None:
    generator = make()
    real = ExportedPart.forward

    @functools.wraps(real)  # whose signature names the inputs
    def other(self: ExportedPart, **given: Any) -> Any:
        """What is compared with: not what was traced."""
        return real(self, **given) if torch.compiler.is_compiling() else real(self, **given) + 0.002

    monkeypatch.setattr(ExportedPart, "forward", other)
    with pytest.raises(UserError, match="differs from the network by"):
        write(generator, tmp_path / f"generator.{suffix}")
    assert list(tmp_path.iterdir()) == []


def test_weights_that_are_not_numbers_fail_the_check(make: Callable[..., Any], tmp_path: Path) -> None:
    generator = make()
    generator.network.mapping.layers[0].weight.data[0, 0] = float("nan")
    with pytest.raises(UserError, match="by nan"):
        write(generator, tmp_path / "generator.onnx")
    assert list(tmp_path.iterdir()) == []


def test_the_traced_batch_is_not_the_one_that_is_checked() -> None:
    from stylegan_ada.export.parts import TRACED_BATCH

    batches = [batch for batch, _ in BATCHES_AND_PSIS]
    assert len(set(batches)) == 3
    assert TRACED_BATCH not in batches


def test_safetensors_gives_the_same_generator(make: Callable[..., Any], tmp_path: Path) -> None:
    generator = make()
    path = tmp_path / "generator.safetensors"
    export_safetensors(generator, path, NOTES)
    again = load_generator(path)
    np.testing.assert_array_equal(again.sample(range(4)), generator.sample(range(4)))
    assert again.info == generator.info
    with safe_open(path, framework="np") as file:
        metadata = file.metadata()
    assert metadata["format"] == GENERATOR_FORMAT
    assert json.loads(metadata["classes"]) == ["cat", "dog", "eel"]
    assert metadata["licence"] == "CC BY 4.0"
    assert read_notes(path)["licence"] == "CC BY 4.0"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"part": "maping"}, "did you mean 'mapping'"),
        ({"noise": "inputs"}, "did you mean 'input'"),
        ({"part": "mapping", "uint8": True}, "makes no images"),
        ({"part": "mapping", "noise": "input"}, "has no noise"),
    ],
)
def test_parts_that_do_not_exist(make: Callable[..., Any], options: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        ExportedPart(make().network, **options)
