"""The label input of attributes: what files tell of it suffices to make label vectors."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors import safe_open

from stylegan_ada import export_generator, load_generator
from stylegan_ada.checkpoint import GeneratorInfo, save_generator
from stylegan_ada.cli import main
from stylegan_ada.config import NetworkConfig
from stylegan_ada.export import ExportedPart
from stylegan_ada.labels.attribute import CATEGORY, NUMBER, SEVERAL, YESNO, Attribute, label_width
from stylegan_ada.networks import Generator

ATTRIBUTES = (
    Attribute(name="type", kind=CATEGORY, values=("mono", "poly")),
    Attribute(name="degree", kind=NUMBER, unknown=True, mean=0.25, spread=0.4, low=0.0, high=1.0),
    Attribute(name="crack", kind=YESNO, values=("no", "yes")),
    Attribute(name="defects", kind=SEVERAL, values=("dent", "hole", "scratch")),
)
LABELS = ("type=mono,degree=0.67,crack=yes,defects=dent;scratch", "type=poly,degree=,crack=no,defects=hole")


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(1)
    net = NetworkConfig(
        channels=1, height=16, width=16, c_dim=label_width(ATTRIBUTES), attributes=True, z_dim=8, w_dim=8,
        channel_base=64, channel_max=8,
    )  # fmt: skip
    network = Generator(net)
    network.w_mean += torch.randn_like(network.w_mean)
    info = GeneratorInfo(
        network=net, classes=("mono-crack-dent+scratch", "poly-no crack-hole"), class_counts=(3, 1), images_seen=5,
        attributes=ATTRIBUTES, labels=LABELS, label_counts=(3, 1),
    )  # fmt: skip
    path = tmp_path_factory.mktemp("generator") / "generator.safetensors"
    save_generator(path, network, info)
    return path


@pytest.fixture(scope="module")
def example(root: Path) -> Any:
    """docs/examples/label_vector.py."""
    file = root / "docs" / "examples" / "label_vector.py"
    function = file.read_text().split("def label_vector")[1].split("\n\n\nif ")[0]
    assert f"```python\ndef label_vector{function}\n```" in (root / "docs" / "export.md").read_text()
    spec = importlib.util.spec_from_file_location("label_vector", file)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.filterwarnings("ignore:.*treespec:FutureWarning")
def test_a_vector_from_the_metadata_gives_the_labelled_image(path: Path, example: Any, tmp_path: Path) -> None:
    assert export_generator(path, tmp_path / "g.onnx") < 1e-4
    session = onnxruntime.InferenceSession(str(tmp_path / "g.onnx"), providers=["CPUExecutionProvider"])
    attributes = json.loads(session.get_modelmeta().custom_metadata_map["attributes"])
    assert [one["slice"] for one in attributes] == [[0, 2], [2, 5], [5, 7], [7, 10]]
    values = (
        {"type": "mono", "degree": 0.67, "crack": "yes", "defects": ["dent", "scratch"]},
        {"type": "poly", "degree": None, "crack": "no", "defects": "hole"},
        {"type": "poly", "degree": 7, "crack": "yes", "defects": []},  # beyond what was seen, and none of several
    )
    z = torch.randn(3, 8)
    c = np.concatenate([example.label_vector(attributes, one) for one in values])
    np.testing.assert_allclose(c[:, 2], [1.05, 0, 1.875], rtol=1e-6)
    inputs = {"z": z.numpy(), "label": c, "truncation_psi": np.array(0.7, np.float32)}
    (found,) = session.run(["image"], inputs)
    generator = load_generator(path)
    for index, label in enumerate(LABELS):
        expected = generator.from_z(z[index : index + 1], [label], 0.7, noise="const").numpy()
        np.testing.assert_allclose(found[index : index + 1], expected, atol=1e-4)
    assert np.abs(found[0] - found[1]).max() > 0.01


def test_examples_are_labels_of_training_images(path: Path) -> None:
    generator = load_generator(path)
    vectors = torch.from_numpy(generator.labels.vectors(generator.labels.rows))
    drawn = ExportedPart(generator.network, label_vectors=vectors).example(20, 1.0)["label"]
    assert {tuple(row) for row in drawn.tolist()} == {tuple(row) for row in vectors.tolist()}


def test_what_a_file_and_info_tell(path: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "again.safetensors"
    export_generator(path, out)
    with safe_open(out, framework="np") as file:
        degree = json.loads(file.metadata()["attributes"])[1]
    assert degree == {
        "name": "degree",
        "kind": "number",
        "slice": [2, 5],
        "values": [],
        "unknown": True,
        "mean": 0.25,
        "spread": 0.4,
        "low": 0.0,
        "high": 1.0,
        "vector": "(x - mean) / spread of x clipped to low..high, then 1; where it is unknown 1 at the last place, "
        "0 elsewhere",
    }
    main(["info", str(out)])
    lines = capsys.readouterr().out.splitlines()
    assert "attributes     type: mono, poly" in lines
    assert "               degree: 0 to 1, mean 0.25, or unknown" in lines
    assert "               defects: dent, hole, scratch, any of these" in lines
