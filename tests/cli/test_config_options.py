from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from stylegan_ada.cli.messages import with_flags
from stylegan_ada.cli.train import train


def test_help_says_every_default(command: Callable[..., Any]) -> None:
    for option in train.params:
        has_one = not option.required and option.name != "dry_run"
        assert ("Default: " in option.help) == has_one, option.name
        assert option.help.endswith("."), option.name
    text = " ".join(command("train", "--help").out.split())
    assert "Default: chosen by the size and the device." in text
    assert "Default: 0.0025." in text


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("`ada_kimg` 0.0: give more than 0", "--ada-kimg 0.0: give more than 0"),
        ("`kimg` 0.0: give more than 0", "--kimg 0.0: give more than 0"),
        ("`ada_signal` rv: add `holdout` 0.1", "--ada-signal rv: add --holdout 0.1"),
        ("TrainingConfig.pl_batch_shrink 0: give 1 or more", "TrainingConfig.pl_batch_shrink 0: give 1 or more"),
        ("RunConfig.training.batch: '3' is not of type int", "RunConfig.training.batch: '3' is not of type int"),
    ],
)
def test_messages_name_flags(message: str, shown: str) -> None:
    assert with_flags(message) == shown


@click.command()
@click.option("--keep-best")
@click.option("--psi", "truncation_psi")
@click.argument("run")
def some_command(**given: Any) -> None:
    """Named in messages below."""


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ("`keep_best` 2: give `truncation_psi`", "--keep-best 2: give --psi"),
        ("`run`, `keep-best`, `no_option`, keep_best", "`run`, `keep-best`, `no_option`, keep_best"),
    ],
)
def test_messages_name_flags_of_the_command(message: str, shown: str) -> None:
    assert with_flags(message, some_command) == shown
    with click.Context(some_command):
        assert with_flags(message) == shown
    assert with_flags(message) == message


def test_an_error_of_the_library_names_flags(fails: Callable[..., Any], tmp_path: Path) -> None:
    line = fails("generate", "grid", "RUN", "--out", tmp_path / "grid.png", "--psi", 3)
    assert line == "stylegan-ada: error: --psi 3.0: give a truncation from 0 to 2, 1 is what was learned"


def test_stop_after_needs_measurements(fails: Callable[..., Any], image_folder: Path, tmp_path: Path) -> None:
    arguments = ["train", "--data", image_folder, "--out", tmp_path / "run", "--evaluate-kimg", 0, "--stop-after", 2]
    assert "--stop-after: needs measurements, give --evaluate-kimg as well" in fails(*arguments)
