"""Runs that stylegan_ada 0.1.0 left are read, and go on, as they did then: tests/data/make_kept_run.py made them."""

import dataclasses
import json
import shlex
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file

from stylegan_ada import load_generator
from stylegan_ada.checkpoint import read_generator
from stylegan_ada.config import RunConfig
from stylegan_ada.training import RunFolder

RUNS = ("run-0.1", "run-0.1-unlabelled")
RENAMED = {  # "part.name then": "part.name now", the name of the option
    "data.source": "data.data",
    "training.r1_gamma": "training.gamma",
    "augment.groups": "augment.augment",
    "augment.extra": "augment.augment_extra",
    "augment.signal": "augment.ada_signal",
    "augment.target": "augment.ada_target",
    "augment.kimg": "augment.ada_kimg",
    "augment.maximum": "augment.ada_max",
    "augment.p": "augment.ada_p",
}
READ_FROM_WORDS = ("augment.groups", "augment.extra", "training.transition")  # from one text, or a file
NO_OPTION = ("network.channels",)  # though one has its name


@pytest.fixture
def kept(root: Path) -> Path:
    return root / "tests" / "data" / "run-0.1"


@pytest.fixture
def expected(kept: Path) -> dict[str, np.ndarray]:
    with np.load(kept / "expected.npz") as file:
        return dict(file)


def leaves(values: dict[str, Any], path: tuple[Any, ...] = ()) -> Iterator[Any]:
    """ "part.name" and value of everything in nested objects."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, name))
        else:
            yield ".".join((*path, name)), value


def value_at(config: RunConfig, path: str) -> float | str | tuple[Any, ...]:
    for name in path.split("."):
        config = getattr(config, name)
    return config


def plain(value: float | str | tuple[Any, ...] | None) -> Any:
    """A value of the configuration as JSON has it."""
    if dataclasses.is_dataclass(value):
        return {name: plain(item) for name, item in dataclasses.asdict(value).items()}
    return [plain(item) for item in value] if isinstance(value, tuple) else value


@pytest.mark.parametrize("name", RUNS)
def test_every_value_of_the_configuration_is_read(name: str, root: Path) -> None:
    folder = RunFolder(root / "tests" / "data" / name)
    config = folder.read_config()
    assert isinstance(config, RunConfig)
    then = dict(leaves(json.loads(folder.config_file.read_text())))
    assert len(then) > 60
    assert config.data.no_labels is not then.pop("data.labels")
    for path, value in then.items():
        assert plain(value_at(config, RENAMED.get(path, path))) == value, path


@pytest.mark.parametrize("name", RUNS)
def test_configuration_says_what_the_options_gave(name: str, root: Path) -> None:
    folder = RunFolder(root / "tests" / "data" / name)
    config, options = folder.read_config(), folder.read_options()
    given = 0
    for path, _ in leaves(json.loads(folder.config_file.read_text())):
        now = RENAMED.get(path, path)
        option = options.get(now.split(".")[-1])
        if option in (None, False) or path in READ_FROM_WORDS + NO_OPTION:
            continue
        assert value_at(config, now) == option, path
        given += 1
    assert given >= 12


def test_options_in_words_and_lists_are_read(root: Path) -> None:
    labelled, unlabelled = (RunFolder(root / "tests" / "data" / name).read_config() for name in RUNS)
    assert not labelled.data.no_labels
    assert labelled.augment.augment == ("blit", "geom")
    assert labelled.augment.augment_extra == ()
    assert labelled.training.transition == (0.02, 0.1)
    assert labelled.classes == tuple("0123456789")
    assert unlabelled.data.no_labels
    assert unlabelled.augment.augment == ()
    assert [extra.name for extra in unlabelled.augment.augment_extra] == ["RandomInvert", "RandomGaussianBlur"]
    assert json.loads(unlabelled.augment.augment_extra[1].arguments) == {"kernel_size": [3, 3], "sigma": [0.1, 2.0]}
    assert unlabelled.training.transition is None
    assert unlabelled.classes == ()


def test_generator_is_read_bit_for_bit(kept: Path) -> None:
    stored = load_file(kept / "generator.safetensors")
    state = read_generator(kept)[0].state_dict()
    assert set(state) == set(stored)
    for name, tensor in state.items():
        assert tensor.numpy().dtype == stored[name].dtype, name
        assert tensor.numpy().tobytes() == stored[name].tobytes(), name


def test_generator_gives_the_images_of_then(kept: Path, expected: dict[str, np.ndarray]) -> None:
    """Other CPUs may round otherwise."""
    images = load_generator(kept).sample(range(4))
    then = expected["images"]
    assert images.dtype == then.dtype == np.uint8
    assert images.shape == then.shape == (4, 8, 8, 1)
    assert np.ptp(then) > 20  # a mistake would show
    assert np.abs(images.astype(int) - then).max() <= 1


def test_run_goes_on_as_then(
    kept: Path, expected: dict[str, np.ndarray], tmp_path: Path, program: Callable[..., Any]
) -> None:
    """With the same command and a higher --kimg."""
    shutil.copytree(kept, tmp_path / "run")
    command = shlex.split((kept / "command.txt").read_text())
    result = program(*command, "--kimg", "0.08", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "resuming" in result.stdout
    assert (tmp_path / "run/holdout.json").read_bytes() == (kept / "holdout.json").read_bytes()
    state = torch.load(tmp_path / "run/checkpoint-0000000080.pt", weights_only=True)
    assert (state["images_seen"], state["steps"]) == (80, 10)
    before = torch.load(kept / "checkpoint-0000000064.pt", weights_only=True)
    for network in ("generator_ema", "discriminator"):
        then = {name: expected[f"{network}/{name}"] for name in state[network]}
        assert len(then) == sum(name.startswith(f"{network}/") for name in expected)
        for name, values in then.items():
            scale = np.abs(values).max()
            np.testing.assert_allclose(state[network][name], values, rtol=1e-5, atol=1e-5 * scale, err_msg=name)
        assert any(not np.allclose(before[network][name], values, rtol=1e-3) for name, values in then.items())
