import dataclasses
import json
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils import tensorboard

from stylegan_ada import load_generator
from stylegan_ada.config import AugmentConfig, DataConfig, RunConfig
from stylegan_ada.datasets import ImageDataset
from stylegan_ada.errors import UserError
from stylegan_ada.training import RunFolder, Trainer, advice_on_memory
from stylegan_ada.training.step.objective import MicroBatch

CPU = torch.device("cpu")


def never() -> bool:
    return False


@pytest.fixture
def train(dataset: ImageDataset, tmp_path: Path) -> Callable[..., Any]:
    """Trains in a folder and gives the trainer."""

    def run(
        config: RunConfig, name: str = "run", should_stop: Callable[..., Any] = never, lines: list[Any] | None = None
    ) -> Trainer:
        folder = RunFolder(tmp_path / name)
        with folder.locked():
            trainer = Trainer(config, dataset, folder, CPU, [].append if lines is None else lines.append)
            trainer.train(should_stop)
        return trainer

    return run


def same_state(a: Path, b: Path) -> bool:
    """Two checkpoint files hold the same bits."""
    a, b = torch.load(a, weights_only=True), torch.load(b, weights_only=True)
    flat_a, flat_b = (torch.utils._pytree.tree_flatten(state) for state in (a, b))
    assert flat_a[1] == flat_b[1]
    return all(
        torch.equal(x, y) if isinstance(x, torch.Tensor) else x == y for x, y in zip(flat_a[0], flat_b[0], strict=True)
    )


def test_resumed_run_is_the_run_uninterrupted_bit_for_bit(
    train: Callable[..., Any], tiny_config: Callable[..., Any], tmp_path: Path
) -> None:
    train(tiny_config(kimg=0.096), "whole")
    train(tiny_config(kimg=0.04), "parts")  # 5 steps: between two moves of the controller, within its interval of 4
    train(tiny_config(kimg=0.096), "parts")
    name = "checkpoint-0000000096.pt"
    assert same_state(tmp_path / "whole" / name, tmp_path / "parts" / name)
    state = torch.load(tmp_path / "whole" / name, weights_only=True)
    assert state["controller"]["p"] > 0  # the controller moved, so its state mattered
    assert not same_state(tmp_path / "whole" / name, RunFolder(tmp_path / "parts").checkpoint_file(40))


def test_stopped_run_goes_on_where_it_was(
    train: Callable[..., Any], tiny_config: Callable[..., Any], tmp_path: Path
) -> None:
    train(tiny_config(kimg=0.064), "whole")
    log = RunFolder(tmp_path / "stopped").log_file

    def in_the_third_step() -> bool:
        return log.exists() and len(log.read_text().splitlines()) == 2

    train(tiny_config(kimg=0.064), "stopped", should_stop=in_the_third_step)
    assert [path.name for path in RunFolder(tmp_path / "stopped").checkpoints()] == ["checkpoint-0000000024.pt"]
    train(tiny_config(kimg=0.064), "stopped")
    name = "checkpoint-0000000064.pt"
    assert same_state(tmp_path / "whole" / name, tmp_path / "stopped" / name)


def test_what_a_run_leaves(train: Callable[..., Any], tiny_config: Callable[..., Any], tmp_path: Path) -> None:
    lines = []
    train(tiny_config(snapshot_kimg=0.016), lines=lines)
    run = tmp_path / "run"
    names = [path.name for path in RunFolder(run).checkpoints()]
    assert names == ["checkpoint-0000000032.pt", "checkpoint-0000000048.pt", "checkpoint-0000000064.pt"]  # the last 3
    assert all(RunFolder(run).samples_file(images).exists() for images in (16, 32, 48, 64))
    assert RunFolder(run).curves_file.stat().st_size > 10_000
    assert list(run.glob("events.out.tfevents*"))
    assert not list(run.glob(".*.*"))
    generator = load_generator(run)
    assert generator.classes == ("bright", "dark")
    assert (generator.info.images_seen, generator.info.class_counts) == (64, (12, 12))
    rows = RunFolder(run).read_log()
    assert [row["images"] for row in rows] == list(range(8, 72, 8))
    assert {"loss_G", "loss_D", "loss_G_pl", "loss_D_r1", "p", "r_t", "sec_per_kimg", "path_length"} <= rows[0].keys()
    assert lines[0].startswith("estimate: 0:")
    assert all(word in lines[1] for word in ("s/kimg", "ETA", "r_t"))


def test_generator_file_is_the_moving_average(
    train: Callable[..., Any], tiny_config: Callable[..., Any], tmp_path: Path
) -> None:
    trainer = train(tiny_config())
    kept = load_generator(tmp_path / "run").network.state_dict()
    for name, tensor in trainer.state.generator_ema.state_dict().items():
        assert torch.equal(kept[name], tensor)
    assert not torch.equal(kept["mapping.layers.0.weight"], trainer.state.generator.mapping.layers[0].weight)


def test_log_forgets_what_was_after_the_last_checkpoint(
    train: Callable[..., Any], tiny_config: Callable[..., Any], tmp_path: Path
) -> None:
    train(tiny_config(kimg=0.032))
    log = RunFolder(tmp_path / "run").log_file
    log.write_text(log.read_text() + '{"images": 40, "kimg": 0.04, "p": 9}\n{"images": 4')  # then killed
    train(tiny_config(kimg=0.064))
    rows = [json.loads(line) for line in log.read_text().splitlines()]
    assert [row["images"] for row in rows] == list(range(8, 72, 8))
    assert all(row["p"] < 1 for row in rows)


def test_a_kill_while_the_log_is_begun_anew_loses_no_row(
    train: Callable[..., Any], tiny_config: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tiny_config(kimg=0.032))
    folder = RunFolder(tmp_path / "run")
    before = folder.read_log()

    def killed(path: Path, text: str, **_: str) -> None:
        with open(path, "w") as file:
            file.write(text[:10])
        raise KeyboardInterrupt

    monkeypatch.setattr(Path, "write_text", killed)
    with pytest.raises(KeyboardInterrupt):
        folder.write_log(before[:2])
    assert folder.read_log() == before


@pytest.mark.parametrize("ends", ["well", "full disk", "broken"])
def test_tensorboards_file_is_closed_however_training_ends(
    train: Callable[..., Any], tiny_config: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, ends: str
) -> None:
    closed = []

    class Writer(tensorboard.SummaryWriter):
        def close(self) -> None:
            super().close()
            closed.append(self)
            if ends == "full disk":
                raise OSError(28, "No space left on device")

    def should_stop() -> bool:
        if ends == "well":
            return True
        raise UserError("make room") if ends == "full disk" else ZeroDivisionError

    monkeypatch.setattr(tensorboard, "SummaryWriter", Writer)
    with {"well": nullcontext(), "full disk": pytest.raises(UserError, match="make room")}.get(
        ends, pytest.raises(ZeroDivisionError)
    ):
        train(tiny_config(), should_stop=should_stop)
    assert len(closed) == 1


def test_a_loss_that_is_no_number_ends_the_run_and_keeps_the_last_good_checkpoint(
    train: Callable[..., Any], tiny_config: Callable[..., Any], tmp_path: Path, dataset: ImageDataset
) -> None:
    train(tiny_config(kimg=0.032))
    folder = RunFolder(tmp_path / "run")
    good = folder.checkpoint_file(32).read_bytes()
    config = tiny_config(kimg=0.064)
    trainer = Trainer(config, dataset, folder, CPU, [].append)

    def break_it() -> bool:  # after the checkpoint was read
        trainer.state.discriminator.out.weight.data.fill_(float("nan"))
        return False

    with pytest.raises(
        UserError, match=r"became nan near 0\.0 kimg; the last good checkpoint is checkpoint-0000000032\.pt"
    ):
        trainer.train(break_it)
    assert folder.checkpoints() == [folder.checkpoint_file(32)]
    assert folder.checkpoint_file(32).read_bytes() == good


def test_fixed_p_stays(train: Callable[..., Any], tiny_config: Callable[..., Any]) -> None:
    config = dataclasses.replace(tiny_config(kimg=0.032), augment=AugmentConfig(ada_p=0.3))
    assert float(train(config).state.controller.p) == pytest.approx(0.3)


def test_p_stays_under_its_cap(train: Callable[..., Any], tiny_config: Callable[..., Any]) -> None:
    config = dataclasses.replace(
        tiny_config(kimg=0.064), augment=AugmentConfig(ada_kimg=0.01, ada_target=-0.99, ada_max=0.25)
    )
    assert float(train(config).state.controller.p) == 0.25


def test_holdout_is_never_trained_on_and_gives_r_v(
    train: Callable[..., Any], tiny_config: Callable[..., Any], tmp_path: Path, dataset: ImageDataset
) -> None:
    data = DataConfig(data="x", holdout=0.25)
    config = dataclasses.replace(
        tiny_config(kimg=0.064), data=data, augment=AugmentConfig(ada_signal="rv", ada_target=0.5)
    )
    trainer = train(config)
    trainer.write_holdout()
    held_out = json.loads(RunFolder(tmp_path / "run").holdout_file.read_text())
    assert len(held_out) == 6
    assert set(held_out) < set(dataset.names)
    assert "r_v" in RunFolder(tmp_path / "run").log_file.read_text()
    trained = {
        index
        for start in range(0, 64, 8)
        for batch in trainer.real.micro_batches(start)
        for index in shown(batch, dataset)
    }
    assert trained == {dataset.names.index(name) for name in set(dataset.names) - set(held_out)}
    assert load_generator(tmp_path / "run").info.class_counts == tuple(
        np.bincount(dataset.labels[sorted(trained)], minlength=2)
    )


def shown(batch: MicroBatch, dataset: ImageDataset) -> list[int]:
    """Which images of the set a micro-batch holds, by their pixels."""
    pixels = ((batch.images + 1) * 127.5).round().numpy().astype(np.uint8)
    return [int(np.flatnonzero((dataset.images == image).all(axis=(1, 2, 3)))[0]) for image in pixels]


def test_micro_batches_cover_the_batch(train: Callable[..., Any], tiny_config: Callable[..., Any]) -> None:
    trainer = train(tiny_config(kimg=0.008, micro_batch=3))
    batches = trainer.real.micro_batches(16)
    assert [len(batch.indices) for batch in batches] == [3, 3, 2]
    assert torch.cat([batch.indices for batch in batches]).tolist() == list(range(16, 24))


@pytest.mark.parametrize(
    ("batch", "micro_batch", "expected"),
    [(32, None, "`micro_batch` 16"), (32, 12, "`micro_batch` 4"), (8, 6, "`micro_batch` 3"), (8, 1, "`channel_base`")],
)
def test_advice_on_memory(tiny_config: Callable[..., Any], batch: int, micro_batch: int | None, expected: str) -> None:
    assert advice_on_memory(tiny_config(batch=batch, micro_batch=micro_batch)).endswith(expected)


def test_r_v_is_formed_of_means_over_a_tick(
    train: Callable[..., Any], tiny_config: Callable[..., Any], tmp_path: Path
) -> None:
    config = dataclasses.replace(tiny_config(kimg=0.064, tick_kimg=0.032), data=DataConfig(data="x", holdout=0.25))
    train(config)
    rows = RunFolder(tmp_path / "run").read_log()
    assert len(rows) == 2
    for row in rows:
        expected = (row["logits_real"] - row["logits_holdout"]) / (row["logits_real"] - row["logits_fake"])
        assert row["r_v"] == pytest.approx(expected)


def test_without_augmentation_p_stays_at_zero(train: Callable[..., Any], tiny_config: Callable[..., Any]) -> None:
    config = dataclasses.replace(
        tiny_config(kimg=0.064), augment=AugmentConfig(augment=(), ada_target=-0.99, ada_kimg=0.01)
    )
    assert float(train(config).state.controller.p) == 0


def test_second_process_is_refused(tmp_path: Path) -> None:
    first, second = RunFolder(tmp_path / "run"), RunFolder(tmp_path / "run")
    with first.locked(), pytest.raises(UserError, match="another process is training there"), second.locked():
        pass
    with second.locked():
        pass


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_half_precision_trains(train: Callable[..., Any], tiny_config: Callable[..., Any], precision: str) -> None:
    config = tiny_config(kimg=0.032)
    trainer = train(dataclasses.replace(config, network=dataclasses.replace(config.network, precision=precision)))
    for module in (trainer.state.generator, trainer.state.discriminator):
        assert all(parameter.dtype == torch.float32 and parameter.isfinite().all() for parameter in module.parameters())


def test_a_stop_during_the_estimate_ends_at_once(
    train: Callable[..., Any], tiny_config: Callable[..., Any], tmp_path: Path
) -> None:
    trainer = train(tiny_config(), should_stop=lambda: True)
    assert trainer.state.images_seen == 0
    assert RunFolder(tmp_path / "run").checkpoints() == []


def test_a_full_disk_is_one_line_and_keeps_the_old_checkpoint(
    train: Callable[..., Any], tiny_config: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(tiny_config(kimg=0.016))

    def full(state: dict[str, Any], file: Path) -> None:
        raise RuntimeError("[enforce fail at inline_container.cc:672] . unexpected pos 64 vs 0\nmore")

    monkeypatch.setattr(torch, "save", full)
    with pytest.raises(UserError, match="is the disk full"):
        train(tiny_config(kimg=0.032))
    assert [path.name for path in RunFolder(tmp_path / "run").checkpoints()] == ["checkpoint-0000000016.pt"]
