import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from stylegan_ada import UserError, evaluate, make_dataset, project_folder, train
from stylegan_ada.devices import (
    choose_device,
    keep_freed_memory,
    machine_of,
    return_freed_memory,
    settings_kept,
    tune_convolutions,
)


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """A machine with two GPUs, of which none is touched."""
    chosen = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    return chosen


def test_a_gpu_where_there_is_one(gpus: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    assert choose_device("cpu") == torch.device("cpu")
    assert not gpus
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert choose_device("auto") == torch.device("cuda", 1)
    assert gpus == [torch.device("cuda", 1)]
    assert not torch.backends.cudnn.allow_tf32


def test_settings_are_put_back(gpus: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    cudnn = torch.backends.cudnn
    monkeypatch.setattr(cudnn, "benchmark", False)
    with settings_kept():
        choose_device("cuda")
        tune_convolutions()
        cudnn.allow_tf32 = False
        assert cudnn.benchmark
    assert (cudnn.benchmark, cudnn.allow_tf32, gpus) == (False, True, [torch.device("cuda", 0), 1])


@pytest.mark.parametrize(
    "call",
    [
        lambda run: train(run, run / "new", say=lambda line: None),
        lambda run: evaluate(run),
        lambda run: make_dataset(run, run / "new", count=1),
        lambda run: project_folder(run, run, run / "new"),
    ],
    ids=["train", "evaluate", "make_dataset", "project_folder"],
)
def test_calls_put_settings_back(
    call: Callable[[Path], Any], gpus: list[Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those that fail: here there is nothing to read."""
    cudnn = torch.backends.cudnn
    monkeypatch.setattr(cudnn, "benchmark", False)
    with pytest.raises(UserError):
        call(tmp_path)
    assert (cudnn.benchmark, cudnn.allow_tf32, gpus) == (False, True, [torch.device("cuda", 0), 1])


def test_more_processes_than_gpus(gpus: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(UserError, match="3 processes for 2 GPUs"):
        choose_device("cuda")


def test_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == torch.device("cpu")
    with pytest.raises(UserError, match="torch finds no GPU here"):
        choose_device("cuda")


@pytest.mark.parametrize(
    ("name", "named"), [("cdua", "did you mean 'cuda'"), ("mps", "choose from 'auto'"), ("", "ch")]
)
def test_no_device_of_that_name(name: str, named: str) -> None:
    with pytest.raises(UserError, match=f"`device` {name}: no such choice, {named}"):
        choose_device(name)


@pytest.mark.parametrize(("capability", "bf16"), [((7, 5), False), ((8, 0), True), ((9, 0), True)])
def test_what_a_gpu_computes_in(monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], bf16: bool) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)
    machine = machine_of(torch.device("cuda", 0))
    assert (machine.cuda, machine.bf16) == (True, bf16)


def test_glibc_is_told_to_keep_freed_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """M_MMAP_MAX and M_TRIM_THRESHOLD of glibc's malloc.h are -4 and -1."""
    told = []
    library = SimpleNamespace(mallopt=lambda *given: told.append(given))
    monkeypatch.setattr(ctypes, "CDLL", lambda name: library)
    keep_freed_memory()
    assert told == [(-4, 0), (-1, -1)]


def test_what_was_kept_goes_back_to_the_system() -> None:
    """40 MB in pieces below the size at which glibc maps a block by itself."""
    pieces = [bytearray(100_000) for _ in range(400)]
    del pieces
    return_freed_memory()
    before = resident()
    pieces = [bytearray(100_000) for _ in range(400)]
    held = resident()
    pin = bytearray(100_000)  # above them, so that the heap's end is in use
    del pieces
    return_freed_memory()
    assert held - before > 30e6
    assert resident() - before < 5e6
    assert pin


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize("has_file", [True, False])
def test_another_c_library(has_file: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no file of that name, or no mallopt there."""
    asked = []

    def load(name: str) -> Any:
        asked.append(name)
        if has_file:
            return SimpleNamespace()
        raise OSError(name)

    monkeypatch.setattr(ctypes, "CDLL", load)
    keep_freed_memory()
    return_freed_memory()
    assert asked == ["libc.so.6"] * 2
