import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from stylegan_ada.leaks import check
from stylegan_ada.training import RunFolder


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "GENERATED", 64)


def test_sheet_alone(command: Callable[..., Any], image_folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "check"
    result = command("augment-check", "--data", image_folder, "--size", 8, "--kimg", 0, "--out", out)
    assert result.code == 0, result
    assert [item.name for item in out.iterdir()] == ["sheet.png"]
    with Image.open(out / "sheet.png") as sheet:
        assert sheet.height == 6 * 64
        assert sheet.width > 12 * 64


def test_sheet_of_fewer_images_than_it_has_columns(command: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "few").mkdir()
    for index in range(5):
        Image.new("RGB", (16, 16), (40 * index, 0, 0)).save(tmp_path / "few" / f"{index}.png")
    result = command(
        "augment-check", "--data", tmp_path / "few", "--size", 16, "--kimg", 0, "--out", tmp_path / "check"
    )
    assert result.code == 0, result


def test_three_generators_and_what_they_show(
    command: Callable[..., Any], image_folder: Path, tmp_path: Path, few: None
) -> None:
    extra = tmp_path / "extra.yaml"
    extra.write_text("- name: RandomGaussianBlur\n  kernel_size: 3\n  sigma: [0.5, 2.0]\n")
    arguments = ["augment-check", "--data", image_folder, "--size", 8, "--out", tmp_path / "check"]
    arguments += ["--augment", "blit", "--augment-extra", extra, "--p", 0.5]
    result = command(*arguments, "--kimg", 0.032)
    assert result.code == 0, result
    found = json.loads((tmp_path / "check" / "leaks.json").read_text())
    names = ["as it is", "mirrored", "turned", "RandomGaussianBlur"]
    assert list(found["recognised"]) == names
    assert list(found["shares"]) == ["0", "0.5", "1"]
    for p, shares in found["shares"].items():
        assert list(shares) == names
        assert sum(shares.values()) == pytest.approx(1)
        config = json.loads(RunFolder(tmp_path / "check" / f"p-{p}").config_file.read_text())
        assert config["augment"]["ada_p"] == float(p)
        assert [entry["name"] for entry in config["augment"]["augment_extra"]] == ["RandomGaussianBlur"]
    assert "recognised" in result.out
    again = command(*arguments, "--kimg", 0.064)
    assert again.code == 0, again
    assert again.out.count("resuming") == 3
    assert "--augment: the run" in fail_line(command(*arguments[:-6], "--augment", "color", "--kimg", 0.064))


def fail_line(result: Any) -> Any:
    assert result.code == 2
    return result.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--p", "1"], "between 0 and 1"),
        (["--p", "0"], "between 0 and 1"),
        (["--kimg", "-1"], "give 0 or more"),
        (["--augment", "none"], "nothing to check"),
        (["--augment", "blot"], "blit"),
        (["--size", "33"], "nearest size"),
    ],
)
def test_bad_options(
    fails: Callable[..., Any], image_folder: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    out = tmp_path / "check"
    assert message in fails("augment-check", "--data", image_folder, "--size", 8, "--out", out, *options)
    assert not out.exists()


def test_a_folder_of_other_files(fails: Callable[..., Any], image_folder: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    assert "thesis.tex" in fails("augment-check", "--data", image_folder, "--out", tmp_path)
    assert "that is a file" in fails("augment-check", "--data", image_folder, "--out", tmp_path / "thesis.tex")
