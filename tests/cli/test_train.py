import json
import os
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from stylegan_ada.training import RunFolder, Trainer


def test_finished_run_says_so_and_grows_with_kimg(
    command: Callable[..., Any], image_folder: Path, tmp_path: Path, small: list[str]
) -> None:
    arguments = ["train", "--data", image_folder, "--out", tmp_path / "run", *small]
    first = command(*arguments, "--kimg", "0.016")
    assert first.code == 0, first
    assert "finished at 0.0 kimg" in first.out
    again = command(*arguments, "--kimg", "0.016")
    assert again.code == 0
    assert "finished" in again.out
    assert "s/kimg | ETA" not in again.out
    more = command(*arguments, "--kimg", "0.032")
    assert "resuming" in more.out
    assert RunFolder(tmp_path / "run").checkpoint_file(32).exists()


def test_choices_are_explained(command: Callable[..., Any], image_folder: Path, tmp_path: Path) -> None:
    result = command("train", "--data", image_folder, "--out", tmp_path / "run", "--dry-run")
    config = json.loads(result.out)
    assert "--batch 32: for 16 pixels on a CPU" in result.err
    assert config["network"]["height"] == 16
    assert config["classes"] == ["bright", "dark"]
    assert config["training"]["gamma"] == pytest.approx(0.0002 * 256 / 32)
    assert not (tmp_path / "run").exists()


def test_auto_is_what_is_chosen(command: Callable[..., Any], image_folder: Path, tmp_path: Path) -> None:
    given = ["train", "--data", image_folder, "--out", tmp_path / "run", "--dry-run"]
    network = json.loads(command(*given, "--label-head", "auto").out)["network"]
    assert (network["label_head"], network["label_depth"]) == ("full", 0)
    inner = json.loads(command(*given, "--label-head", "inner", "--transition", "1,2").out)
    assert (inner["network"]["label_head"], inner["network"]["transitional"]) == ("inner", True)
    assert inner["training"]["transition"] == [1.0, 2.0]


def test_a_folder_or_file_may_be_named_auto(
    command: Callable[..., Any],
    fails: Callable[..., Any],
    image_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(image_folder, "auto")
    assert "train --data auto " in command("data", "inspect", "auto").out
    result = command("train", "--data", "auto", "--out", "run", "--dry-run")
    assert json.loads(result.out)["data"]["data"] == str(tmp_path / "auto")
    given = ["train", "--data", image_folder, "--out", "run", "--dry-run"]
    for option in ("--init-from", "--augment-extra"):
        assert "auto" in fails(*given, option, "auto")
    assert "--out auto: the folder holds other files" in fails(*given[:3], "--out", "auto")


@pytest.mark.parametrize("option", [[], ["--precision", "auto"]])
def test_a_cpu_computes_in_fp32(
    option: list[Any], command: Callable[..., Any], image_folder: Path, tmp_path: Path
) -> None:
    result = command(
        "train", "--data", image_folder, "--out", tmp_path / "run", "--device", "cpu", "--dry-run", *option
    )
    assert json.loads(result.out)["network"]["precision"] == "fp32"
    assert "--precision fp32: on a CPU bf16 was seen to train less well" in result.err


def test_demo_preset_gives_way_to_options(command: Callable[..., Any], image_folder: Path, tmp_path: Path) -> None:
    result = command(
        "train", "--data", image_folder, "--out", tmp_path / "run", "--preset", "demo", "--size", "16", "--dry-run"
    )
    config = json.loads(result.out)
    assert config["network"]["channel_base"] == 2048
    assert config["network"]["height"] == 16


def test_unlabelled(command: Callable[..., Any], image_folder: Path, tmp_path: Path, small: list[str]) -> None:
    result = command(
        "train",
        "--data",
        image_folder,
        "--out",
        tmp_path / "r",
        "--no-labels",
        "--kimg",
        "0.008",
        "--micro-batch",
        4,
        *small,
    )
    assert result.code == 0, result
    assert json.loads(RunFolder(tmp_path / "r").config_file.read_text())["network"]["c_dim"] == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--size", "50"], "nearest size is 48x48"),
        (["--transition", "9,3"], "--transition 9,3: give START,END"),
        (["--transition", "9"], "--transition 9: give START,END"),
        (["--no-labels", "--transition", "1,2"], "--transition: there are no labels"),
        (["--balance", "2"], "--balance 2.0: give a share from 0 to 1"),
        (["--size", "big"], "--size big: give a side"),
        (["--sizee", "16"], "--size"),
        (["--augment", "blit,colour"], "did you mean 'color'?"),
        (["--augment", "blit,blit"], "'blit' is named twice"),
        (["--mirror", "x"], "--mirror"),
        (["--device", "cuda"], "--device cuda: torch finds no GPU"),
        (["--ada-signal", "rv"], "add --holdout 0.1"),
        (["--kimg", "0"], "--kimg 0.0: give more than 0"),
        (["--gamma", "-1"], "--gamma -1.0: give 0 or more"),
        (["--holdout", "0.9"], "--holdout 0.9"),
        (["--ada-p", "1.5"], "--ada-p 1.5: give a probability"),
        (["--batch", "-3"], "--batch -3: give 1 or more"),
        (["--batch", "0"], "--batch 0: give 1 or more"),
        (["--channel-base", "3"], "--channel-base 3: give at least"),
        (["--kimg", "inf"], "--kimg inf"),
        (["--seed", "-1"], "--seed -1: give a whole number"),
        (["--learning-rate", "-1"], "--learning-rate -1.0: give a rate"),
        (["--ema-kimg", "-1"], "--ema-kimg -1.0"),
        (["--snapshot-kimg", "inf"], "--snapshot-kimg inf"),
        (["--preset", "dem"], "did you mean 'demo'?"),
        (["--batch", "16", "--size", "12x16", "--mirror", "quarter"], "quarter turns need square images"),
    ],
)
def test_bad_options_are_one_line(
    fails: Callable[..., Any], image_folder: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    if "--device" in options and torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    assert message in fails("train", "--data", image_folder, "--out", tmp_path / "run", "--kimg", "0.008", *options)
    assert not (tmp_path / "run").exists()


def test_other_options_are_refused_in_an_old_run(
    fails: Callable[..., Any], trained_run: Path, image_folder: Path, small: list[str]
) -> None:
    arguments = ["train", "--data", image_folder, "--out", trained_run, "--kimg", "0.064"]
    message = fails(*arguments, *small, "--seed", "1")
    assert "--seed: the run in" in message
    assert "use a new --out for other options" in message


def test_run_goes_on_where_its_images_moved(
    command: Callable[..., Any], image_folder: Path, tmp_path: Path, small: list[str]
) -> None:
    import shutil

    arguments = ["--out", tmp_path / "run", *small]
    assert command("train", "--data", image_folder, *arguments, "--kimg", "0.008").code == 0
    shutil.copytree(image_folder, tmp_path / "moved")
    moved = command("train", "--data", tmp_path / "moved", *arguments, "--kimg", "0.016", "--device", "cpu")
    assert moved.code == 0, moved
    assert "resuming" in moved.out
    assert json.loads(RunFolder(tmp_path / "run").config_file.read_text())["data"]["data"] == str(tmp_path / "moved")


def test_run_inside_its_own_images_is_refused(fails: Callable[..., Any], tmp_path: Path, image_folder: Path) -> None:
    import shutil

    shutil.copytree(image_folder, tmp_path / "images")
    out = tmp_path / "images" / "run"
    assert "it lies inside --data" in fails("train", "--data", tmp_path / "images", "--out", out, "--kimg", "1")
    assert not out.exists()


def test_changed_images_are_refused(
    command: Callable[..., Any], fails: Callable[..., Any], image_folder: Path, tmp_path: Path, small: list[str]
) -> None:
    import shutil

    copy = tmp_path / "images"
    shutil.copytree(image_folder, copy)
    arguments = ["train", "--data", copy, "--out", tmp_path / "run", *small]
    assert command(*arguments, "--kimg", "0.008").code == 0
    next(copy.rglob("*.png")).unlink()
    assert "the images have changed since this run began" in fails(*arguments, "--kimg", "0.016")


def test_folder_with_other_files_is_refused(
    fails: Callable[..., Any], image_folder: Path, tmp_path: Path, small: list[str]
) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    message = fails("train", "--data", image_folder, "--out", tmp_path, "--kimg", "0.008", *small)
    assert "holds other files (notes.txt)" in message
    assert os.listdir(tmp_path) == ["notes.txt"]


def test_missing_data(fails: Callable[..., Any], tmp_path: Path) -> None:
    assert "nowhere" in fails("train", "--data", tmp_path / "nowhere", "--out", tmp_path / "run", "--kimg", "1")


def test_out_of_memory_names_the_micro_batch(
    fails: Callable[..., Any], image_folder: Path, tmp_path: Path, small: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:

    def out_of_memory(self: Trainer) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:127] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(Trainer, "step", out_of_memory)
    message = fails("train", "--data", image_folder, "--out", tmp_path / "run", "--kimg", "0.008", *small, code=1)
    assert message.endswith("try --micro-batch 4")


STYLEGAN = (sys.executable, "-m", "stylegan_ada")


def test_sigterm_ends_with_a_checkpoint_and_a_second_process_is_refused(
    fails: Callable[..., Any], start: Callable[..., Any], image_folder: Path, tmp_path: Path, small: list[str]
) -> None:
    arguments = ["train", "--data", image_folder, "--out", tmp_path / "run", "--kimg", "100", *small]
    process = start(*STYLEGAN, *arguments)
    for line in process.stdout:
        if "ETA" in line:
            break
    assert fails(*arguments).endswith("another process is training there, wait or use another folder")
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130, err
    assert "the same command goes on from there" in out
    assert RunFolder(tmp_path / "run").checkpoints()


@pytest.mark.parametrize("number", [signal.SIGUSR1, signal.SIGHUP])
def test_lost_connections_and_slurm_end_with_a_checkpoint(
    number: Any, start: Callable[..., Any], image_folder: Path, tmp_path: Path, small: list[str]
) -> None:
    """Even if the signal comes twice, and what the terminal shows can be written no more."""
    ours, theirs = os.openpty()
    arguments = ["train", "--data", image_folder, "--out", tmp_path / "run", "--kimg", "100", *small]
    process = start(*STYLEGAN, *arguments, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while b"ETA" not in shown:
        shown += os.read(ours, 1000)  # an OSError once the process has ended
    process.send_signal(number)
    if number == signal.SIGHUP:  # not before, or a line may be printed in between
        os.close(ours)
    process.send_signal(number)
    assert process.wait(timeout=120) == 130
    assert RunFolder(tmp_path / "run").checkpoints()


def test_what_nohup_ignores_stays_ignored(
    start: Callable[..., Any], image_folder: Path, tmp_path: Path, small: list[str]
) -> None:
    arguments = ["train", "--data", image_folder, "--out", tmp_path / "run", "--kimg", "100", *small]
    process = start(*STYLEGAN, *arguments, preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
    lines = (line for line in process.stdout if "ETA" in line)
    next(lines)
    process.send_signal(signal.SIGHUP)
    next(lines)
    next(lines)
    assert process.poll() is None
    process.terminate()
    assert process.communicate(timeout=120)[1].count("stopping") == 1
    assert process.returncode == 130


def test_killed_run_resumes(
    start: Callable[..., Any], command: Callable[..., Any], image_folder: Path, tmp_path: Path, small: list[str]
) -> None:
    arguments = ["train", "--data", image_folder, "--out", tmp_path / "run", "--snapshot-kimg", "0.008", *small]
    process = start(*STYLEGAN, *arguments, "--kimg", "100")
    while not RunFolder(tmp_path / "run").checkpoints():
        assert process.poll() is None, process.communicate()
        time.sleep(0.05)
    process.kill()
    process.communicate(timeout=120)
    seen = max(int(path.stem.split("-")[1]) for path in RunFolder(tmp_path / "run").checkpoints())
    result = command(*arguments, "--kimg", (seen + 16) / 1000)
    assert result.code == 0, result
    assert RunFolder(tmp_path / "run").checkpoint_file(seen + 16).exists()


def test_a_run_that_never_reached_a_checkpoint_may_begin_anew(
    command: Callable[..., Any],
    fails: Callable[..., Any],
    image_folder: Path,
    tmp_path: Path,
    small: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:

    arguments = ["train", "--data", image_folder, "--out", tmp_path / "run", "--kimg", "0.008", *small]
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "step", lambda self: (_ for _ in ()).throw(RuntimeError("CUBLAS_STATUS_ALLOC_FAILED")))
        assert "out of memory" in fails(*arguments, code=1)
    assert command(*arguments, "--micro-batch", "4").code == 0


def test_own_size_without_a_network_is_named_before_packing(fails: Callable[..., Any], tmp_path: Path) -> None:
    import numpy as np
    from PIL import Image

    (tmp_path / "images").mkdir()
    for index in range(3):
        Image.fromarray(np.full((50, 50), index, np.uint8)).save(tmp_path / "images" / f"{index}.png")
    message = fails("train", "--data", tmp_path / "images", "--out", tmp_path / "run", "--kimg", "1")
    assert "nearest size is 48x48" in message


@pytest.mark.parametrize(
    ("batch", "micro_batch", "warned"),
    [
        (8, None, False),
        (8, 4, False),
        (8, 3, True),
        (8, 6, True),
        (7, None, True),
        (6, 3, False),
        (10, 4, False),
        (8, 64, False),
    ],
)
def test_warning_where_minibatch_statistics_differ(
    command: Callable[..., Any], image_folder: Path, tmp_path: Path, batch: int, micro_batch: int | None, warned: bool
) -> None:
    options = [] if micro_batch is None else ["--micro-batch", micro_batch]
    result = command(
        "train", "--data", image_folder, "--out", tmp_path / "run", "--batch", batch, *options, "--dry-run"
    )
    assert ("minibatch statistics" in result.err) == warned, result


def test_dry_run_says_what_would_be_taken(
    command: Callable[..., Any], image_folder: Path, trained_run: Path, tmp_path: Path, small: list[str]
) -> None:
    options = [
        "train",
        "--data",
        image_folder,
        "--out",
        tmp_path / "run",
        *small,
        "--init-from",
        trained_run,
        "--dry-run",
    ]
    result = command(*options)
    assert result.code == 0
    assert "starts from sha256" in result.err
    assert len(json.loads(result.out)["start"]["init_from"]) == 64
    assert not (tmp_path / "run").exists()
