"""Runs that start from trained networks."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from stylegan_ada import UserError, export_generator, load_generator
from stylegan_ada.checkpoint import GeneratorInfo, read_notes, save_generator
from stylegan_ada.config.options import TrainOptions
from stylegan_ada.folders import locked_folder
from stylegan_ada.report.build import run_facts
from stylegan_ada.training import RunFolder, Trainer, train
from stylegan_ada.training.checkpoints import read_networks
from stylegan_ada.training.run_images import run_images

CPU = torch.device("cpu")
SMALL = {
    "size": "16",
    "batch": 8,
    "channel_base": 64,
    "channel_max": 8,
    "precision": "fp32",
    "kimg": 0.016,
    "evaluate_kimg": 0,
}


def trained(
    folder: Path, image_folder: Path, stop: Callable[..., Any] = lambda: False, **other: float | str | None
) -> tuple[Trainer, list[str]]:
    lines = []
    options = TrainOptions(**{"data": str(image_folder), **SMALL, **other})
    ended = train(options, RunFolder(folder), CPU, lines.append, stop)
    return ended.trainer, lines


@pytest.fixture(scope="module")
def first(image_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that others start from."""
    folder = tmp_path_factory.mktemp("first") / "run"
    trained(folder, image_folder)
    return folder


def test_it_starts_where_the_other_ended(first: Path, image_folder: Path, tmp_path: Path) -> None:
    """Before its first step: all networks are those of the checkpoint, and nothing else is."""
    trainer, lines = trained(tmp_path / "run", image_folder, stop=lambda: True, init_from=str(first))
    expected = read_networks(RunFolder(first).checkpoints()[-1])
    assert trainer.state.images_seen == 0
    for name, states in expected.items():
        for key, tensor in getattr(trainer.state, name).state_dict().items():
            assert torch.equal(tensor, states[key]) or key == "w_count"
    assert float(trainer.state.controller.p) == 0
    assert not trainer.state.generator_optimizer.state
    digest = trainer.config.start.init_from
    assert lines.index(f"starts from sha256 {digest[:12]}: 16x16, gray, 2 classes") >= 0
    assert sum(line.endswith(" taken") for line in lines) > 8
    assert "run" not in json.dumps(dataclasses.asdict(trainer.config.start))  # the digest, not the path


def test_it_goes_on_without_what_it_started_from(
    first: Path, image_folder: Path, tmp_path: Path, one_thread: None
) -> None:
    """Stopped and gone on with it is the run uninterrupted, even after the other run is gone."""
    copy = tmp_path / "copy"
    copy.mkdir()
    for path in first.iterdir():
        if path.is_file():
            (copy / path.name).write_bytes(path.read_bytes())
    options = {"init_from": str(copy), "kimg": 0.032, "snapshot_kimg": 0.016}
    whole, _ = trained(tmp_path / "whole", image_folder, **options)
    folder = RunFolder(tmp_path / "parts")
    trained(folder.path, image_folder, stop=lambda: bool(folder.checkpoints()), **options)
    for path in copy.iterdir():
        path.unlink()
    parts, lines = trained(folder.path, image_folder, **options)
    assert any(line.startswith("resuming") for line in lines)
    assert not any(line.startswith("starts from") for line in lines)
    for name in ("generator", "generator_ema", "discriminator"):
        for a, b in zip(*(getattr(one.state, name).parameters() for one in (whole, parts)), strict=True):
            assert torch.equal(a, b)


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"freeze_d": 1}, {"discriminator": ("from_rgb.", "blocks.0.")}),
        ({"freeze_g": 2}, {"generator": ("synthesis.blocks.0.", "synthesis.blocks.1.")}),
        ({"freeze_mapping": True}, {"generator": ("mapping.",)}),
    ],
)
def test_what_is_frozen_stays_and_the_rest_learns(
    first: Path, image_folder: Path, tmp_path: Path, options: dict[str, Any], kept: dict[str, Any]
) -> None:
    trainer, _ = trained(tmp_path / "run", image_folder, init_from=str(first), kimg=0.128, **options)
    before = read_networks(RunFolder(first).checkpoints()[-1])
    for name in ("generator", "discriminator"):
        for key, parameter in getattr(trainer.state, name).named_parameters():
            frozen = key.startswith(kept.get(name, ("none",)))
            assert torch.equal(parameter, before[name][key]) == frozen, key


@pytest.mark.parametrize(
    ("freeze", "other", "reason"),
    [
        (
            {"freeze_d": 1},
            {"size": "8"},
            "`freeze_d`: it would keep the discriminator's first layer, of which only 0 of 2",
        ),
        (
            {"freeze_g": 1},
            {"channel_max": 16},
            "`freeze_g`: it would keep the generator's block 4x4, of which only 2 of",
        ),
        ({"freeze_mapping": True}, {"mapping_depth": 3}, "`freeze_mapping`: it would keep the generator's mapping, of"),
    ],
)
def test_what_has_not_learned_is_not_frozen(
    first: Path, image_folder: Path, tmp_path: Path, freeze: dict[str, Any], other: dict[str, Any], reason: str
) -> None:
    """It would stay random for the whole run."""
    with pytest.raises(UserError, match=reason):
        trained(tmp_path / "run", image_folder, init_from=str(first), **freeze, **other)
    trained(tmp_path / "run", image_folder, stop=lambda: True, init_from=str(first), **other)


def test_it_is_read_before_the_images(image_folder: Path, tmp_path: Path) -> None:
    def no_images(*arguments: Any, **options: Any) -> None:
        raise AssertionError("images are packed in vain")

    options = TrainOptions(data=str(image_folder), init_from=str(tmp_path / "nothing"), **SMALL)
    with pytest.raises(UserError, match="no generator there"):
        train(options, RunFolder(tmp_path / "run"), CPU, print, load=no_images)


def test_a_file_has_a_generator_alone(first: Path, image_folder: Path, tmp_path: Path) -> None:
    file = first / "generator.safetensors"
    trainer, lines = trained(tmp_path / "run", image_folder, stop=lambda: True, init_from=str(file))
    average = load_generator(file).network.state_dict()
    for network in (trainer.state.generator, trainer.state.generator_ema):
        for key, tensor in network.state_dict().items():
            assert torch.equal(tensor, average[key]) or key == "w_count"
    assert any("discriminator" in line and "new: there is none" in line for line in lines)
    with pytest.raises(UserError, match="`freeze_d`: `init_from` holds a generator alone"):
        trained(tmp_path / "other", image_folder, init_from=str(file), freeze_d=1)


def test_the_shape_is_that_of_the_other_run_unless_told(first: Path, image_folder: Path, tmp_path: Path) -> None:
    """So that as much as possible fits."""
    free = dict.fromkeys(("channel_base", "channel_max"))
    trainer, lines = trained(tmp_path / "run", image_folder, stop=lambda: True, init_from=str(first), **free)
    assert trainer.config.network == RunFolder(first).read_config().network
    assert any("`channel_max` 8: as in the networks that it starts from" in line for line in lines)
    trainer, lines = trained(tmp_path / "wide", image_folder, stop=lambda: True, init_from=str(first), channel_max=16)
    assert trainer.config.network.channel_max == 16
    assert any("of 10 tensors" in line for line in lines)


def test_the_licence_of_imported_weights_goes_on(first: Path, image_folder: Path, tmp_path: Path) -> None:
    """Into the run that starts from them, and into the run that starts from that."""
    loaded = load_generator(first)
    file, notes = tmp_path / "imported.safetensors", {"origin": "imported from somewhere", "licence": "research only"}
    save_generator(file, loaded.network, loaded.info, notes)
    _, lines = trained(tmp_path / "run", image_folder, init_from=str(file))
    assert "imported from somewhere" in lines
    trained(tmp_path / "next", image_folder, init_from=str(tmp_path / "run"))
    for run in ("run", "next"):
        assert read_notes(tmp_path / run) == notes
    assert read_notes(first) == {}
    run = tmp_path / "next"
    facts = dict(run_facts(RunFolder(run).read_config(), load_generator(run), run_images(run, None)))
    assert facts["started from"].endswith(", imported from somewhere")


def test_the_licence_of_an_exported_file_goes_on(first: Path, image_folder: Path, tmp_path: Path) -> None:
    for licence, kept in (("by leave", True), (None, False)):
        file, run = tmp_path / f"{licence}.safetensors", tmp_path / f"run {licence}"
        export_generator(first, file, licence=licence)
        _, lines = trained(run, image_folder, init_from=str(file))
        assert (read_notes(run).get("licence") == "by leave") == kept
        assert any("licence of these weights: by leave" in line for line in lines) == kept
        assert ("origin" in read_notes(run)) == kept


def test_what_it_cannot_start_from(first: Path, image_folder: Path, tmp_path: Path) -> None:
    def reason(start: Path = first, **options: int | str) -> str:
        with pytest.raises(UserError) as caught:
            trained(tmp_path / "run", image_folder, init_from=str(start), **options)
        assert not (tmp_path / "run" / "config.json").exists()
        return str(caught.value)

    rgba = tmp_path / "rgba.safetensors"
    network = dataclasses.replace(RunFolder(first).read_config().network, channels=4)
    generator = type(load_generator(first).network)(network)
    save_generator(
        rgba, generator, GeneratorInfo(network=network, classes=("a", "b"), class_counts=(1, 1), images_seen=0)
    )
    assert "its images have 4 channels and this run's 1; only gray and RGB" in reason(rgba)
    assert "they share no block" in reason(size="14")
    assert "not a run folder" in reason(tmp_path)
    assert "no generator there" in reason(tmp_path / "nothing")
    pickled = tmp_path / "network-snapshot.pkl"
    pickled.write_bytes(b"\x80\x04N.")
    assert "stylegan-ada import" in reason(pickled)
    assert "give the folder of its run" in reason(RunFolder(first).checkpoints()[-1])
    assert "`freeze_d` 9: there are 2 such blocks" in reason(freeze_d=9)
    assert "`freeze_g` 3: of 3 blocks some must learn" in reason(freeze_g=3, freeze_mapping=True)
    with locked_folder(first, first, "busy"):
        assert "that run is being trained" in reason()
    empty = tmp_path / "begun"
    empty.mkdir()
    (empty / "config.json").write_bytes((first / "config.json").read_bytes())
    assert "no checkpoint yet" in reason(empty)
    with pytest.raises(UserError, match="`freeze_g`: what does not learn must have learned before"):
        trained(tmp_path / "run", image_folder, freeze_g=1)
