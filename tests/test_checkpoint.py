import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from stylegan_ada.checkpoint import GeneratorInfo, read_generator, save_generator
from stylegan_ada.config import NetworkConfig
from stylegan_ada.errors import UserError
from stylegan_ada.files import atomic_path, write_text
from stylegan_ada.networks import Generator

NET = NetworkConfig(channels=1, height=8, width=8, c_dim=1, z_dim=4, w_dim=4, channel_base=32, channel_max=4)
INFO = GeneratorInfo(network=NET, classes=("a",), class_counts=(3,), images_seen=9)


def test_generator_file_gives_back_every_tensor(tmp_path: Path) -> None:
    generator = Generator(NET)
    save_generator(tmp_path / "g.safetensors", generator, INFO)
    loaded, info = read_generator(tmp_path / "g.safetensors")
    assert info == INFO
    for name, tensor in generator.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)
    assert not any(parameter.requires_grad for parameter in loaded.parameters())


def test_generator_file_may_be_read_by_whoever_may_read_the_others(tmp_path: Path) -> None:
    save_generator(tmp_path / "g.safetensors", Generator(NET), INFO)
    write_text(tmp_path / "other.txt", "x")
    assert (tmp_path / "g.safetensors").stat().st_mode == (tmp_path / "other.txt").stat().st_mode


def test_a_pickle_is_refused_and_not_run(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> tuple[Callable[..., Any], tuple[Path, str]]:
            return (write_text, (tmp_path / "exploded", "boom"))

    (tmp_path / "g.safetensors").write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(UserError, match="not a generator"):
        read_generator(tmp_path / "g.safetensors")
    assert not (tmp_path / "exploded").exists()


def test_other_safetensors_are_refused(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(1)}, tmp_path / "g.safetensors")
    with pytest.raises(UserError, match="its format is None, this version reads 'stylegan_ada generator 1'"):
        read_generator(tmp_path / "g.safetensors")


def test_classes_must_fit_the_label_vector() -> None:
    with pytest.raises(UserError, match="2 classes for a label vector of 1"):
        GeneratorInfo(network=NET, classes=("a", "b"), class_counts=(1, 1), images_seen=0)


def test_an_interrupted_write_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file.txt"
    write_text(path, "old")

    def interrupted() -> None:
        with atomic_path(path) as temporary:
            temporary.write_text("half of the n")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert [item.name for item in tmp_path.iterdir()] == ["file.txt"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot write .*nowhere/file\.txt"):
        write_text(tmp_path / "nowhere" / "file.txt", "x")


def test_a_header_without_its_description_is_refused(tmp_path: Path) -> None:
    save_file({"x": torch.zeros(1)}, tmp_path / "g.safetensors", {"format": "stylegan_ada generator 1"})
    with pytest.raises(UserError, match="not valid JSON"):
        read_generator(tmp_path / "g.safetensors")
