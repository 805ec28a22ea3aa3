import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from stylegan_ada.checkpoint import GeneratorInfo, save_generator
from stylegan_ada.config import AugmentConfig, DataConfig, NetworkConfig, RunConfig, TrainingConfig
from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import ImageDataset, load_dataset
from stylegan_ada.labels.attribute import Attribute, label_width
from stylegan_ada.networks import Generator

ROOT = Path(__file__).resolve().parents[1]
AS_NOBODY = [
    "setpriv",
    "--reuid",
    "54321",
    "--regid",
    "54321",
    "--clear-groups",
    "--inh-caps=-all",
    "--bounding-set=-all",
]


def pytest_configure() -> None:
    """torch says some warnings once in a process: without this, which test hears them would depend on their order."""
    torch.set_warn_always(True)
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # of tests that import onnxruntime by themselves
    if "PYTEST_XDIST_WORKER" in os.environ:  # a core each, for commands that tests start, too
        torch.set_num_threads(1)
        os.environ["OMP_NUM_THREADS"] = "1"


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Tests marked `gpu` run where there is one."""
    if not torch.cuda.is_available():
        for item in items:
            if item.get_closest_marker("gpu"):
                item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or writes the user's cache; commands that tests start inherit this."""
    monkeypatch.setenv("STYLEGAN_ADA_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture(autouse=True)
def same_numbers() -> None:
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


def load_module(path: Path) -> ModuleType:
    """A module of the tests; under plain `pytest` they are no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def bench_module(root: Path) -> Callable[..., Any]:
    """bench_module(name): tests/bench/NAME.py."""
    return lambda name: load_module(root / "tests" / "bench" / f"{name}.py")


@pytest.fixture(scope="session")
def snapshots(root: Path) -> ModuleType:
    """tests/importers/snapshots.py, which makes network-snapshot.pkl files."""
    return load_module(root / "tests" / "importers" / "snapshots.py")


@pytest.fixture(scope="session")
def image_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """24 gray images of 16x16 in two classes: bright and dark noise."""
    folder = tmp_path_factory.mktemp("images")
    rng = np.random.default_rng(0)
    for index in range(24):
        name = ("bright", "dark")[index % 2]
        pixels = rng.integers(0, 128, (16, 16)) + (128 if name == "bright" else 0)
        (folder / name).mkdir(exist_ok=True)
        Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{index:02d}.png")
    return folder


LABELS = {  # of training images, and how many have each
    "type=mono,degree=0,crack=no,defects=": 40,
    "type=mono,degree=0.5,crack=yes,defects=": 20,
    "type=mono,degree=1,crack=yes,defects=dent": 10,
    "type=poly,degree=0.25,crack=no,defects=dent;hole": 30,
}


@pytest.fixture(scope="session")
def attribute_generator_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained generator of 16x16 gray images with attributes of every kind, whose images differ by label."""
    attributes = (
        Attribute(name="type", kind="category", values=("mono", "poly")),
        Attribute(name="degree", kind="number", mean=0.3, spread=0.4, low=0.0, high=1.0),
        Attribute(name="crack", kind="yesno", values=("no", "yes")),
        Attribute(name="defects", kind="several", values=("dent", "hole"), unknown=True),
    )
    torch.manual_seed(0)
    network = NetworkConfig(
        channels=1,
        height=16,
        width=16,
        c_dim=label_width(attributes),
        attributes=True,
        z_dim=8,
        w_dim=8,
        channel_base=64,
        channel_max=8,
    )
    generator = Generator(network)
    for name, parameter in generator.named_parameters():
        parameter.data += 0.3 * torch.randn_like(parameter) if "noise" not in name else 0.1
    info = GeneratorInfo(
        network=network,
        classes=(
            "mono-no crack-defects?",
            "mono-crack-defects?",
            "mono-crack-dent",
            "poly-no crack-dent+hole",
        ),
        class_counts=(40, 20, 10, 30),
        images_seen=0,
        attributes=attributes,
        labels=tuple(LABELS),
        label_counts=tuple(LABELS.values()),
    )
    path = tmp_path_factory.mktemp("attributes") / "generator.safetensors"
    save_generator(path, generator, info)
    return path


@pytest.fixture(scope="session")
def mask_generator_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained generator of 16x16 gray images of two classes with masks of two kinds, which mark much or little."""
    torch.manual_seed(1)
    network = NetworkConfig(
        channels=1, mask_channels=2, height=16, width=16, c_dim=2, z_dim=8, w_dim=8, channel_base=64, channel_max=8
    )
    generator = Generator(network)
    for name, parameter in generator.named_parameters():
        parameter.data += 0.5 * torch.randn_like(parameter) if "noise" not in name else 0.1
    info = GeneratorInfo(
        network=network, classes=("a", "b"), class_counts=(10, 10), images_seen=0, mask_kinds=("crack", "dent")
    )
    path = tmp_path_factory.mktemp("masks") / "generator.safetensors"
    save_generator(path, generator, info)
    return path


@pytest.fixture
def dataset(image_folder: Path) -> ImageDataset:
    return load_dataset(str(image_folder), Preparation(size=16))


@pytest.fixture(scope="session")
def tiny_config_of(image_folder: Path) -> Callable[..., Any]:
    """A run of a set that takes seconds: 16x16, a few channels, 8 images a step, everything switched on."""

    def make(dataset: ImageDataset, **training: float) -> RunConfig:
        return RunConfig(
            data=DataConfig(data=str(image_folder), mirror="h"),
            network=NetworkConfig(
                channels=1, height=16, width=16, c_dim=2, z_dim=8, w_dim=8, channel_base=64, channel_max=8
            ),
            augment=AugmentConfig(ada_kimg=0.2, ada_target=-0.9),
            training=TrainingConfig(
                **{"kimg": 0.064, "batch": 8, "r1_interval": 3, "pl_interval": 2, "tick_kimg": 0.008, **training}
            ),
            classes=dataset.classes,
            fingerprint=dataset.fingerprint,
        )

    return make


@pytest.fixture
def tiny_config(tiny_config_of: Callable[..., Any], dataset: ImageDataset) -> Callable[..., Any]:
    return partial(tiny_config_of, dataset)


@pytest.fixture
def one_thread() -> Iterator[None]:
    """This process computes as commands with `environment` do, to the last bit."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def environment() -> dict[str, str]:
    """For commands run as subprocesses: one thread each, so that two processes fit two cores."""
    return {**os.environ, "OMP_NUM_THREADS": "1"}


@pytest.fixture
def program(environment: dict[str, str]) -> Callable[..., Any]:
    """Runs a command line in a process of its own."""

    def run(
        *arguments: Path | str, env: dict[str, str] = environment, **more: Path
    ) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "stylegan_ada", *map(str, arguments)]
        return subprocess.run(line, env=env, capture_output=True, text=True, check=False, timeout=300, **more)

    return run


@pytest.fixture
def as_nobody(environment: dict[str, str], image_folder: Path) -> Callable[..., Any]:
    """Runs a command line as a user whom nobody knows, in a folder that all may write to."""
    tried = subprocess.run(
        [*AS_NOBODY, sys.executable, "-c", "import stylegan_ada"],
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        timeout=200,
    )
    if tried.returncode:
        pytest.skip(f"this checkout or its environment is closed to other users ({tried.stderr.strip()[-200:]})")
    place = image_folder.parent / "open"
    subprocess.run(["mkdir", "-p", "-m", "777", place], check=True, timeout=200)
    unknown = {name: environment[name] for name in environment if name not in ("HOME", "USER", "LOGNAME")}
    del unknown["STYLEGAN_ADA_CACHE"]

    def run(*arguments: Path | str, **more: str) -> subprocess.CompletedProcess[str]:
        # each time, since another session of pytest closes its root
        for folder in (*image_folder.parents, image_folder):
            if folder.is_relative_to("/tmp/pytest-of-root"):
                folder.chmod(0o755)
        line = [*AS_NOBODY, sys.executable, "-m", "stylegan_ada", *map(str, arguments)]
        return subprocess.run(
            line, env={**unknown, **more}, cwd=place, capture_output=True, text=True, check=False, timeout=200
        )

    return run
