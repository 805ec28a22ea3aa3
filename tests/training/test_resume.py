"""A run whose newest checkpoint is damaged goes on from the one before, and ends as one that was never damaged."""

import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from stylegan_ada.config.preparation import Preparation
from stylegan_ada.datasets import ImageDataset, load_dataset
from stylegan_ada.errors import UserError
from stylegan_ada.training import RunFolder, Trainer
from stylegan_ada.training.checkpoints import first_not_finite
from stylegan_ada.training.state import fresh_state

NEWEST, END = 48, 64
SETTINGS = {"snapshot_kimg": 0.016, "keep": 4}


@pytest.fixture(scope="module")
def trained(image_folder: Path, tiny_config_of: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders: a whole run of 64 images with checkpoints after every 16; it without the last one; a checkpoint of
    another seed."""
    root = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("STYLEGAN_ADA_CACHE", str(root / "cache"))
        dataset = load_dataset(str(image_folder), Preparation(size=16))
    train(root / "whole", dataset, tiny_config_of(dataset, kimg=END / 1000, **SETTINGS))
    shutil.copytree(root / "whole", root / "run")
    RunFolder(root / "run").checkpoint_file(END).unlink()
    config = tiny_config_of(dataset, kimg=END / 1000, seed=5, **SETTINGS)
    (root / "other").mkdir()
    fresh_state(config, torch.device("cpu")).save(RunFolder(root / "other").checkpoint_file(NEWEST), config)
    return root


def train(path: Path, dataset: ImageDataset, config: Any) -> list[str]:
    """Trains in a folder; gives the lines that it said."""
    folder, lines = RunFolder(path), []
    with folder.locked():
        Trainer(config, dataset, folder, torch.device("cpu"), lines.append).train(lambda: False)
    return lines


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> RunFolder:
    return RunFolder(shutil.copytree(trained / "run", tmp_path / "run"))


@pytest.fixture
def go_on(dataset: ImageDataset, tiny_config: Callable[..., Any], run: RunFolder) -> Callable[[], list[str]]:
    return lambda: train(run.path, dataset, tiny_config(kimg=END / 1000, **SETTINGS))


def changed(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    state = torch.load(path, weights_only=True)
    change(state)
    torch.save(state, path)


def plant_nan(state: dict[str, Any]) -> None:
    state["discriminator_optimizer"]["state"][3]["exp_avg_sq"].view(-1)[0] = float("nan")


def flip(path: Path) -> None:
    """One bit in the middle of the largest tensor: in the file's middle may be padding, of which nothing depends."""
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        largest = max(archive.infolist(), key=lambda member: member.file_size)
    header = largest.header_offset  # of 30 bytes, then a name and further fields
    start = header + 30 + sum(struct.unpack("<HH", data[header + 26 : header + 30]))
    data[start + largest.file_size // 2] ^= 64
    path.write_bytes(data)


DAMAGE: dict[str, tuple[Callable[[Path, Path], Any], str]] = {  # of a checkpoint, given those of another seed
    "truncated": (lambda path, _: path.write_bytes(path.read_bytes()[:-1000]), "cannot be read"),
    "emptied": (lambda path, _: path.write_bytes(b""), "cannot be read"),
    "filled with zeros": (lambda path, _: path.write_bytes(bytes(path.stat().st_size)), "cannot be read"),
    "text": (lambda path, _: path.write_text("no checkpoint"), "cannot be read"),
    "one bit": (lambda path, _: flip(path), "cannot be read"),
    "another seed": (lambda path, other: shutil.copy(other / path.name, path), "training.seed is 5 and not 0"),
    "another run": (
        lambda path, _: changed(path, lambda s: s.update(config=s["config"].replace('"batch": 8', '"batch": 4'))),
        "of another run, whose training.batch is 4 and not 8",
    ),
    "a newer format": (
        lambda path, _: changed(path, lambda state: state.update(format="stylegan_ada training 2")),
        "its format is 'stylegan_ada training 2', this version reads 'stylegan_ada training 1'",
    ),
    "other mathematics": (
        lambda path, _: changed(path, lambda state: state["mathematics"].update({"order of phases": "D, G"})),
        "it was trained with order of phases 'D, G', and this version has 'G, G_pl, D, D_r1'",
    ),
    "a part lost": (lambda path, _: changed(path, lambda state: state.pop("controller")), "not a checkpoint of this"),
    "NaN": (lambda path, _: changed(path, plant_nan), "discriminator_optimizer.state.3.exp_avg_sq holds NaN"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_the_one_before_is_taken_and_named(
    kind: str, trained: Path, run: RunFolder, go_on: Callable[[], list[str]]
) -> None:
    damage, words = DAMAGE[kind]
    newest = run.checkpoint_file(NEWEST)
    damage(newest, trained / "other")
    broken = newest.read_bytes()
    lines = go_on()
    assert lines[0].startswith(f"warning: {newest}: ")
    assert words in lines[0]
    assert lines[0].endswith(
        "; it is now checkpoint-0000000048.pt.unusable, and the run goes on from checkpoint-0000000032.pt"
    )
    assert newest.with_name("checkpoint-0000000048.pt.unusable").read_bytes() == broken
    assert [row["images"] for row in run.read_log()] == list(range(8, END + 8, 8))
    whole = RunFolder(trained / "whole")
    for images in (NEWEST, END):
        states = (torch.load(one.checkpoint_file(images), weights_only=True) for one in (run, whole))
        mine, theirs = (torch.utils._pytree.tree_flatten(state)[0] for state in states)
        same = [torch.equal(a, b) if isinstance(a, torch.Tensor) else a == b for a, b in zip(mine, theirs, strict=True)]
        assert all(same)


def test_where_none_serves_all_stays_as_it_is(run: RunFolder, go_on: Callable[[], list[str]]) -> None:
    for path in run.checkpoints():
        path.write_bytes(b"")
    before = {path.name: path.read_bytes() for path in run.path.iterdir()}
    with pytest.raises(
        UserError, match=r"48\.pt: cannot be read \(.*\); no older checkpoint serves, use another `out`"
    ):
        go_on()
    assert {path.name: path.read_bytes() for path in run.path.iterdir()} == before


@pytest.mark.parametrize("of", ["generator_file", "log_file", "curves_file"])
@pytest.mark.parametrize("content", [b"", b"\0" * 3000, b"{"])
def test_other_files_are_made_anew(
    of: str, content: bytes, trained: Path, run: RunFolder, go_on: Callable[[], list[str]]
) -> None:
    getattr(run, of).write_bytes(content)
    go_on()
    rows = run.read_log()
    assert rows[-1]["images"] == END
    assert run.curves_file.stat().st_size > 10_000


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA out of memory"), OSError(116, "Stale file handle"), MemoryError()]
)
def test_what_may_pass_sets_no_checkpoint_aside(
    error: Exception, run: RunFolder, go_on: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr(torch, "load", fails)
    with pytest.raises(
        (UserError, type(error)), match=r"CUDA|cannot be read \(Stale file handle\), try again later|^$"
    ):
        go_on()
    assert sorted(run.path.glob("checkpoint*")) == run.checkpoints()
    assert len(run.checkpoints()) == 3


def test_any_bit_of_a_checkpoints_directory_may_be_wrong(run: RunFolder, tiny_config: Callable[..., Any]) -> None:
    """The end of the file lists its entries. Some bits there say nothing."""
    path, config = run.checkpoint_file(NEWEST), tiny_config()
    state, good = fresh_state(config, torch.device("cpu")), path.read_bytes()
    refused = 0
    for bit in range(0, 8 * 200, 7):
        broken = bytearray(good)
        broken[-1 - bit // 8] ^= 1 << bit % 8
        path.write_bytes(broken)
        try:
            state.load(path, config)
        except UserError:
            refused += 1
    assert refused > 20


def test_the_first_tensor_with_nan_is_named() -> None:
    state = {"a": {"b": torch.zeros(2), 1: [1.0]}, "c": {2: torch.tensor([0.0, float("inf")])}, "d": "text"}
    assert first_not_finite(state) == "c.2"
    assert first_not_finite({"a": state["a"]}) is None
