"""`--help` at the width of a terminal."""

import re
from collections.abc import Callable
from typing import Any

import click
import pytest

from stylegan_ada.cli import COMMANDS
from stylegan_ada.cli.generate import FILES
from stylegan_ada.cli.train import train


@pytest.mark.parametrize(
    ("group", "names"),
    [([], COMMANDS), (["data"], ("sample", "inspect", "prepare")), (["generate"], tuple(FILES))],
)
def test_no_summary_is_cut(
    command: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, group: Any, names: Any
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    lines = command(*group, "--help").out.split("Commands:\n")[1].splitlines()
    assert [line.split()[0] for line in lines] == list(names)
    for line in lines:
        assert len(line) <= 80
        assert line.endswith(".")
        assert not line.endswith("..")


def test_the_options_of_train_stand_in_sections_each_once(command: Callable[..., Any]) -> None:
    text = command("train", "--help").out
    titles = re.findall(r"^([A-Z].*):$", text, re.MULTILINE)
    assert titles == [
        "Everyday options",
        "Images and labels",
        "Training",
        "Networks",
        "Augmentation",
        "Starting from trained networks",
    ]
    listed = re.findall(r"^  (--[\w-]+)", text, re.MULTILINE)
    options = [param.opts[0] for param in train.params if isinstance(param, click.Option)]
    assert sorted(listed) == sorted([*options, "--help"])
    sections = dict(zip(titles, re.split(r"^[A-Z].*:$", text, flags=re.MULTILINE)[1:], strict=True))
    for title, flag in zip(
        titles, ("--kimg", "--fit", "--gamma", "--label-head", "--ada-p", "--freeze-d"), strict=True
    ):
        assert f"  {flag} " in sections[title]


def test_other_long_helps_have_two_sections(command: Callable[..., Any]) -> None:
    for arguments in (["project"], ["generate", "dataset"], ["utility"]):
        text = command(*arguments, "--help").out
        assert text.index("Everyday options:") < text.index("  --help ") < text.index("More options:")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["project", "RUN", "x.png", "--out", "o", "--steps", "0"], "--steps 0: give 1 or more"),
        (["project", "RUN", "x.png", "--out", "o", "--batch", "many"], "--batch many: give 1 or more"),
        (["train", "--data", "x", "--out", "o", "--kimg", "long"], "--kimg long: give a number"),
        (["train", "--data", "x", "--out", "o", "--seed", "1.5"], "--seed 1.5: give a whole number"),
        (["generate", "dataset", "RUN", "--out", "o", "--count", "few"], "--count few: give a whole number"),
        (["generate", "grid", "RUN", "--out", "o.png", "--columns", "65"], "--columns 65: give 1 to 64"),
        (["evaluate", "RUN", "--count", "1"], "--count 1: give 2 or more"),
        (["report", "RUN", "--out", "o.html", "--count", "1"], "--count 1: give 2 or more"),
        (["utility", "RUN", "--out", "o", "--seeds", "4"], "--seeds 4: give 5 or more"),
        (["utility", "RUN", "--out", "o", "--psi", "3"], "--psi 3.0: give a truncation from 0 to 2"),
        (["augment-check", "--out", "o", "--p", "1"], "--p 1: give a probability between 0 and 1"),
    ],
)
def test_numbers_out_of_range(fails: Callable[..., Any], arguments: Any, message: Any) -> None:
    assert message in fails(*arguments)
