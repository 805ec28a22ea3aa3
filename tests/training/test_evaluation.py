from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from stylegan_ada import UserError, load_generator
from stylegan_ada.config import TrainingConfig
from stylegan_ada.datasets import ImageDataset
from stylegan_ada.metrics.evaluate import compute_features, real_images
from stylegan_ada.metrics.feature_sets import FeatureSets
from stylegan_ada.metrics.networks.extractor import Extractor
from stylegan_ada.training import RunFolder, Trainer, evaluation
from stylegan_ada.training.best import forget_after

CPU = torch.device("cpu")


class Pixels(Extractor):
    """Two rows of pixels as features."""

    identity = "pixels"
    name = "Pixels"

    def _of(self, images: np.ndarray) -> np.ndarray:
        return images[:, :2, :, 0].reshape(len(images), -1).astype(np.float32) / 255


@pytest.fixture
def kids(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The KIDs that measurements find, in turn; those of the images where there are no more."""
    planned = []
    true_figures = evaluation.as_measurement

    def figures(sides: FeatureSets) -> dict[str, float]:
        row = true_figures(sides)
        probe = len(sides.generated) == evaluation.PROBE
        return row | {"kid": planned.pop(0), "kid_error": 0.01} if planned and not probe else row

    monkeypatch.setattr(evaluation, "as_measurement", figures)
    monkeypatch.setattr(evaluation, "make_extractor", lambda name, device: Pixels(device))
    monkeypatch.setattr(evaluation, "FEWEST", 8)
    monkeypatch.setattr(evaluation, "SHARE", 0.0)
    return planned


@pytest.fixture
def train(
    dataset: ImageDataset, tmp_path: Path, tiny_config: Callable[..., Any], kids: list[Any]
) -> Callable[..., Any]:
    """Trains a measured run; gives the lines that it said."""

    def run(
        kimg: float = 0.064, name: str = "run", should_stop: Callable[..., Any] = lambda: False, **training: float
    ) -> list[str]:
        config = tiny_config(kimg=kimg, **{"evaluate_kimg": 0.016, **training})
        folder, lines = RunFolder(tmp_path / name), []
        with folder.locked():
            Trainer(config, dataset, folder, CPU, lines.append).train(should_stop)
        return lines

    return run


def rows_of(folder: Path) -> list[dict[str, float]]:
    return RunFolder(folder).read_evaluations()


def test_a_measured_run(train: Callable[..., Any], tmp_path: Path, kids: list[Any]) -> None:
    kids += [0.3, 0.1, 0.2, 0.15]
    lines = train()
    run = tmp_path / "run"
    rows = rows_of(run)
    assert [row["images"] for row in rows] == [16, 32, 48, 64]
    assert [row["kid"] for row in rows] == [0.3, 0.1, 0.2, 0.15]
    assert {"fid", "recall", "coverage", "copies", "copies_control", "label_accuracy", "p", "r_t"} <= rows[0].keys()
    assert rows[1]["findings"][0].startswith("improving")
    assert any("measured in" in line and "1000 x KID 100.0 +- 10.0" in line for line in lines)
    assert load_generator(run).info.images_seen == 32
    assert load_generator(RunFolder(run).best_file).info.images_seen == 32
    assert load_generator(RunFolder(run).generator_file).info.images_seen == 64
    confirmed = RunFolder(run).read_confirmed()
    assert confirmed["images"] == 32
    assert confirmed["kid"] not in [row["kid"] for row in rows]
    assert "the best generator is that of 0.032 kimg" in lines[-1]


def test_measuring_does_not_change_the_training(train: Callable[..., Any], tmp_path: Path) -> None:
    train(name="measured")
    train(name="unmeasured", evaluate_kimg=0.0, snapshot_kimg=0.016)
    checkpoints = (RunFolder(tmp_path / name).checkpoint_file(64) for name in ("measured", "unmeasured"))
    measured, unmeasured = (torch.load(path, weights_only=True) for path in checkpoints)
    for part in ("generator", "generator_ema", "discriminator"):
        assert all(torch.equal(measured[part][key], value) for key, value in unmeasured[part].items())
    assert not RunFolder(tmp_path / "unmeasured").evaluations_file.exists()


def test_figures_are_those_of_evaluate(train: Callable[..., Any], tmp_path: Path, dataset: ImageDataset) -> None:
    """The last measurement, again by hand."""
    train()
    generator = load_generator(RunFolder(tmp_path / "run").generator_file)
    real = real_images(dataset, np.arange(24), np.arange(0))
    row = evaluation.as_measurement(compute_features(generator, real, Pixels(CPU), 8))
    last = rows_of(tmp_path / "run")[-1]
    assert last["count"] == 8
    assert last["n_real"] == 24
    assert last["fid"] == pytest.approx(row["fid"], rel=1e-3)
    assert last["coverage"] == pytest.approx(row["coverage"])


def test_a_run_stops_when_nothing_becomes_better(train: Callable[..., Any], tmp_path: Path, kids: list[Any]) -> None:
    kids += [0.3, 0.1, 0.095, 0.11]
    lines = train(kimg=0.16, stop_after=2)
    run = tmp_path / "run"
    assert [row["images"] for row in rows_of(run)] == [16, 32, 48, 64]
    assert any("2 measurements in a row brought no improvement" in line for line in lines)
    assert load_generator(run).info.images_seen == 48  # 0.095 is the lowest, if within the error
    train(kimg=0.16, stop_after=2)  # the same command again
    assert len(rows_of(run)) == 4
    train(kimg=0.08)
    assert [row["images"] for row in rows_of(run)] == [16, 32, 48, 64, 80]


def test_killed_during_a_measurement_it_measures_again(
    train: Callable[..., Any], tmp_path: Path, kids: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    kids += [0.3, 0.2]
    train(name="whole")
    kids += [0.3]
    real = evaluation.compute_generated
    calls = []

    def killed(*arguments: Any, **options: int) -> FeatureSets:
        calls.append(arguments)
        if len(calls) == 4:  # two probes, the first measurement, the second
            raise KeyboardInterrupt
        return real(*arguments, **options)

    monkeypatch.setattr(evaluation, "compute_generated", killed)
    with pytest.raises(KeyboardInterrupt):
        train()
    assert [row["images"] for row in rows_of(tmp_path / "run")] == [16]
    assert RunFolder(tmp_path / "run").checkpoints()[-1].name == "checkpoint-0000000032.pt"
    kids += [0.2]
    train()
    run, whole = RunFolder(tmp_path / "run"), RunFolder(tmp_path / "whole")
    assert [row["images"] for row in run.read_evaluations()] == [16, 32, 48, 64]
    assert [row["kid"] for row in run.read_evaluations()][:2] == [0.3, 0.2]
    assert same_but_for_seconds(run.read_evaluations()) == same_but_for_seconds(whole.read_evaluations())
    assert same_but_for_seconds(run.read_log()) == same_but_for_seconds(whole.read_log())
    assert same_but_for_seconds([run.read_confirmed()]) == same_but_for_seconds([whole.read_confirmed()])
    assert same_generator(run.generator_file, whole.generator_file)
    assert same_generator(run.best_file, whole.best_file)
    assert not same_generator(run.generator_file, run.best_file)
    assert not any("measured" in line for line in train())  # all is done


def gone_back(run: Path, images: int) -> None:
    """Deletes the checkpoints after so many images."""
    for path in RunFolder(run).checkpoints():
        if path > RunFolder(run).checkpoint_file(images):
            path.unlink()


def same_generator(*files: Path) -> bool:
    """Not byte by byte: safetensors orders its header as it likes."""
    one, other = map(load_generator, files)
    states = one.network.state_dict(), other.network.state_dict()
    return one.info == other.info and all(torch.equal(states[0][name], states[1][name]) for name in states[0])


def same_but_for_seconds(rows: list[dict[str, float]]) -> list[dict[str, float]]:
    seconds = ("measuring_seconds", "sec_per_kimg")
    return [{name: value for name, value in row.items() if name not in seconds} for row in rows]


KIDS = [  # of measurements after 16, 32, 48 and 64 images; the checkpoints that are kept
    ([0.3, 0.1, 0.05, 0.04], 3),
    ([0.1, 0.3, 0.2, 0.04], 2),
    ([0.1, 0.3, 0.2, 0.15], 2),
]


@pytest.mark.parametrize(("planned", "keep"), KIDS)
def test_a_run_gone_back_to_an_older_checkpoint_ends_as_one_uninterrupted(
    planned: list[float], keep: int, train: Callable[..., Any], tmp_path: Path, kids: list[Any]
) -> None:
    kids += planned
    train(name="whole", keep=keep)
    kids += planned
    train(keep=keep)
    run, whole = RunFolder(tmp_path / "run"), RunFolder(tmp_path / "whole")
    oldest = int(run.checkpoints()[0].stem[-4:])
    gone_back(run.path, oldest)
    kids += planned[oldest // 16 :]
    lines = train(keep=keep)
    assert same_but_for_seconds(run.read_evaluations()) == same_but_for_seconds(whole.read_evaluations())
    assert same_generator(run.best_file, whole.best_file)
    assert same_but_for_seconds([run.read_confirmed()]) == same_but_for_seconds([whole.read_confirmed()])
    best = load_generator(run.path).info.images_seen
    assert best == 16 * (1 + int(np.argmin(planned)))
    if best > oldest:
        assert f"the best generator is that of {best / 1000:g} kimg" in lines[-1]


@pytest.mark.parametrize("evaluate_kimg", [0.016, 0.0])
def test_at_once_after_going_back_nothing_is_left_of_what_came_later(
    evaluate_kimg: float, train: Callable[..., Any], tmp_path: Path, kids: list[Any]
) -> None:
    """A shorter run, whose checkpoint is that of its end."""
    kids += [0.1, 0.3, 0.05, 0.04]
    train()
    kids += [0.1, 0.3]
    train(kimg=0.032, name="whole")
    run, whole = RunFolder(tmp_path / "run"), RunFolder(tmp_path / "whole")
    gone_back(run.path, 32)
    train(kimg=0.032, evaluate_kimg=evaluate_kimg)
    assert [row["images"] for row in run.read_evaluations()] == [16, 32]
    assert same_generator(run.generator_file, whole.generator_file)
    assert same_generator(run.best_file, whole.best_file)
    confirmed = run.read_confirmed()
    assert confirmed is None if evaluate_kimg == 0 else confirmed["images"] == 16


def test_without_the_file_of_the_best_generator_it_is_not_called_the_best(
    train: Callable[..., Any], tmp_path: Path, kids: list[Any]
) -> None:
    kids += [0.1, 0.3]
    train(kimg=0.032)
    run = RunFolder(tmp_path / "run")
    run.best_file.unlink()
    kids += [0.2, 0.25]
    lines = train()
    assert load_generator(run.path).info.images_seen == run.read_confirmed()["images"] == 48
    assert "the best generator is that of 0.048 kimg" in lines[-1]


def test_figures_on_fresh_seeds_go_with_their_generator(
    train: Callable[..., Any], tmp_path: Path, kids: list[Any]
) -> None:
    kids += [0.1, 0.3]
    train(kimg=0.032)
    run = RunFolder(tmp_path / "run")
    confirmed = run.read_confirmed()
    assert confirmed["images"] == 16
    forget_after(run, 32, print)
    assert run.read_confirmed() == confirmed
    run.generator_file.replace(run.best_file)  # that of 32 images
    forget_after(run, 32, print)
    assert run.read_confirmed() is None


@pytest.mark.parametrize(("emptied", "at"), [("log_file", 64), ("evaluations_file", 16), ("both", 16)])
def test_an_emptied_log_is_a_log_without_rows(
    emptied: str, at: int, train: Callable[..., Any], tmp_path: Path, kids: list[Any]
) -> None:
    train()
    run = RunFolder(tmp_path / "run")
    gone_back(run.path, at) if at == 64 else run.best_file.unlink()
    for name in ("log_file", "evaluations_file"):
        if emptied in (name, "both"):
            getattr(run, name).write_text("")
    train(kimg=0.08)
    assert run.read_evaluations()[-1]["images"] == 80
    assert run.read_log()[-1]["images"] == 80
    train(kimg=0.08)


def test_stopped_by_hand_at_a_measurement_it_measures_later(train: Callable[..., Any], tmp_path: Path) -> None:
    log = RunFolder(tmp_path / "run").log_file
    train(should_stop=lambda: log.exists() and len(log.read_text().splitlines()) == 1)  # asked after the second step
    assert not RunFolder(tmp_path / "run").evaluations_file.exists()
    train()
    assert [row["images"] for row in rows_of(tmp_path / "run")] == [16, 32, 48, 64]


def test_without_anything_to_measure_with_a_run_goes_on(
    train: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str, device: torch.device) -> None:
        raise UserError("these features need the package x: run y")

    monkeypatch.setattr(evaluation, "make_extractor", missing)
    lines = train(stop_after=1)
    assert lines[0] == "warning: the generator will not be measured: these features need the package x: run y"
    assert RunFolder(tmp_path / "run").checkpoint_file(64).exists()
    assert load_generator(tmp_path / "run").info.images_seen == 64


def test_an_unwritable_cache_stops_nothing(
    train: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("STYLEGAN_ADA_CACHE", str(tmp_path / "file"))
    with pytest.warns(UserWarning, match="not kept"):
        train()
    assert len(rows_of(tmp_path / "run")) == 4


def test_measuring_takes_its_share_of_the_time(
    dataset: ImageDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With as many images as can be had for it."""
    monkeypatch.setattr(evaluation, "make_extractor", lambda name, device: Pixels(device))
    moments = iter(np.arange(100) * 1.0)  # each look at the clock is a second later
    monkeypatch.setattr(evaluation.time, "perf_counter", lambda: next(moments))
    monkeypatch.setattr(evaluation, "compute_generated", lambda *_, **__: None)
    monkeypatch.setattr(evaluation, "as_measurement", lambda sides: {})
    lines = []
    evaluator = evaluation.Evaluator(
        RunFolder(tmp_path), real_images(dataset, np.arange(24), np.arange(0)), CPU, lines.append
    )
    side = type("Side", (), {"reference": np.zeros((24, 2))})
    # 32 images take a second, the figures another one
    assert evaluator._affordable(None, side, 200.0) == (200 * 0.05 - 1) * 32
    assert lines == ["measuring 288 images against 24 real ones takes 5.0% of the time"]
    assert evaluator._affordable(None, side, 20.0) == 100
    assert lines[-1] == "  a larger `evaluate_kimg` reduces that share"
    assert evaluator._affordable(None, side, 1e6) == 5000


def test_only_the_first_process_confirms(
    train: Callable[..., Any], tmp_path: Path, dataset: ImageDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one read rows when the run was resumed, but has no figures to write."""
    train(kimg=0.016)
    run = tmp_path / "run"
    RunFolder(run).confirmed_file.unlink()
    lines = []
    evaluator = evaluation.Evaluator(
        RunFolder(run), real_images(dataset, np.arange(24), np.arange(0)), CPU, lines.append
    )
    evaluator.resume(16)
    monkeypatch.setattr(evaluation.distributed, "rank", lambda: 1)
    monkeypatch.setattr(evaluation.distributed, "sum_over_ranks", lambda tensor: tensor + 1)  # the first one wants to
    evaluator.confirm_best(1.0)
    assert not any("the best generator" in line for line in lines)
    assert not RunFolder(run).confirmed_file.exists()
    assert len(evaluator.of_best(1.0).features.generated) == 8


def test_nothing_is_measured_where_that_is_not_wanted(tmp_path: Path, dataset: ImageDataset, kids: list[Any]) -> None:
    real = real_images(dataset, np.arange(24), np.arange(0))
    training = TrainingConfig(kimg=1.0, evaluate_kimg=0.0)
    assert evaluation.make_evaluator(training, RunFolder(tmp_path), real, CPU, print, 0) is None


@pytest.mark.parametrize(("stop_after", "given_up"), [(None, False), (3, False), (2, True), (1, True)])
def test_a_run_is_given_up_after_so_many_measurements(
    stop_after: int | None, given_up: bool, tmp_path: Path, dataset: ImageDataset, kids: list[Any]
) -> None:
    """Of these, the second is better than the first, and two came since."""
    rows = [
        {"images": 8 * n, "count": 8, "kid": kid, "kid_error": 0.01} for n, kid in enumerate((0.3, 0.1, 0.2, 0.095))
    ]
    folder, lines = RunFolder(tmp_path), []
    folder.write_evaluations(rows)
    real = real_images(dataset, np.arange(24), np.arange(0))
    evaluator = evaluation.Evaluator(folder, real, CPU, lines.append, stop_after)
    assert not evaluator.given_up
    evaluator.resume(1000)
    assert evaluator.given_up is given_up
    assert len(lines) == given_up
    evaluator.resume(8)  # two of the four lie beyond
    assert not evaluator.given_up
