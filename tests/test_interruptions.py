"""A run that is killed within writes and at random, and one on a full disk: the short form of
`python -m tests.bench.interruptions`."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest

INSIDE = [  # kind of event and of file, and whether half of the bytes are there
    ("rename", "datasets/KEY.npy", True),
    ("rename", "checkpoint-#.pt", True),
    ("append", "log.jsonl", True),
    ("rename", "samples-#.png", False),
    ("rename", "best.safetensors", False),
    ("rename", "evaluations.jsonl", False),
]


@pytest.fixture(scope="module")
def bench(root: Path) -> dict[str, ModuleType]:
    """The modules of tests/bench/interruptions, which forked processes import, too."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root))
        names = ("commands", "compare", "disks", "hook", "kills", "subjects")
        yield {name: importlib.import_module(f"tests.bench.interruptions.{name}") for name in names}


@pytest.fixture(scope="module")
def undisturbed(bench: dict[str, ModuleType], tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], Path]:
    """The command of a run, and its folder."""
    base = tmp_path_factory.mktemp("undisturbed")
    command = bench["subjects"].train_command(base, kimg=0.032)
    place = bench["commands"].Place(base)
    bench["kills"].undisturbed(place, command)
    return command, place.out


def test_kills_lose_nothing(bench: dict[str, ModuleType], undisturbed: tuple[list[str], Path], tmp_path: Path) -> None:
    command, expected = undisturbed
    hook = bench["hook"]
    strikes = [hook.Strike(kind, name, hook.cut_and_kill if half else hook.kill) for kind, name, half in INSIDE]
    tally = bench["kills"].interrupt(command, tmp_path, expected, strikes, moments=[0.7, 1.1])
    assert tally.lost == []
    assert tally.inside == len(INSIDE)


def test_a_disk_that_gets_full_loses_nothing(
    bench: dict[str, ModuleType], undisturbed: tuple[list[str], Path], tmp_path: Path
) -> None:
    """The limit is one on files, which needs no root: the checkpoint, the largest file, is beyond it."""
    assert bench["disks"].limited(tmp_path, *undisturbed, sizes=[60_000]).lost == "nothing"


def test_what_was_lost_would_be_seen(bench: dict[str, ModuleType], tmp_path: Path) -> None:
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "log.jsonl").write_text('{"images": 8}\n')
    differences = bench["compare"].differences
    assert differences(tmp_path / "one", tmp_path / "other") == []
    (tmp_path / "other/log.jsonl").write_text('{"images": 16}\n')
    (tmp_path / "other/.best.17361640446243352001.json").touch()
    (tmp_path / "one/samples.png").touch()
    assert differences(tmp_path / "one", tmp_path / "other") == [
        "samples.png is missing",
        ".best.17361640446243352001.json is left over",
        "log.jsonl differs",
    ]
