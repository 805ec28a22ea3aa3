"""What an exported file gives of a generator that makes masks."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from safetensors import safe_open

from stylegan_ada import export_generator, load_generator


def test_masks_lie_behind_the_image_in_onnx(mask_generator_file: Path, tmp_path: Path) -> None:
    export_generator(mask_generator_file, tmp_path / "g.onnx", noise="input", uint8=True)
    session = onnxruntime.InferenceSession(tmp_path / "g.onnx", providers=["CPUExecutionProvider"])
    about = session.get_modelmeta().custom_metadata_map
    assert json.loads(about["mask_kinds"]) == ["crack", "dent"]
    assert json.loads(about["image_shape"]) == [1, 16, 16]
    generator, seeds = load_generator(mask_generator_file), range(4)
    inputs = {
        "z": generator.z(seeds).numpy(),
        "label": np.array([[1, 0]] * 4, np.float32),
        "truncation_psi": np.array(1, np.float32),
        "noise": generator._draws("sample/noise", seeds).normal(generator.network.synthesis.noise_size).numpy(),
    }
    (found,) = session.run(None, inputs)
    images, masks = generator.sample_pairs(seeds, ["a"] * 4)
    assert found.shape == (4, 16, 16, 3)
    assert np.abs(found[:, :, :, :1].astype(int) - images).max() <= 1
    assert np.abs(found[:, :, :, 1:].astype(int) - masks).max() <= 1


def test_a_weights_file_is_read_with_its_masks(mask_generator_file: Path, tmp_path: Path) -> None:
    export_generator(mask_generator_file, tmp_path / "g.safetensors")
    with safe_open(tmp_path / "g.safetensors", "pt") as file:
        assert json.loads(file.metadata()["mask_kinds"]) == ["crack", "dent"]
    found = load_generator(tmp_path / "g.safetensors")
    assert found.mask_kinds == ("crack", "dent")
    before = load_generator(mask_generator_file).sample_pairs([1], ["b"])
    assert all(np.array_equal(one, other) for one, other in zip(found.sample_pairs([1], ["b"]), before, strict=True))


@pytest.mark.parametrize("psi", [0.0, 0.7])
def test_latents_give_images_and_masks(mask_generator_file: Path, psi: float) -> None:
    generator = load_generator(mask_generator_file)
    assert generator.from_z(torch.zeros(2, 8), ["a", "b"], psi, noise="none").shape == (2, 3, 16, 16)
    assert generator.sample([1, 2], ["a", "b"], psi).shape == (2, 16, 16, 1)
