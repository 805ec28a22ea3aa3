"""An `--out` that cannot be written ends a command before it opens networks or images, as any user and as root."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

COMMANDS = {  # with paths that are not there: whoever came to open them would say so
    "train": ["train", "--data", "SET", "--size", "16", "--out", "PLACE/run"],
    "augment-check": ["augment-check", "--data", "SET", "--out", "PLACE/check"],
    "report": ["report", "no-run", "--out", "PLACE/a.html"],
    "evaluate": ["evaluate", "no-run", "--pairs", "PLACE/a.png"],
    "grid": ["generate", "grid", "no-run", "--out", "PLACE/a.png"],
    "images": ["generate", "images", "no-run", "--count", "1", "--out", "PLACE/set"],
    "dataset": ["generate", "dataset", "no-run", "--count", "1", "--out", "PLACE/set"],
    "mix": ["generate", "mix", "no-run", "a.npz", "b.npz", "--out", "PLACE/mix"],
    "directions": ["directions", "no-run", "--out", "PLACE/a.npz"],
    "export": ["export", "no-run", "--format", "onnx", "--out", "PLACE/a.onnx"],
    "import": ["import", "no.pkl", "--out", "PLACE/a.safetensors"],
    "project": ["project", "no-run", "no.png", "--out", "PLACE/found"],
    "utility": ["utility", "no-run", "--out", "PLACE/found"],
    "inspect": ["data", "inspect", "SET", "--sheet", "PLACE/a.png"],
    "prepare": ["data", "prepare", "SET", "--size", "16", "--out", "PLACE/set"],
    "sample": ["data", "sample", "digits", "--out", "PLACE/set"],
}


def filled(arguments: list[str], images: Path, place: Path) -> list[str]:
    return [word.replace("SET", str(images)).replace("PLACE", str(place)) for word in arguments]


@pytest.mark.parametrize("name", COMMANDS)
def test_below_a_file(fails: Callable[..., Any], image_folder: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("mine")
    line = fails(*filled(COMMANDS[name], image_folder, tmp_path / "file"))
    flag = {"evaluate": "--pairs", "inspect": "--sheet"}.get(name, "--out")
    assert line.startswith(f"stylegan-ada: error: {flag} {tmp_path}/file/")
    assert f"cannot write in {tmp_path}/file (Not a directory), choose another" in line
    assert (tmp_path / "file").read_text() == "mine"
    assert os.listdir(tmp_path) == ["file"]


@pytest.mark.parametrize("arguments", [["evaluate", "no-run", "--pairs"], ["generate", "grid", "no-run", "--out"]])
def test_pictures_of_no_known_kind(fails: Callable[..., Any], tmp_path: Path, arguments: list[str]) -> None:
    assert "ends in .png, .jpg or .webp" in fails(*arguments, tmp_path / "a.txt")
    (tmp_path / "folder.png").mkdir()
    assert "that is a folder, give a file" in fails(*arguments, tmp_path / "folder.png")


def test_the_folder_that_one_is_in(fails: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "give the name of a new folder" in fails("generate", "images", "no-run", "--count", 1, "--out", ".")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
@pytest.mark.parametrize(
    ("name", "mode"),  # not to write, not to search
    [("train", 0o755), ("project", 0o766), ("utility", 0o755), ("report", 0o766), ("images", 0o755), ("export", 0o766)],
)
def test_in_a_folder_of_others(as_nobody: Callable[..., Any], image_folder: Path, name: str, mode: int) -> None:
    place = image_folder.parent / "open" / f"{name}-{mode:o}"
    place.mkdir()
    place.chmod(mode)
    done = as_nobody(*filled(COMMANDS[name], image_folder, place), STYLEGAN_ADA_CACHE="cache")
    assert done.returncode == 2, done
    line = done.stderr.strip().splitlines()[-1]
    assert line.startswith(f"stylegan-ada: error: --out {place}/")
    assert f"cannot write in {place} (Permission denied), choose another" in line
    assert "Traceback" not in done.stderr
    assert os.listdir(place) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become another user")
@pytest.mark.parametrize(
    ("name", "mode"),
    [("train", 0o700), ("train", 0o766), ("project", 0o755), ("utility", 0o733), ("augment-check", 0o766)],
)
def test_a_folder_of_others(as_nobody: Callable[..., Any], image_folder: Path, name: str, mode: int) -> None:
    place = image_folder.parent / "open" / f"of-others-{name}-{mode:o}"
    place.mkdir()
    place.chmod(mode)
    arguments = filled(COMMANDS[name], image_folder, place)
    arguments[arguments.index("--out") + 1] = place
    done = as_nobody(*arguments, STYLEGAN_ADA_CACHE="cache")
    assert done.returncode == 2, done
    line = done.stderr.strip().splitlines()[-1]
    assert line.startswith("stylegan-ada: error: ")
    assert "--out" in line
    assert str(place) in line
    assert "Permission denied" in line or "is not readable" in line
    assert "Traceback" not in done.stderr
    assert os.listdir(place) == []
