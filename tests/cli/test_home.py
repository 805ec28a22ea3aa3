"""~ and ~user, which a shell expands in `--out ~/runs` and not in `--out=~/runs`."""

import os
import pwd
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

import stylegan_ada
from stylegan_ada.cli import LazyGroup, program
from stylegan_ada.cli.common import PATH


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path | dict[str, Any]]:
    """A home folder beside the working one, in which nothing may be made."""
    (tmp_path / "home").mkdir()
    (tmp_path / "work").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "work")
    yield tmp_path / "home"
    assert not list((tmp_path / "work").iterdir())


def commands(group: LazyGroup, context: Any) -> Iterator[Any]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        yield from commands(command, context) if isinstance(command, click.Group) else [command]


def test_every_option_that_is_a_path_expands_it() -> None:
    context = click.Context(program)
    kinds = [param.type for command in commands(program, context) for param in command.params]
    paths = [kind for kind in kinds if isinstance(kind, click.Path)]
    assert len(paths) > 40
    assert all(kind is PATH for kind in paths)


def test_a_home_folder_as_in_a_shell(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = pwd.getpwuid(0)
    assert PATH.convert("~", None, None) == home
    assert PATH.convert("~/a b", None, None) == home / "a b"
    assert PATH.convert(f"~{root.pw_name}/x", None, None) == Path(root.pw_dir, "x")
    for text in ("~nobody-of-this-name", "a/~", "./~", "a~"):
        assert os.fspath(PATH.convert(text, None, None)) == os.path.normpath(text)


def test_from_images_to_a_set(home: Path, command: Callable[..., Any], image_folder: Path, small: list[str]) -> None:
    shutil.copytree(image_folder, home / "images")
    (home / "images/dark/01.png").unlink()
    (home / "extra.yaml").write_text("- name: RandomInvert\n")
    options = [*small, "--kimg", "0.016", "--device", "cpu"]
    for line in (
        ["data", "inspect", "~/images", "--sheet=~/sheet.png"],
        ["data", "prepare", "~/images", "--out=~/clean", "--size=16"],
        ["train", "--data=~/images", "--out=~/run", "--augment-extra=~/extra.yaml", *options],
        ["train", "--data=~/images", "--out=~/more", "--init-from=~/run", *options],
        ["info", "~/run"],
        ["export", "~/run", "--format=safetensors", "--out=~/file.safetensors"],
        ["generate", "images", "~/file.safetensors", "--out=~/generated", "--count=2"],
        ["generate", "grid", "~/run", "--out=~/grid.png"],
        ["generate", "dataset", "~/run", "--out=~/set", "--balance-with=~/images"],
    ):
        result = command(*line)
        assert result.code == 0, (line, result)
    made = {"sheet.png", "clean", "run", "more", "file.safetensors", "generated", "grid.png", "set"}
    assert {path.name for path in home.iterdir() if path.name not in (".cache", ".config")} == made | {
        "images",
        "extra.yaml",
    }


def test_missing_files_are_named_in_the_home_folder(
    home: Path, fails: Callable[..., Any], trained_run: Path, pixels_file: Path
) -> None:
    for line in (
        ["evaluate", trained_run, "--data=~/none"],
        ["evaluate", trained_run, "--features=~/none.pt"],
        ["project", trained_run, "~/none.png", "--out=~/latents"],
        ["report", "~/none", "--out=~/report.html"],
        ["import", "~/none.pkl", "--out=~/x.safetensors"],
        ["directions", "~/none", "--out=~/x.npz"],
        ["utility", trained_run, "--out=~/u", "--test=~/none"],
        ["augment-check", "--data=~/none", "--out=~/check"],
    ):
        assert str(home / "none") in fails(*line) or line[1] == trained_run
    assert "~" not in fails("project", trained_run, pixels_file, "--distance=~/none.pt", "--out=~/latents")


def test_the_python_functions(home: Path, image_folder: Path, trained_run: Path) -> None:
    shutil.copytree(image_folder, home / "images")
    shutil.copytree(trained_run, home / "run")
    stylegan_ada.export_generator("~/run", "~/file.safetensors")
    pixels = [stylegan_ada.load_generator(path).sample_uint8([0]) for path in ("~/file.safetensors", home / "run")]
    np.testing.assert_array_equal(*pixels)
    assert len(stylegan_ada.load_dataset("~/images", stylegan_ada.Preparation(size=16))) == 24


def test_a_path_that_is_none_of_a_text_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trained_run: Path
) -> None:
    """`./~` is how one names such a folder."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(trained_run, tmp_path / "~" / "run")
    path = PATH.convert("./~/run", None, None)
    assert path.resolve() == tmp_path / "~" / "run"
    assert stylegan_ada.load_generator(path).info == stylegan_ada.load_generator(trained_run).info
