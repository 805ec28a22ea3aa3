"""Gradients of the phases: micro-batches, processes, lazy regularisation."""

import dataclasses
import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from stylegan_ada import distributed
from stylegan_ada.augment import AugmentPipe
from stylegan_ada.config import NetworkConfig, StartConfig, TrainingConfig
from stylegan_ada.networks import Discriminator, Generator
from stylegan_ada.random import Draws
from stylegan_ada.training.step.objective import MicroBatch, Objective
from stylegan_ada.training.step.phases import Phase, make_optimizer, make_phases

BATCH = 8
CONFIG = TrainingConfig(kimg=1, batch=BATCH, r1_interval=3, pl_interval=2)


def make(
    config: TrainingConfig = CONFIG,
    transitional: bool = False,
    start: StartConfig = StartConfig(),  # noqa: B008 - it cannot be changed
) -> tuple[Objective, list[Phase]]:
    """Phases of tiny networks in float64, everything switched on, the same on every call."""
    torch.manual_seed(0)
    net = NetworkConfig(channels=1, height=8, width=8, c_dim=2, z_dim=8, w_dim=8, channel_base=32, channel_max=8,
                        transitional=transitional)  # fmt: skip
    generator, discriminator = Generator(net).double(), Discriminator(net).double()
    objective = Objective(
        generator,
        discriminator,
        AugmentPipe(("blit", "geom", "color"), net.image_shape).double(),
        torch.tensor(0.5),
        torch.tensor(0.1).double(),
        torch.eye(2).double(),
        config,
    )
    optimizers = [make_optimizer(module, 0.002, None) for module in (generator, discriminator)]
    return objective, make_phases(objective, *optimizers, config, start)


def micro_batch(first: int, count: int, batch: int = BATCH) -> MicroBatch:
    images = torch.rand(batch, 1, 8, 8, generator=torch.Generator().manual_seed(1)).double() * 2 - 1
    c = torch.eye(2).double()[torch.arange(batch) % 2]
    part = slice(first, first + count)
    return MicroBatch(1000 + first, torch.arange(batch)[part] + 1000, images[part], c[part])


def gradients(
    objective: Objective, phases: list[Phase], micro_batches: list[MicroBatch], batch: int = BATCH
) -> dict[str, Tensor]:
    """Gradients by phase and parameter, and what the objective gathered."""
    found = {}
    for phase in phases:
        phase.gradients(micro_batches, batch)
        distributed.reduce_gradients(phase.module.parameters())
        for name, parameter in phase.module.named_parameters():
            if parameter.grad is not None:
                found[f"{phase.name} {name}"] = parameter.grad.clone()
    statistics = objective.statistics
    found["w"] = distributed.sum_over_ranks(torch.stack(statistics.w).sum(dim=0))
    found["path lengths"] = distributed.gather(torch.cat(statistics.path_lengths))
    found["real logits"] = distributed.gather(torch.cat(statistics.real_logits))
    return found


def assert_same(found: dict[str, Tensor], expected: dict[str, Tensor]) -> None:
    assert found.keys() == expected.keys()
    assert {name.split()[0] for name in found} >= {"G", "G_pl", "D", "D_r1"}
    for name in expected:
        torch.testing.assert_close(found[name], expected[name], rtol=1e-6, atol=1e-9, msg=name)


def test_the_generator_steps_before_the_discriminator() -> None:
    """The order is part of the algorithm: runs of another order are other runs."""
    _, phases = make()
    assert [(phase.name, phase.interval) for phase in phases] == [("G", 1), ("G_pl", 2), ("D", 1), ("D_r1", 3)]


def test_micro_batches_of_whole_groups_give_the_gradients_of_the_batch() -> None:
    whole = gradients(*make(), [micro_batch(0, 8)])
    assert_same(gradients(*make(), [micro_batch(0, 4), micro_batch(4, 4)]), whole)


def test_micro_batches_that_cut_groups_do_not() -> None:
    """Which is why the command line warns of them."""
    whole = gradients(*make(), [micro_batch(0, 8)])
    cut = gradients(*make(), [micro_batch(0, 2), micro_batch(2, 2), micro_batch(4, 2), micro_batch(6, 2)])
    assert not torch.allclose(cut["D conv.weight"], whole["D conv.weight"], rtol=1e-3)


def one_rank(rank: Any, count: Any, folder: Any) -> None:
    """What each of several processes does: this file, run as a script."""
    os.environ.update(RANK=str(rank), WORLD_SIZE=str(count), LOCAL_RANK=str(rank))
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo", init_method=f"file://{folder}/store", rank=rank, world_size=count)
    batch = 4 * count
    found = gradients(*make(dataclasses.replace(CONFIG, batch=batch)), [micro_batch(4 * rank, 4, batch)], batch)
    torch.save(found, f"{folder}/{rank}.pt")
    distributed.wait_for_all()
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize("count", [2, 3])
def test_several_processes_give_the_gradients_of_one(count: int, tmp_path: Path) -> None:
    line = [sys.executable, __file__]
    processes = [subprocess.Popen([*line, str(rank), str(count), tmp_path]) for rank in range(count)]
    assert [process.wait(timeout=120) for process in processes] == [0] * count
    batch = 4 * count
    whole = gradients(*make(dataclasses.replace(CONFIG, batch=batch)), [micro_batch(0, batch, batch)], batch)
    for rank in range(count):
        assert_same(torch.load(tmp_path / f"{rank}.pt", weights_only=True), whole)


def test_gradients_are_made_finite() -> None:
    parameter = torch.nn.Parameter(torch.zeros(3))
    parameter.grad = torch.tensor([float("nan"), float("inf"), 2.0])
    assert distributed.reduce_gradients([parameter, torch.nn.Parameter(torch.zeros(1))])
    assert parameter.grad.tolist() == [0.0, 1e5, 2.0]


@pytest.mark.parametrize(
    ("values", "scrubbed"),
    [([3e38, 3e38], False), ([0.0, -1.0], False), ([float("nan"), 0], True), ([0, -float("inf")], True)],
)
def test_it_is_told_whether_gradients_had_to_be_made_finite(values: list[float], scrubbed: bool) -> None:
    parameter = torch.nn.Parameter(torch.zeros(2))
    parameter.grad = torch.tensor(values)
    assert bool(distributed.reduce_gradients([parameter])) is scrubbed


def test_lazy_regularisation_rescales_the_optimiser() -> None:
    """arXiv 1912.04958, appendix B: c = k / (k + 1) = 16 / 17."""
    group = make_optimizer(torch.nn.Linear(1, 1), 0.0025, 16).param_groups[0]
    assert group["lr"] == pytest.approx(0.0025 * 16 / 17)
    assert group["betas"] == pytest.approx((0, 0.99 ** (16 / 17)))


def test_lazy_phases_are_weighted_by_their_interval() -> None:
    objective, phases = make()
    phase = next(phase for phase in phases if phase.name == "D_r1")
    phase.gradients([micro_batch(0, 8)], BATCH)
    lazy = objective.discriminator.conv.weight.grad.clone()
    dataclasses.replace(phase, interval=1).gradients([micro_batch(0, 8)], BATCH)
    torch.testing.assert_close(lazy, 3 * objective.discriminator.conv.weight.grad)


def test_path_lengths_of_half_a_batch_stand_for_the_whole() -> None:
    objective, phases = make()
    phase = next(phase for phase in phases if phase.name == "G_pl")
    phase.gradients([micro_batch(0, 3), micro_batch(3, 1), micro_batch(4, 4)], BATCH)
    found = [parameter.grad for parameter in objective.generator.parameters() if parameter.grad is not None]
    lengths = torch.cat(objective.statistics.path_lengths)
    objective, phases = make(dataclasses.replace(CONFIG, batch=BATCH // 2, pl_batch_shrink=1))
    phase = next(phase for phase in phases if phase.name == "G_pl")
    phase.gradients([micro_batch(first, 1) for first in (0, 2, 4, 6)], BATCH // 2)
    expected = [parameter.grad for parameter in objective.generator.parameters() if parameter.grad is not None]
    torch.testing.assert_close(lengths, torch.cat(objective.statistics.path_lengths))
    torch.testing.assert_close(found, expected)


def test_path_lengths_take_all_of_an_odd_batch() -> None:
    assert [TrainingConfig(kimg=1, batch=batch).pl_every for batch in (1, 6, 7)] == [1, 2, 1]


def test_only_the_phase_s_module_learns() -> None:
    objective, phases = make()
    for phase in phases:
        objective.generator.zero_grad()
        objective.discriminator.zero_grad()
        phase.gradients([micro_batch(0, 8)], BATCH)
        assert all(parameter.grad is None for parameter in phase.other.parameters())
        assert any(parameter.grad is not None for parameter in phase.module.parameters())


def test_style_mixing_takes_another_w_from_a_layer_upwards() -> None:
    objective, _ = make(dataclasses.replace(CONFIG, style_mixing=1.0))
    batch = micro_batch(0, 8)
    _, _, ws = objective._generate(batch, "G")
    for image in ws:
        changes = [not torch.equal(a, b) for a, b in pairwise(image)]
        assert sum(changes) == 1  # exactly one crossover
    objective, _ = make(dataclasses.replace(CONFIG, style_mixing=0.0))
    _, _, ws = objective._generate(batch, "G")
    assert torch.equal(ws, ws[:, :1].expand_as(ws))


def test_of_two_heads_labels_count_by_their_weight() -> None:
    """Losses are the weighted means of those of two discriminators, one that is told the label and one that is not."""
    objective, _ = make(transitional=True)
    weight, batch, softplus = objective.generator.mapping.label_weight, micro_batch(0, 8), torch.nn.functional.softplus
    for share in (0.0, 0.25, 1.0):
        weight.fill_(share)
        fake, real = objective.discriminator_main(batch)
        images = objective.pipe(batch.images, Draws(0, "D/augment_real", batch.indices), objective.p)
        without, told = objective.discriminator(images, batch.c).unbind(dim=1)
        torch.testing.assert_close(real, (softplus(-without) + share * softplus(-told)) / (1 + share))
        torch.testing.assert_close(
            objective.statistics.real_logits[-1], ((without + share * told) / (1 + share)).detach()
        )
        assert fake.shape == (8,)


def test_before_the_transition_labels_teach_nothing() -> None:
    objective, phases = make(transitional=True)
    objective.generator.mapping.label_weight.fill_(0)
    found = gradients(objective, phases, [micro_batch(0, 8)])
    assert not found["D mapping.embed.weight"].any()
    assert not found["G mapping.embed.weight"].any()
    assert found["D unconditional.weight"].any()
    objective.generator.mapping.label_weight.fill_(0.1)
    found = gradients(objective, phases, [micro_batch(0, 8)])
    assert found["D mapping.embed.weight"].any()
    assert found["G mapping.embed.weight"].any()


if __name__ == "__main__":  # a process of test_several_processes_give_the_gradients_of_one
    one_rank(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
